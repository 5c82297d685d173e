"""STEP 5: run directory -> terminal, Markdown, JSON; reads files only."""
