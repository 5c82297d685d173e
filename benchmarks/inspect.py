"""What an inspection costs, against a bare pass over the same file and against `datasets`.

    python benchmarks/inspect.py [--rows 600000] [--repeat 2] [--load-rows N] [--file FILE]

It generates a file of OpenAI's layout (about 2 kB a row, arguments as JSON text, 1,200 tools of which each
row offers any two or three, defects of known number), then measures, each in a process of its own: a bare
typed msgspec pass that leaves the tools' schemas raw, a bare orjson pass, the inspection with every rule but
tokenisation and near duplicates in one and in two processes, the same with tokenisation (of about 20,000
rows, with the embedded model), how long a cancelled inspection goes on, `datasets.load_dataset("json")` with
an empty cache (on the first `--load-rows` rows, scaled to all; the default is all), and the first and the
last row by number. It prints a Markdown table, and fails when the findings are not the known ones. Processor
time is told beside the time that went by: on a machine that has something else to do, its ratios are right.
"""

import sys

del sys.path[0]  # this folder's inspect.py would hide the standard library's

import argparse
import json
import os
import random
import resource
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

SEED = 1
TOOLS = 1200
EVERY = 100
"""One row in so many has a defect, each kind in its turn."""
WORDS = """
    order ticket weather invoice customer route meeting device sensor report account balance delivery hotel
    flight garden museum recipe battery camera engine window market station bridge harbour library theatre
    please find check update cancel book compare show tell whether before after between during tomorrow
    morning evening nearest cheapest latest second third large small green silver northern quiet busy open
""".split()  # noqa: SIM905 - a list of sixty strings is harder to read
FOREIGN = ("Größe", "café", "Zürich", "naïve", "año", "señor", "Łódź", "été")
TYPES = ("string", "integer", "number", "boolean", "enum", "array", "object")
Row = dict[str, Any]


def cut_json(row: Row, chance: random.Random) -> str:
    return json.dumps(row)[:-40]


def undeclared(row: Row, chance: random.Random) -> None:
    _call(row)["name"] = "no_such_tool"


def missing(row: Row, chance: random.Random) -> None:
    arguments = json.loads(_call(row)["arguments"])
    del arguments[next(name for name in arguments if name.endswith("_0"))]
    _call(row)["arguments"] = json.dumps(arguments)


def wrong_type(row: Row, chance: random.Random) -> None:
    arguments = json.loads(_call(row)["arguments"])
    arguments[next(name for name in arguments if name.endswith("_0"))] = 7
    _call(row)["arguments"] = json.dumps(arguments)


def unknown(row: Row, chance: random.Random) -> None:
    _call(row)["arguments"] = json.dumps({**json.loads(_call(row)["arguments"]), "surplus": 1})


def unparseable(row: Row, chance: random.Random) -> None:
    _call(row)["arguments"] = _call(row)["arguments"][:-3]


def empty_turn(row: Row, chance: random.Random) -> None:
    row["messages"][-1]["content"] = " "


def role_order(row: Row, chance: random.Random) -> None:
    row["messages"].insert(len(row["messages"]) - 1, {"role": "user", "content": "Well?"})


def control(row: Row, chance: random.Random) -> None:
    row["messages"][-1]["content"] += "\x1b[31m"


def secret(row: Row, chance: random.Random) -> None:
    letters = "abcdefghkmnpqrstuvwyz23456789ABCDEFGHKMNPQRSTUVWYZ"
    row["messages"][-1]["content"] += f" The key is sk-proj-7K9w{''.join(chance.choices(letters, k=28))}."


def personal(row: Row, chance: random.Random) -> None:
    row["messages"][-1]["content"] += f" Write to anna.meier{chance.randrange(100, 999)}@gmail.com."


def copy(row: Row, chance: random.Random) -> Row:
    """The same to a model: the keys in another order, the arguments in another layout, other ids."""
    again: Row = json.loads(json.dumps({"tools": row["tools"], "messages": row["messages"]}))
    for message in again["messages"]:
        for call in message.get("tool_calls", ()):
            call["id"] = f"{call['id']}_again"
            call["function"]["arguments"] = json.dumps(json.loads(call["function"]["arguments"]), indent=1)
        if "tool_call_id" in message:
            message["tool_call_id"] += "_again"
    return again


DEFECTS: dict[str, Callable[[Row, random.Random], Row | str | None]] = {
    "not_json": cut_json,
    "undeclared_tool": undeclared,
    "missing_argument": missing,
    "wrong_type": wrong_type,
    "unknown_argument": unknown,
    "unparseable_arguments": unparseable,
    "empty_turn": empty_turn,
    "role_order": role_order,
    "control_characters": control,
    "secret": secret,
    "personal_data": personal,
    "duplicate_row": copy,
}
"""By the rule that finds it; each changes a row, or gives the text or the row that takes its place."""


