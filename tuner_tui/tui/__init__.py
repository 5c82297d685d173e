"""The window: it reads files and draws."""
