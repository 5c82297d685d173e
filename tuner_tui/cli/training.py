"""The verbs of STEP 3: `init`, `estimate`, `train`, `resume`."""

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.training.config import TrainConfig
    from tuner_tui.training.estimate import Estimate


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    init = subparsers.add_parser("init", help="a commented configuration on stdout")
    init.add_argument("preset", nargs="?", help="its name; without one, the presets are listed")
    add_json_flag(init)
    init.set_defaults(run=print_preset)

    guess = subparsers.add_parser("estimate", help="memory and time of a run, before it")
    _configuration(guess)
    guess.add_argument("--probe", action="store_true", help="measure a few real steps on the longest rows")
    guess.add_argument(
        "--fit",
        nargs="?",
        const="here",
        metavar="CARD",
        help="choose what is fastest on a GPU: GB of memory (24), or its name and GB (H100:80); without a "
        "value, the GPU of this machine",
    )
    add_json_flag(guess)
    guess.set_defaults(run=print_estimate)

    train = subparsers.add_parser("train", help="start a run and follow it; Ctrl-C leaves it alive")
    _configuration(train)
    train.add_argument("--detach", action="store_true", help="start it and return at once")
    train.add_argument("--gpus", type=int, metavar="N", help="GPUs, or processes, on each machine")
    train.add_argument("--nodes", type=int, metavar="N", help="machines; more than one needs --slurm")
    train.add_argument("--engine", choices=("ddp", "fsdp", "deepspeed"), help="how the GPUs share the work")
    train.add_argument(
        "--slurm",
        metavar="OPTIONS",
        help="as a job of Slurm: sbatch's options, such as partition=gpu,time=4:00:00",
    )
    train.add_argument(
        "--print-command", action="store_true", help="print the command that would run, and start nothing"
    )
    add_json_flag(train)
    train.set_defaults(run=start)

    again = subparsers.add_parser("resume", help="go on with an ended run from its newest checkpoint")
    again.add_argument("of", metavar="RUN", help='its id, the start of its id, or "last"')
    again.add_argument("--detach", action="store_true", help="start it and return at once")
    again.add_argument("--gpus", type=int, metavar="N", help="another number of GPUs than before")
    add_json_flag(again)
    again.set_defaults(run=resume)


def print_preset(args: argparse.Namespace) -> int:
    """`tuner init [PRESET]`."""
    from tuner_tui.training.chain_plan import plan_names, plan_summary, plan_text
    from tuner_tui.training.presets import load_preset, preset_names, preset_summary, preset_text

    if args.preset is None:
        summaries = {name: preset_summary(name) for name in preset_names()}
        plans = {name: plan_summary(name) for name in plan_names()}

        def listing(console: "Console") -> None:
            width = max(map(len, [*summaries, *plans]))
            for name, summary in summaries.items():
                console.print(f"{name:<{width}}  {summary}", markup=False, soft_wrap=True)
            console.print(
                "\n`tuner init NAME > config.yaml` writes one. Plans for `tuner chain`:\n", markup=False
            )
            for name, summary in plans.items():
                console.print(f"{name:<{width}}  {summary}", markup=False, soft_wrap=True)

        emit(args, {"presets": summaries, "plans": plans}, listing)
        return 0
    if args.preset in plan_names():
        text = plan_text(args.preset)
        emit(args, {"plan": text}, lambda console: console.out(text, end="", highlight=False))
        return 0
    text = preset_text(args.preset)
    emit(
        args,
        load_preset(args.preset).model_dump(mode="json"),
        lambda console: console.out(text, end="", highlight=False),
    )
    return 0


def print_estimate(args: argparse.Namespace) -> int:
    """`tuner estimate CONFIG [--fit [CARD]] [--probe]`."""
    from tuner_tui.training.estimate import estimate

    config = _load(args)
    data: dict[str, object] = {}
    lines: list[str] = []
    card = None
    if args.fit is not None:
        from tuner_tui.training.fit import card_named, fit

        card = card_named(args.fit)
        chosen = fit(config, card)
        config = chosen.config
        settings = [f"{name}={json.dumps(value)}" for name, value in chosen.changes.items()]
        data["fit"] = {"card": card.name, "set": settings, "reasons": chosen.reasons}
        lines.append(f"for {card.name}, {card.memory / 1e9:.0f} GB:")
        lines += [f"- {reason}" for reason in chosen.reasons]
        flags = " ".join(f"--set {shlex.quote(setting)}" for setting in settings)
        lines += [f"tuner train {args.config} {flags}" if flags else "nothing to change.", ""]
    found = estimate(config, card)
    data |= {
        "bytes": found.parts,
        "total_bytes": found.total,
        "reserved_bytes": found.reserved,
        "seconds": found.seconds,
        "notes": found.notes,
    }
    lines += [f"{name:<24}{size / 1e9:8.2f} GB" for name, size in found.parts.items() if size]
    lines.append(f"{'total':<24}{found.total / 1e9:8.2f} GB")
    if found.seconds:
        low, high = (value / 60 for value in found.seconds)
        lines.append(f"{'time':<24}{low:8.1f} to {high:.1f} minutes")
    lines += [f"- {note}" for note in found.notes]
    if args.probe:
        lines += _probe(args, config, found, data)

    def human(console: "Console") -> None:
        for line in lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    emit(args, data, human)
    return 0


