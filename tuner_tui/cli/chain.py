"""`tuner chain`: several runs as one plan."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

_POLL_SECONDS = 0.3


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    verb = subparsers.add_parser(
        "chain",
        help="several runs as one plan, each beginning with what an earlier one has made",
        description="Start the runs of a plan (YAML; `tuner init chain-sft-dpo` prints one) one after the "
        "other, in a process of its own, and follow them; Ctrl-C leaves it alive. Without an argument: list "
        "the chains.",
    )
    what = verb.add_mutually_exclusive_group()
    what.add_argument("plan", nargs="?", type=Path, metavar="PLAN", help="a YAML file")
    what.add_argument("--watch", metavar="CHAIN", help='follow a chain: its id, the start of it, or "last"')
    what.add_argument(
        "--resume", metavar="CHAIN", help="go on with a chain that was stopped, failed or killed"
    )
    what.add_argument(
        "--stop", metavar="CHAIN", help="its present run writes a checkpoint and ends, and so it"
    )
    what.add_argument("--rm", metavar="CHAIN", help="forget a chain that is not live; its runs stay")
    verb.add_argument("--detach", action="store_true", help="start or resume it and return at once")
    add_json_flag(verb)
    verb.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """`tuner chain`. 1 when the chain failed."""
    from tuner_tui.training import chain as chains

    if args.stop:
        path = chains.find(args.stop)
        chains.stop(path)
        return _say(args, path, "requested", "stop", f"{path.name} will stop with a checkpoint.")
    if args.rm:
        path = chains.find(args.rm)
        chains.discard(path)
        return _say(args, path, "removed", path.name, f"{path.name} is forgotten; its runs are kept.")
    if args.watch:
        return _follow(args, chains.find(args.watch))
    if args.resume:
        path = chains.find(args.resume)
        chains.resume(path)
        return _attend(args, path)
    if args.plan:
        from tuner_tui.training.chain_plan import load_plan, plan_names

        if not args.plan.exists() and args.plan.stem in plan_names():
            name = args.plan.stem
            raise UserError(
                f"there is no file {args.plan}; `tuner init {name} > {name}.yaml` writes that plan."
            )
        plan, links = load_plan(args.plan)
        return _attend(args, chains.start(plan, links, args.plan.read_text("utf-8")))
    return _list(args)


def _attend(args: argparse.Namespace, path: Path) -> int:
    if args.detach:
        return _say(
            args,
            path,
            "path",
            str(path),
            f"{path.name} is started; `tuner chain --watch {path.name}` shows it.",
        )
    if not args.json:
        sys.stdout.write(f"{path.name}  (Ctrl-C leaves it running)\n")
    return _follow(args, path)


def _say(args: argparse.Namespace, path: Path, key: str, value: str, text: str) -> int:
    emit(
        args,
        {"chain": path.name, key: value},
        lambda console: console.print(text, markup=False, soft_wrap=True),
    )
    return 0


def _follow(args: argparse.Namespace, path: Path) -> int:
    """Show each run until it ends, then the whole."""
    from tuner_tui.runs.reader import read_status
    from tuner_tui.training import chain as chains

    try:
        _watch(path, quiet=args.json)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"\nThe chain goes on. `tuner chain --watch {path.name}` comes back to it, "
            f"`tuner chain --stop {path.name}` stops it with a checkpoint.\n"
        )
        return 130
    chain = chains.read(path).to_json()
    emit(args, chain, lambda console: _print(console, [chain]))
    return int(read_status(path).state in ("failed", "lost"))


def _watch(path: Path, *, quiet: bool) -> None:
    from tuner_tui.cli.follow import watch
    from tuner_tui.runs.reader import read_status
    from tuner_tui.training import chain as chains

    shown: set[str] = set()
    while True:
        status = read_status(path)
        for step in chains.read(path).steps:
            if step.run_dir is not None and step.run_dir.name not in shown:
                shown.add(step.run_dir.name)
                if not quiet:
                    sys.stdout.write(f"step {step.name} ({step.method}): {step.run_dir.name}\n")
                watch(step.run_dir, quiet=quiet)
        if not status.state.live:
            return
        time.sleep(_POLL_SECONDS)


def _list(args: argparse.Namespace) -> int:
    from tuner_tui.training.chain import all_chains

    found = [chain.to_json() for chain in all_chains()]

    def human(console: "Console") -> None:
        if not found:
            console.print(
                "No chains yet; `tuner init chain-sft-dpo > plan.yaml`, `tuner chain plan.yaml` start one.",
                markup=False,
            )
            return
        _print(console, found)

    emit(args, {"chains": found}, human)
    return 0


def _print(console: "Console", chains: list[dict[str, Any]]) -> None:
    for chain in chains:
        why = chain["reason"] or chain["phase"]
        _line(console, f"{chain['chain']}  {chain['state']}" + (f"  {why}" if why else ""))
        width = max(len(step["name"]) for step in chain["steps"])
        for step in chain["steps"]:
            done = f"  {step['step']}/{step['total']}" if step["total"] else ""
            run = f"  {step['run']}" if step["run"] else ""
            _line(console, f"  {step['name']:<{width}}  {step['method']:<6}  {step['state']:<8}{done}{run}")
        if chain["report"]:
            _line(console, f"  report: {chain['report']}")


def _line(console: "Console", text: str) -> None:
    from tuner_tui.visible import visible

    console.print(visible(text, one_line=True), markup=False, soft_wrap=True)
