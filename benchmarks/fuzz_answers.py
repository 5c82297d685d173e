"""Hostile answers through every parser and every judge: nothing raises, nothing is run, nothing hangs.

    python benchmarks/fuzz_answers.py [--cases 100000] [--seed 0] [--deadline 2]

Right answers to BFCL's items in four forms are mutated (cut, repeated, nested, filled with code, megabytes,
broken Unicode), and others are made of pieces at random. Each goes through `parse_answer` in every form, the
reader of BFCL's prompting mode, the judge of held-out rows, the official single-turn checkers, APIBench, and
every 20th through the multi-turn services. A case fails when anything raises, takes longer than the deadline,
cannot be stored as JSON, or when code in its text makes the canary file. A case is repeated by `--seed S
--first N --cases 1`.
"""

import sys

del sys.path[0]  # this folder's inspect.py would hide the standard library's

import argparse
import json
import random
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import orjson

from tuner_tui.data.answers.forms import Form
from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.data.answers.scoring import judge
from tuner_tui.data.examples import Call
from tuner_tui.evaluation.suites.apibench import names_api
from tuner_tui.evaluation.suites.bfcl.decoding import decode, reads
from tuner_tui.evaluation.suites.bfcl.multi_turn import BfclMultiTurnTask
from tuner_tui.evaluation.suites.bfcl.single import BfclTask
from tuner_tui.evaluation.suites.bfcl.verdicts import storable
from tuner_tui.evaluation.tasks import Answer, Item

PIECES = (
    *(
        "<tool_call>",
        "</tool_call>",
        "[TOOL_CALLS]",
        "[ARGS]",
        "[CALL_ID]",
        "<|python_tag|>",
        "```",
        "```json\n",
    ),
    *("{", "}", "[", "]", "(", ")", ":", ",", ";", '"', "'", "\\", "\n", "=", ".", "-", "**", "lambda: "),
    *('"name"', '"arguments"', '"parameters"', "name", "f", "f(", "None", "true", "NaN", "1e999", "9" * 400),
    *("\x00", "\x1b[2J", "\u202e", "\ud800", "\udfff", "￿", "𝕬", "é" * 50, " ", "\t", "\\u0000", "\\ud800"),
    *("new Array(", "new HashMap<", "put(", "Arrays.asList(", "[[", "{a:", "api_call", "torch.hub.load("),
)
CODE = (
    "__import__('os').system('touch {canary}')",
    "open('{canary}', 'w').write('x')",
    "exec(\"open('{canary}','w')\")",
    "[c for c in ().__class__.__base__.__subclasses__()]",
    "os.system('touch {canary}')",
    "$(touch {canary})",
    "{{ cycler.__init__.__globals__.os.popen('touch {canary}').read() }}",
    "!!python/object/apply:os.system ['touch {canary}']",
)
LARGE = 1_000_000


def written(calls: list[Call], draw: random.Random) -> str:
    """Calls as one of four families writes them."""
    form = draw.choice(list(Form))
    objects = [{"name": call.name, "arguments": call.arguments} for call in calls]
    if form is Form.TAGGED:
        return "\n".join(f"<tool_call>\n{json.dumps(each)}\n</tool_call>" for each in objects)
    if form is Form.LLAMA:
        return "; ".join(
            json.dumps({"name": each["name"], "parameters": each["arguments"]}) for each in objects
        )
    if form is Form.MISTRAL:
        return "[TOOL_CALLS]" + json.dumps(objects)
    inside = (
        f"{call.name}({', '.join(f'{key}={value!r}' for key, value in call.arguments.items())})"
        for call in calls
    )
    return f"[{', '.join(inside)}]"


def mutated(text: str, draw: random.Random, canary: Path) -> str:
    """A text with one to six things done to it."""
    code = [each.replace("{canary}", str(canary)) for each in CODE]
    for _ in range(draw.randint(1, 6)):
        place = draw.randint(0, len(text))
        end = min(len(text), place + draw.randint(1, 60))
        way = draw.randrange(9)
        if way == 0:
            text = text[:place]
        elif way == 1:
            text = text[:place] + text[end:]
        elif way == 2:
            text = text[:place] + draw.choice(PIECES) + text[place:]
        elif way == 3:
            text = text[:end] + text[place:]
        elif way == 4:
            text = text[:place] + draw.choice(code) + text[end:]
        elif way == 5:
            text = text[:place] + draw.choice(PIECES) * draw.choice([3, 30, 3000]) + text[place:]
        elif way == 6:
            text = text.replace(draw.choice(['"', "1", "arguments", "a", "{"]), draw.choice([*PIECES, *code]))
        elif way == 7:
            text = (
                "".join(
                    chr(draw.choice([0, 0x7F, 0xD800, 0x10FFFF, draw.randrange(0xD800)])) for _ in range(9)
                )
                + text
            )
        else:
            text = text[:place] + draw.choice(code) + text[place:]
        text = text[: 3 * LARGE]
    return text


def soup(draw: random.Random) -> str:
    """Pieces at random."""
    return "".join(draw.choice(PIECES) for _ in range(draw.choice([3, 12, 60, 300])))


