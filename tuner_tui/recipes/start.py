"""How every recipe's process begins: `python -m tuner_tui.recipes.X RUN_DIR`. No torch here."""

import logging
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tuner_tui.recipes import ranks
from tuner_tui.recipes.session import Session, run_recipe
from tuner_tui.runs.layout import RunState

QUIET = {
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def start(recipe: Callable[[Session], RunState]) -> None:
    """Run the recipe in the run directory that the command line names, and end the process.

    The exit status is 0 unless the run failed.
    """
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tuner_tui.recipes.RECIPE RUN_DIR")
    os.umask(0o077)  # checkpoints and adapters, too, are the person's own
    os.environ.update(QUIET)
    # On some CPUs bitsandbytes says at its import that it cannot download a kernel, which nobody asked for.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    if shutil.which("nvidia-smi") is None:
        # Nothing is compiled on a CPU; without this, bitsandbytes imports the compiler: a second and more.
        os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    if "PYTORCH_CUDA_ALLOC_CONF" not in os.environ:
        # Rows differ in length: without it PyTorch was seen to reserve 52 GiB where it used 29.
        os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    if ranks.world() == 1:
        # One process trains on one GPU: the first that it may see. The Trainer refuses to share a model among
        # several.
        os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    status = run_recipe(Path(sys.argv[1]), recipe)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(status)
