"""Merge the adapter of a run into its base: `python -m tuner_tui.recipes.merge_run RUN_DIR ADAPTER`.

The last line of stdout is one JSON object: `{"folder": path}`, or `{"error": sentence}` and exit status 2.
"""

import json
import sys
from pathlib import Path

from tuner_tui.errors import UserError
from tuner_tui.runs import layout
from tuner_tui.training.config import load_config


def main(run_dir: Path, adapter: Path) -> int:
    """Merge, and say where the result lies."""
    from tuner_tui.recipes.merge import ensure, merge

    try:
        base = ensure(load_config(run_dir / layout.CONFIG))
        said = {"folder": str(merge(base, adapter))}
    except UserError as error:
        said = {"error": str(error)}
    sys.stdout.write(f"\n{json.dumps(said)}\n")
    return 0 if "folder" in said else 2


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
