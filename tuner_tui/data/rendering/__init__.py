"""A row as a model sees it: chat template, tokens, loss mask, and whether the template carries it."""