def _call(row: Row) -> dict[str, Any]:
    function: dict[str, Any] = next(m for m in row["messages"] if m.get("tool_calls"))["tool_calls"][0][
        "function"
    ]
    return function


class Generator:
    """Makes rows; the same for the same seed."""

    def __init__(self) -> None:
        self.chance = random.Random(SEED)
        self.tools = [self._tool(number) for number in range(TOOLS)]
        self.defects: Counter[str] = Counter()
        self._last: Row | None = None  # a sound row with a call, for copies

    def write(self, path: Path, rows: int) -> None:
        """Write the file; `defects` counts what was put into it."""
        kinds = list(DEFECTS)
        with path.open("w", encoding="utf-8") as file:
            for number in range(rows):
                defect = kinds[number // EVERY % len(kinds)] if number % EVERY == EVERY - 1 else None
                file.write(self._line(defect) + "\n")

    def _line(self, defect: str | None) -> str:
        row = self._row(calling=defect is not None)
        if defect is None:
            self._last = row if len(row["messages"]) > 3 else self._last
            return json.dumps(row, ensure_ascii=self.chance.random() < 0.5)
        self.defects[defect] += 1
        changed = DEFECTS[defect](self._last or row if defect == "duplicate_row" else row, self.chance)
        return changed if isinstance(changed, str) else json.dumps(changed or row)

    def _words(self, low: int, high: int) -> str:
        return " ".join(self.chance.choices(WORDS, k=self.chance.randint(low, high)))

    def _tool(self, number: int) -> Row:
        chance = self.chance
        properties: dict[str, Any] = {}
        required = []
        for place in range(chance.randint(2, 4)):
            kind = chance.choice(TYPES) if place else "string"
            name = f"{chance.choice(WORDS)}_{place}"
            schema: dict[str, Any] = {"type": kind, "description": self._words(3, 6)}
            if kind == "enum":
                schema = {"type": "string", "description": self._words(3, 6), "enum": chance.sample(WORDS, 4)}
            elif kind == "array":
                schema["items"] = {"type": "string"}
            elif kind == "object":
                schema["properties"] = {"name": {"type": "string"}, "count": {"type": "integer"}}
                schema["required"] = ["name"]
            properties[name] = schema
            if place == 0 or chance.random() < 0.5:
                required.append(name)
        function = {
            "name": f"{chance.choice(WORDS)}_{chance.choice(WORDS)}_{number}",
            "description": f"{self._words(6, 12).capitalize()}.",
            "parameters": {"type": "object", "properties": properties, "required": required},
        }
        return {"type": "function", "function": function}

    def _value(self, schema: Row) -> Any:
        chance, kind = self.chance, schema["type"]
        if "enum" in schema:
            return chance.choice(schema["enum"])
        if kind == "array":
            return chance.choices(WORDS, k=chance.randint(1, 3))
        if kind == "object":
            return {"name": chance.choice(WORDS)} | ({"count": 3} if chance.random() < 0.5 else {})
        simple = {"integer": chance.randint(0, 5000), "number": round(chance.random() * 100, 2)}
        return simple.get(kind, chance.random() < 0.5 if kind == "boolean" else self._words(1, 4))

    def _calls(self, offered: list[Row]) -> list[Row]:
        made = []
        for number in range(2 if self.chance.random() < 0.1 else 1):
            function = self.chance.choice(offered)["function"]
            schema = function["parameters"]
            arguments = {
                name: self._value(one)
                for name, one in schema["properties"].items()
                if name in schema["required"] or self.chance.random() < 0.4
            }
            made.append(
                {
                    "id": f"call_{self.chance.getrandbits(48):012x}_{number}",
                    "type": "function",
                    "function": {"name": function["name"], "arguments": json.dumps(arguments)},
                }
            )
        return made

    def _result(self, call: Row, failed: bool) -> Row:
        found: Row = {self.chance.choice(WORDS): self._words(1, 3), "count": self.chance.randint(0, 99)}
        content = {"error": f"no such {self.chance.choice(WORDS)}"} if failed else found
        return {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(content)}

    def _row(self, *, calling: bool) -> Row:
        chance = self.chance
        offered = chance.sample(self.tools, chance.randint(2, 3))
        asked = f"{self._words(8, 24).capitalize()}?"
        if chance.random() < 0.05:
            asked += f" {chance.choice(FOREIGN)}"
        messages: list[Row] = [{"role": "user", "content": asked}]
        if chance.random() < 0.5:
            system = "You are a helpful assistant with access to tools."
            messages.insert(0, {"role": "system", "content": system})
        way = chance.random()
        steps = 1 if calling or way < 0.55 else 2 if way < 0.8 else 0
        failed = steps == 2 and chance.random() < 0.3
        for step in range(steps):
            calls = self._calls(offered)
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            messages += [self._result(call, failed and step == 0) for call in calls]
        messages.append({"role": "assistant", "content": f"{self._words(8, 20).capitalize()}."})
        return {"messages": messages, "tools": offered}


# -- what is measured, each in a process of its own -------------------------------------------------------


def bare(path: Path) -> Row:
    """Typed structs, with the schemas of tools left raw."""
    import msgspec

    class Function(msgspec.Struct):
        name: str
        arguments: str

    class Call(msgspec.Struct):
        function: Function
        id: str | None = None
        type: str = "function"

    class Message(msgspec.Struct):
        role: str
        content: str | None = None
        tool_calls: list[Call] | None = None
        tool_call_id: str | None = None
        name: str | None = None

    class Declaration(msgspec.Struct):
        name: str
        description: str = ""
        parameters: msgspec.Raw = msgspec.Raw()

    class Tool(msgspec.Struct):
        function: Declaration
        type: str = "function"

    globals().update(locals())  # where msgspec looks for the names in annotations

    class Whole(msgspec.Struct):
        messages: list[Message]
        tools: list[Tool] = []

    return _pass(path, msgspec.json.Decoder(Whole).decode)


def orjson_pass(path: Path) -> Row:
    import orjson

    return _pass(path, orjson.loads)


class Clock:
    """Time, and processor time of this process and those that it has waited for, since it was made."""

    def __init__(self) -> None:
        self._time, self._processor = time.perf_counter(), self._used()

    def told(self) -> Row:
        return {"seconds": time.perf_counter() - self._time, "cpu": self._used() - self._processor}

    @staticmethod
    def _used() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)


