"""For all tests: Triton's kernels run in its interpreter where there is no GPU to compile them for."""

import os
import shutil

# Triton reads it when it is first imported, by whichever library does so.
if shutil.which("nvidia-smi") is None:
    os.environ.setdefault("TRITON_INTERPRET", "1")
