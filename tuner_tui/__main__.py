"""`python -m tuner_tui` is `tuner`."""

import sys

from tuner_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
