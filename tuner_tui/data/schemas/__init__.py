"""Tools' parameters as JSON Schema: any spelling made valid, arguments checked against it."""