def large(call: Call, draw: random.Random, canary: Path) -> str:
    """A call with a megabyte in it, or a depth of thousands."""
    way = draw.randrange(5)
    name, code = call.name, CODE[0].replace("{canary}", str(canary))
    if way == 0:
        return written([Call(name, dict.fromkeys(call.arguments or ["a"], "x" * LARGE))], draw)
    if way == 1:
        depth = draw.choice([63, 64, 65, 900, 5000])
        return (
            f'<tool_call>{{"name": "{name}", "arguments": {{"a": {"[" * depth}{"]" * depth}}}}}</tool_call>'
        )
    if way == 2:
        return f"[{name}(a={'(' * 3000}{code}{')' * 3000})]"
    if way == 3:
        return draw.choice(PIECES) * (LARGE // 8)
    return f"[{name}(a={'-' * 3000}1), " * 50 + "]"


def judged(single: BfclTask, item: Item, text: str) -> bool:
    """Every parser and every judge of one answer; whether any found it right."""
    right = names_api(text, "torch.hub.load(repo_or_dir='a/b', model='c', pretrained=True)")
    for form in Form:
        answer = parse_answer(text, form)
        stored = [call.arguments for call in answer.calls]
        json.dumps(stored, ensure_ascii=False, allow_nan=False).encode()
        verdict = judge(item.gold, answer, item.tools)
        exchange = single.begin(item)
        exchange.answered(Answer(text, answer, 1, 0.0))
        outcome = exchange.outcome()
        if not outcome.right and outcome.error not in single.error_types:
            raise ValueError(f"no such error type: {outcome.error}")
        right = right or verdict.right or (outcome.right and bool(item.gold))
    if reads(item.category):
        listed = decode(text, item.category)
        single.check(item, listed)
        orjson.dumps([storable(call.arguments) for call in listed.calls])
    return right


def multi_turn(task: BfclMultiTurnTask, place: int, text: str, form: Form) -> None:
    """One hostile answer to a multi-turn item, and its end."""
    exchange = task.begin(task.items[place % len(task.items)])
    answer = parse_answer(text, form)
    tools = [tool["function"]["name"] for tool in task.items[place % len(task.items)].tools]
    renamed = [Call(tools[(place + n) % len(tools)], call.arguments) for n, call in enumerate(answer.calls)]
    for calls in (answer.calls, renamed, []):
        if exchange.question() is None:
            break
        exchange.answered(
            Answer(text, type(answer)(answer.content, calls, answer.strict, answer.error), 1, 0.0)
        )
    json.dumps(exchange.outcome().numbers)


def case(item: Item, draw: random.Random, canary: Path) -> str:
    """One hostile text."""
    gold = list(item.gold) or [Call("f", {"a": 1})]
    kind = draw.random()
    if kind < 0.01:
        return large(draw.choice(gold), draw, canary)
    return soup(draw) if kind < 0.25 else mutated(written(gold, draw), draw, canary)


def run(cases: range, seed: int, deadline: float, single: BfclTask, multi: BfclMultiTurnTask) -> Counter[str]:
    """Go through the cases; what failed is counted as "raised", "too slow" or "run", and shown on stderr."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary"
        for number in cases:
            draw = random.Random(f"{seed} {number}")
            item = single.items[draw.randrange(len(single.items))]
            text = case(item, draw, canary)
            started = time.monotonic()
            try:
                counts["right"] += judged(single, item, text)
                if number % 20 == 0:
                    counts["multi-turn"] += 1
                    multi_turn(multi, number // 20, text, draw.choice(list(Form)))
            except Exception:
                counts["raised"] += 1
                print(f"case {number}: {text[:200]!r}", file=sys.stderr)
                traceback.print_exc()
            took = time.monotonic() - started
            counts["slowest, milliseconds"] = max(counts["slowest, milliseconds"], int(1000 * took))
            if took > deadline:
                counts["too slow"] += 1
                print(
                    f"case {number}: {took:.1f} s, {len(text):,} characters: {text[:200]!r}", file=sys.stderr
                )
            if canary.exists():
                counts["run"] += 1
                canary.unlink()
                print(f"case {number} was run: {text[:200]!r}", file=sys.stderr)
    return counts


def main() -> int:
    """Run the cases; 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--deadline", type=float, default=5.0, help="seconds for one case")
    args = parser.parse_args()
    cases = range(args.first, args.first + args.cases)
    began = time.monotonic()
    counts = run(cases, args.seed, args.deadline, BfclTask(), BfclMultiTurnTask())
    print(f"{args.cases:,} texts, seed {args.seed}, in {time.monotonic() - began:.0f} s")
    print(f"raised {counts['raised']}, run {counts['run']}, over {args.deadline:g} s {counts['too slow']}")
    print(
        f"slowest {counts['slowest, milliseconds'] / 1000:.2f} s; {counts['multi-turn']:,} in multi-turn too"
    )
    print(f"right all the same {counts['right']:,}")
    return 1 if counts["raised"] + counts["run"] + counts["too slow"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
