"""STEP 2: file -> examples -> findings."""
