"""`tuner doctor`: what works on this machine, what does not, and how to mend it."""

import importlib.metadata
import locale
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
import psutil
from packaging.requirements import Requirement

from tuner_tui import paths

State = Literal["ok", "warning", "missing", "error"]

_GIB = 2**30
_TORCH_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: `detail` says what was found, `mend` what to do ("" when nothing)."""

    name: str
    state: State
    detail: str
    mend: str = ""

    def to_json(self) -> dict[str, str]:
        """The object that `tuner doctor --json` lists."""
        return asdict(self)


def run_checks() -> list[Check]:
    """Every check, in the order in which things build on each other. Takes seconds: it starts PyTorch."""
    return [
        _python(),
        *_packages(),
        *_torch(),
        _memory(),
        _home(),
        _disk(),
        _model(),
        *_terminal(),
    ]


def _python() -> Check:
    found = f"{platform.python_version()} ({sys.executable}), {platform.platform()}"
    return Check("Python", "ok", found)


def _packages() -> Iterator[Check]:
    """Each required package against the bounds of pyproject.toml."""
    fine = []
    for requirement in _requirements():
        name = requirement.name
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Check(name, "missing", "not installed", f'python -m pip install "{requirement}"')
            continue
        if requirement.specifier.contains(version, prereleases=True):
            fine.append(f"{name} {version}")
        else:
            yield Check(
                name,
                "warning",
                f"{version} is outside of {requirement.specifier}, which was tested",
                f'python -m pip install "{requirement}"',
            )
    yield Check("Packages", "ok", ", ".join(fine))


def _requirements() -> list[Requirement]:
    """What the package needs: from its metadata, or from pyproject.toml in a checkout."""
    try:
        lines = importlib.metadata.requires("tuner-tui") or []
    except importlib.metadata.PackageNotFoundError:
        file = Path(__file__).parent.parent / "pyproject.toml"
        if not file.is_file():
            return []
        lines = tomllib.loads(file.read_text("utf-8"))["project"]["dependencies"]
    parsed = [Requirement(line) for line in lines]
    return [one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]


def _torch() -> Iterator[Check]:
    facts = _torch_facts()
    if "failure" in facts:
        yield Check(
            "PyTorch",
            "error",
            str(facts["failure"]),
            "python -m pip install --force-reinstall torch bitsandbytes, then `tuner doctor` again.",
        )
        return
    build = f"for CUDA {facts['cuda_build']}" if facts["cuda_build"] else "for CPU"
    yield Check("PyTorch", "ok", f"{facts['torch']}, {build}, {facts['threads']} threads")
    yield from _gpus(facts)
    yield Check("Number type", "ok", f"auto means {facts['dtype']} here")
    for device in ("cpu", "cuda"):
        result = facts.get(f"nf4_{device}")
        if result is None:
            continue
        name = f"4-bit weights ({'GPU' if device == 'cuda' else 'CPU'})"
        if result["works"]:
            yield Check(
                name, "ok", f"bitsandbytes {result['version']} quantises to NF4 and back, {result['error']}"
            )
        else:
            yield Check(
                name,
                "error",
                str(result["error"]),
                "python -m pip install --force-reinstall bitsandbytes; until then quantization.bits: null.",
            )


def _gpus(facts: dict[str, Any]) -> Iterator[Check]:
    driver = _nvidia_driver()
    for number, gpu in enumerate(facts["gpus"]):
        kind = "bfloat16" if gpu["bfloat16"] else "no bfloat16, so float32"
        yield Check(
            f"GPU {number}",
            "ok" if gpu["free"] > 0.5 * gpu["memory"] else "warning",
            f"{gpu['name']}, {gpu['memory'] / _GIB:.0f} GiB, {gpu['free'] / _GIB:.0f} free, compute "
            f"capability {gpu['capability']}, {kind}, driver {driver or 'unknown'}",
            "" if gpu["free"] > 0.5 * gpu["memory"] else "see with nvidia-smi what else uses it.",
        )
    if facts["gpus"]:
        return
    if driver and not facts["cuda_build"]:
        yield Check(
            "GPU",
            "error",
            f"an NVIDIA driver ({driver}) is here, but this PyTorch was built for the CPU",
            "python -m pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu130",
        )
    elif driver:
        yield Check(
            "GPU",
            "error",
            f"driver {driver} is here, but PyTorch cannot use it: {facts.get('cuda_error')}",
            "update the NVIDIA driver, or install a PyTorch built for an older CUDA.",
        )
    else:
        yield Check(
            "GPU",
            "warning",
            "none; the demo and models of up to some 500 million parameters train on the CPU",
            "a larger model needs an NVIDIA GPU: 24 GB for 7 to 9 billion parameters with QLoRA.",
        )


def _torch_facts() -> dict[str, Any]:
    argv = [sys.executable, "-m", "tuner_tui.recipes.environment"]
    try:
        result = subprocess.run(
            argv,
            capture_output=True,
            timeout=_TORCH_SECONDS,
            check=False,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        lines = result.stdout.splitlines()
        facts = orjson.loads(lines[-1]) if lines else {}
    except subprocess.TimeoutExpired:
        return {"failure": f"did not answer within {_TORCH_SECONDS} seconds"}
    except (OSError, orjson.JSONDecodeError) as error:
        return {"failure": str(error)}
    if not facts:
        last = (result.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
        return {"failure": f"its process ended with status {result.returncode}: {last}"}
    return dict(facts)


def _nvidia_driver() -> str | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    argv = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        result = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = result.stdout.split("\n")
    return lines[0].strip() or None if result.returncode == 0 else None


def _memory() -> Check:
    memory = psutil.virtual_memory()
    detail = f"{memory.total / _GIB:.1f} GiB, {memory.available / _GIB:.1f} available"
    if memory.available < 2 * _GIB:
        return Check("Memory", "warning", detail, "the demo needs about 2 GiB: close other programs.")
    return Check("Memory", "ok", detail)


def _home() -> Check:
    home = paths.home()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=home):
            pass
    except OSError as error:
        return Check(
            "Home", "error", f"{home}: {error.strerror}", "set TUNER_HOME to a folder that can be written."
        )
    if home.stat().st_mode & 0o077:
        return Check(
            "Home",
            "warning",
            f"{home} can be read by others",
            f"chmod 700 {home}, since runs hold your data.",
        )
    return Check("Home", "ok", f"{home}, writable")


def _disk() -> Check:
    place = paths.home()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    detail = f"{free / _GIB:.1f} GiB free for runs"
    if free < _GIB:
        return Check("Disk", "error", detail, "free some space, or set TUNER_HOME to another disk.")
    if free < 20 * _GIB:
        return Check(
            "Disk", "warning", detail, "enough for the demo; the download of an 8B model alone takes 16 GB."
        )
    return Check("Disk", "ok", detail)


def _model() -> Check:
    folder = paths.embedded_model()
    if (folder / "model.safetensors").is_file():
        return Check("Embedded model", "ok", str(folder))
    return Check("Embedded model", "error", f"not in {folder}", "install the package anew.")


def _terminal() -> Iterator[Check]:
    # The real one: the app, which shows these checks too, has put its own in the place of sys.stdout.
    if sys.__stdout__ is None or not sys.__stdout__.isatty():
        yield Check("Terminal", "warning", "the output is no terminal", "run it in one for the app.")
        return
    size = shutil.get_terminal_size()
    term, colors = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    detail = f"{size.columns} x {size.lines}, TERM={term}, COLORTERM={colors or 'not set'}"
    if term in ("", "dumb"):
        yield Check("Terminal", "error", detail, "set TERM, for instance to xterm-256color.")
    elif size.columns < 80 or size.lines < 24:
        yield Check("Terminal", "warning", detail, "make the window at least 80 columns by 24 lines.")
    elif colors not in ("truecolor", "24bit"):
        yield Check(
            "Terminal", "warning", detail, "256 colours; export COLORTERM=truecolor if it can show more."
        )
    else:
        yield Check("Terminal", "ok", detail)
    # The real stdout: inside the app, sys.stdout is a stand-in without an encoding.
    known = getattr(sys.__stdout__, "encoding", None) or locale.getpreferredencoding()
    encoding = known.lower().replace("-", "")
    if encoding == "utf8":
        yield Check("Unicode", "ok", "UTF-8: charts are drawn in Braille")
    else:
        yield Check("Unicode", "error", f"the encoding is {encoding}", "export LANG=C.UTF-8")