def _probe(
    args: argparse.Namespace, config: "TrainConfig", guess: "Estimate", data: dict[str, object]
) -> list[str]:
    """Measure; the lines for a person, and the figures into `data`."""
    from dataclasses import asdict

    from tuner_tui.runs.layout import Status
    from tuner_tui.training.probe import probe

    said = ""

    def watch(status: Status) -> None:
        nonlocal said
        text = status.phase if not status.step else f"step {status.step} of {status.total}"
        if text != said and not args.json and sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[Kprobing: {text}")
        said = text

    measured = probe(config, watch=watch)
    if not args.json and sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    # Of a process on a CPU, all of its memory is measured, and so its libraries, too.
    estimated = guess.reserved if measured.reserved else guess.total
    data["probe"] = {**asdict(measured), "peak": measured.peak, "estimated": estimated}
    lines = [f"measured on {measured.device}, {measured.steps} steps on the longest rows:"]
    kind = "reserved by PyTorch" if measured.reserved else "of the process"
    lines.append(
        f"{'peak':<24}{measured.peak / 1e9:8.2f} GB {kind} (estimated {estimated / 1e9:.2f} GB, "
        f"{estimated / measured.peak - 1:+.0%})"
    )
    lines.append(f"{'a step':<24}{measured.seconds_per_step:8.2f} s")
    if measured.tokens_per_second:
        lines.append(f"{'speed':<24}{measured.tokens_per_second:8,.0f} tokens/s")
    lines.append(f"{'start to first step':<24}{measured.startup:8.1f} s")
    return lines


def start(args: argparse.Namespace) -> int:
    """`tuner train CONFIG`."""
    from tuner_tui.training import launchers
    from tuner_tui.training.launchers.local import absolute, launch

    for name in ("gpus", "nodes", "engine", "slurm"):
        if (value := getattr(args, name)) is not None:
            args.set.append(f"launch.{name}={json.dumps(value)}")
    config = _load(args)
    if args.print_command:
        words = launchers.command(absolute(config), Path("RUN_DIR"))
        text = shlex.join(words) + "\n"
        emit(args, {"command": words}, lambda console: console.out(text, end="", highlight=False))
        return 0
    return _attend(args, launch(config))


def resume(args: argparse.Namespace) -> int:
    """`tuner resume RUN`."""
    from tuner_tui.runs.store import find_run
    from tuner_tui.training.launchers import local

    run_dir = find_run(args.of)
    local.resume(run_dir, args.gpus)
    return _attend(args, run_dir)


def _attend(args: argparse.Namespace, run_dir: Path) -> int:
    """Follow a run that was just started, or say how to."""
    from tuner_tui.cli.follow import follow
    from tuner_tui.runs.store import summarize

    if args.detach:
        text = f"{run_dir.name} is started; `tuner watch {run_dir.name}` shows it.\n"
        data = {"run": run_dir.name, "path": str(run_dir)}
        emit(args, data, lambda console: console.out(text, end="", highlight=False))
        return 0
    if not args.json:
        sys.stdout.write(f"{run_dir.name}  (Ctrl-C leaves it running)\n")
    code = follow(run_dir, quiet=args.json)
    if args.json and code != 130:
        emit(args, summarize(run_dir).to_json(), lambda console: None)
    return code


def _configuration(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG", help="a YAML file; `tuner init` writes one")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.FIELD=VALUE",
        help="use this value instead of the file's; may be repeated",
    )


def _load(args: argparse.Namespace) -> "TrainConfig":
    from tuner_tui.training.config import load_config
    from tuner_tui.training.presets import preset_names

    if not args.config.exists() and str(args.config) in preset_names():
        name = str(args.config)
        raise UserError(f"there is no file {name}; `tuner init {name} > {name}.yaml` writes that preset.")
    return load_config(args.config, args.set)
