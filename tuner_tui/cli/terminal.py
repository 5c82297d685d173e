"""Who reads what a verb prints."""

import os
import sys


def is_interactive() -> bool:
    """Whether a person sits at a terminal that can show the app."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
