"""An answer of a model: its text → the calls in it; the calls beside the right ones → a verdict."""
