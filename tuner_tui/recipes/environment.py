"""What PyTorch sees here, as one JSON object on stdout: `python -m tuner_tui.recipes.environment`.

A process of its own, because its imports take seconds and, on a broken installation, may take the process
with them; `tuner doctor` reads it.
"""

import sys
from typing import Any

import orjson


def describe() -> dict[str, Any]:
    """Versions, devices, the number type that `auto` means here, and whether 4-bit weights work."""
    import torch

    from tuner_tui.recipes.model import compute_dtype

    found: dict[str, Any] = {
        "torch": torch.__version__,
        "cuda_build": torch.version.cuda,
        "threads": torch.get_num_threads(),
        "gpus": [_gpu(number) for number in range(torch.cuda.device_count())],
        "dtype": str(compute_dtype("auto")).removeprefix("torch."),
    }
    if torch.version.cuda and not found["gpus"]:
        found["cuda_error"] = _cuda_error()
    for device in ["cpu", *(["cuda"] if found["gpus"] else [])]:
        found[f"nf4_{device}"] = _quantizes(device)
    return found


def _gpu(number: int) -> dict[str, Any]:
    import torch

    properties = torch.cuda.get_device_properties(number)
    free, total = torch.cuda.mem_get_info(number)
    return {
        "name": properties.name,
        "memory": total,
        "free": free,
        "capability": f"{properties.major}.{properties.minor}",
        "bfloat16": properties.major >= 8,
    }


def _cuda_error() -> str:
    import torch

    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return str(error).split("\n")[0]
    return "no device found"


def _quantizes(device: str) -> dict[str, Any]:
    """Quantise a small normal matrix to NF4 and back: the error is about 9 % of its size."""
    try:
        import bitsandbytes
        import torch

        weights = torch.randn(64, 256, device=device, generator=torch.Generator(device).manual_seed(0))
        packed, state = bitsandbytes.functional.quantize_4bit(
            weights, quant_type="nf4", compress_statistics=True
        )
        back = bitsandbytes.functional.dequantize_4bit(packed, state)
        error = ((back - weights).norm() / weights.norm()).item()
        return {
            "works": error < 0.15,
            "error": f"relative error {error:.3f}",
            "version": bitsandbytes.__version__,
        }
    except Exception as error:  # whatever a broken native library raises is the finding
        return {"works": False, "error": f"{type(error).__name__}: {str(error).splitlines()[0]}"}


def main() -> int:
    """Print the description; on a failure print `{"failure": ...}` and return 1."""
    try:
        found = describe()
    except Exception as error:  # the installation itself is what is being examined
        found = {"failure": f"{type(error).__name__}: {str(error) or 'no message'}"}
    sys.stdout.buffer.write(orjson.dumps(found) + b"\n")
    return int("failure" in found)


if __name__ == "__main__":
    sys.exit(main())
