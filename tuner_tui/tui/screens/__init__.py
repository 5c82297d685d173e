"""One screen per step."""
