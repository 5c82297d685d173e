"""STEP 5: run directory -> terminal, Markdown, HTML, JSON; reads files only."""
