"""The fast path of training on one card."""
