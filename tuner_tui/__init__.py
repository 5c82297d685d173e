"""tuner_tui: from failing tool calls to a measured answer, in the terminal."""

__version__ = "0.1.0"
