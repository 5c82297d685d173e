"""STEP 4: base and tuned on the same items."""
