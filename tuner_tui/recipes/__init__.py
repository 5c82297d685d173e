"""STEP 3, the half with torch: each recipe is one file, read from top to bottom."""