def _pass(path: Path, decode: Callable[[bytes], Any]) -> Row:
    clock = Clock()
    bad = 0
    with path.open("rb") as file:
        for line in file:
            try:
                decode(line)
            except ValueError:
                bad += 1
    return clock.told() | {"bad": bad}


def inspection(path: Path, workers: int, *, tokens: bool = False) -> Row:
    from tuner_tui.data.inspection import inspect_file
    from tuner_tui.paths import embedded_model

    model = embedded_model() if tokens else None
    clock = Clock()
    found = inspect_file(path, workers=workers, near=False, model=model)
    told = clock.told()
    return told | {"rows": found.rows, "counts": found.counts, "measured": len(found.lengths)}


def cancel(path: Path, workers: int) -> Row:
    """Seconds from the wish to stop to the return."""
    from tuner_tui.data.inspection import inspect_file

    wish = threading.Event()
    wished = []
    timer = threading.Timer(1.5, lambda: (wished.append(time.perf_counter()), wish.set()))
    timer.start()
    inspect_file(path, workers=workers, near=False, cancelled=wish.is_set)
    ended = time.perf_counter()
    timer.cancel()
    return {"seconds": ended - wished[0] if wished else None}


def row_file(path: Path) -> Row:
    from tuner_tui.data.readers import RowFile

    clock = Clock()
    with RowFile(path, wait=False) as rows:
        first = [rows[index] for index in range(min(40, len(rows)))]
        seen = clock.told()["seconds"]
        rows.build()
        last = rows[len(rows) - 1]
        told = clock.told()
    return told | {"first": seen, "rows": last.number, "shown": len(first)}


def load(path: Path) -> Row:
    with tempfile.TemporaryDirectory() as cache:
        os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": cache, "HF_DATASETS_CACHE": cache}
        import datasets

        datasets.disable_progress_bars()
        clock = Clock()
        loaded = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=cache)
        return clock.told() | {"rows": len(loaded)}


MEASURES: dict[str, Callable[[Path], Row]] = {
    "bare typed msgspec pass (schemas raw)": bare,
    "bare orjson pass": orjson_pass,
    "inspection, 1 process": lambda path: inspection(path, 1),
    "inspection, 2 processes": lambda path: inspection(path, 2),
    "inspection with tokens, 2 processes": lambda path: inspection(path, 2, tokens=True),
    "cancelled, 1 process": lambda path: cancel(path, 1),
    "cancelled, 2 processes": lambda path: cancel(path, 2),
    "all rows by number": row_file,
    "load_dataset, cold": load,
}


KEYS = ("seconds", "cpu")


def measure(name: str, path: Path) -> Row:
    """Run one measure in a process of its own; adds the peak memory of it and of its largest child in MiB."""
    command = [sys.executable, __file__, "--measure", name, "--file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr}")
    result: Row = json.loads(done.stdout.splitlines()[-1])
    return result


def _measured(name: str, path: Path) -> None:
    result = MEASURES[name](path)
    for key, who in (("memory", resource.RUSAGE_SELF), ("children", resource.RUSAGE_CHILDREN)):
        result[key] = resource.getrusage(who).ru_maxrss / 1024
    print(json.dumps(result))


def main() -> int:
    """Generate, measure, print; 1 when a known defect was not found, or something else was."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--repeat", type=int, default=2, help="runs of the fast measures; the best counts")
    parser.add_argument(
        "--load-rows", type=int, help="load_dataset reads the first N rows only; 0: leave it out"
    )
    parser.add_argument("--file", type=Path, help="keep the generated file here (used again if it is there)")
    parser.add_argument("--measure", choices=MEASURES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        _measured(args.measure, args.file)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = args.file or Path(folder) / "rows.jsonl"
        generator = Generator()
        if not path.exists():
            generator.write(path, args.rows)
            Path(f"{path}.defects.json").write_text(json.dumps(generator.defects))
        defects = json.loads(Path(f"{path}.defects.json").read_text())
        return _report(path, args, defects, Path(folder))


def _report(path: Path, args: argparse.Namespace, defects: dict[str, int], folder: Path) -> int:
    size = path.stat().st_size
    names = list(MEASURES)
    best: dict[str, Row] = {}
    for _ in range(args.repeat):  # in turns, so that what else the machine does falls on all of them
        for name in names[:4]:
            result = measure(name, path)
            before = best.get(name, result)
            best[name] = result | {key: min(result[key], before[key]) for key in KEYS}
    for name in names[4:-1]:
        best[name] = measure(name, path)
    rows = best[names[2]]["rows"]
    scaled = ""
    if args.load_rows != 0:
        part = path
        if args.load_rows and args.load_rows < rows:
            part = folder / "part.jsonl"
            with path.open("rb") as source, part.open("wb") as target:
                # Lines that are no JSON would stop it.
                target.writelines(
                    line for line, _ in zip(source, range(args.load_rows), strict=False) if _sound(line)
                )
            scaled = f", scaled from {args.load_rows:,} rows"
        best[names[-1]] = measure(names[-1], part)
        for key in KEYS:
            best[names[-1]][key] *= size / part.stat().st_size
    _table(best, size, rows, scaled)
    expected = {
        **defects,
        **{rule: count for rule, count in best[names[2]]["counts"].items() if rule in FILE_RULES},
    }
    if best[names[2]]["counts"] == best[names[3]]["counts"] == expected:
        print(f"\nAll {sum(defects.values()):,} known defects were found, and nothing else.")
        return 0
    print(f"\nExpected {expected}, found {best[names[2]]['counts']} and {best[names[3]]['counts']}.")
    return 1


FILE_RULES = ("ends_in_call", "no_negatives", "no_error_recovery", "dominant_answer", "dominant_tool")


def _sound(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _table(best: dict[str, Row], size: int, rows: int, scaled: str) -> None:
    names = list(MEASURES)
    floor, cold = best[names[0]], best.get(names[-1])
    print(f"{rows:,} rows, {size / 1e6:,.0f} MB, {size / rows:,.0f} bytes a row\n")
    ratios = "x bare pass: by s, by CPU s | load_dataset / this: by s, by CPU s"
    print(f"| what | s | CPU s | rows/s | {ratios} | peak MiB: parent, worker |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, result in best.items():
        seconds = result["seconds"]
        if seconds is None:
            print(f"| {name} | it had ended before | | | | | |")
            continue
        memory = f"{result['memory']:.0f}" + (f", {result['children']:.0f}" if result["children"] else "")
        if name.startswith("cancelled"):
            print(f"| {name}: goes on for | {seconds:.3f} | | | | | {memory} |")
            continue
        note = scaled if name == names[-1] else ""
        note += f" ({result['measured']:,} rows measured)" if result.get("measured") else ""
        note += (
            f" (the first {result['shown']} after {result['first'] * 1000:.0f} ms)"
            if "first" in result
            else ""
        )
        against = (
            ", ".join(f"{cold[key] / result[key]:.1f}" for key in KEYS) if cold is not result and cold else ""
        )
        bare_passes = ", ".join(f"{result[key] / floor[key]:.2f}" for key in KEYS)
        cells = (
            f"{seconds:.2f}",
            f"{result['cpu']:.2f}",
            f"{rows / seconds:,.0f}",
            bare_passes,
            against,
            memory,
        )
        print(f"| {name}{note} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
