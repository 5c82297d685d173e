"""A JSON file of tasks -> items that are checked and ready to run. What is wrong is said in one sentence."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tuner_tui.data.examples import Call
from tuner_tui.errors import UserError
from tuner_tui.evaluation.suites.environments import ENVIRONMENTS
from tuner_tui.evaluation.suites.environments.base import Environment, State
from tuner_tui.evaluation.suites.environments.declared import declared_environment
from tuner_tui.evaluation.tasks import Item

_ALWAYS = 1_000_000
"""A failure without `times` never ends."""
_TASK_FIELDS = {
    *("id", "state", "request", "calls", "answer", "turns", "end", "says", "failures", "max_steps", "note")
}


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that the user says: `facts` are wordings, one of each of which the answer must have; `state`
    is that after the gold calls."""

    text: str
    steps: Sequence[Sequence[Call]]
    facts: Sequence[Sequence[str]]
    state: State

    @property
    def needs_calls(self) -> bool:
        """Whether the gold run calls anything here."""
        return bool(self.steps)


@dataclass(frozen=True, slots=True)
class Failure:
    """The first `times` sound calls of a tool are answered with this error and change nothing."""

    tool: str
    times: int
    error: str


@dataclass(frozen=True, slots=True)
class CompletionItem:
    """One task: what the engine sees of it (`item`), and what it takes to run and to judge it.

    `end` is what must lie at JSON Pointers in the end, `says` which words.
    """

    item: Item
    environment: Environment
    state: State
    requests: Sequence[Request]
    failures: Sequence[Failure]
    end: Mapping[str, Any]
    says: Mapping[str, Sequence[str]]
    max_steps: int


def read_tasks(path: Path, first_row: int = 1) -> list[CompletionItem]:
    """All tasks of a file.

    Raises:
        UserError: it cannot be read, or a task of it is not sound; the sentence names file, task and field.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is no JSON ({error}).") from None
    return _File(path, document).items(first_row)


class _File:
    """The reader of one file; every complaint names it."""

    def __init__(self, path: Path, document: Any) -> None:
        self._path = path
        self._task = ""
        if not isinstance(document, dict):
            self._fail("the file", 'must be an object with "environment", "states" and "tasks"')
        self._document = document
        named = document.get("environment")
        if isinstance(named, str):
            if named not in ENVIRONMENTS:
                known = ", ".join(ENVIRONMENTS)
                self._fail("environment", f'"{named}" is not known; take one of {known}, or describe one')
            self._environment = ENVIRONMENTS[named]
        else:
            try:
                self._environment = declared_environment(named)
            except ValueError as error:
                raise UserError(f"{path}: environment{error}.") from None
        self._states = self._object(document, "states")
        for name in self._states:
            self._object(self._states, name)

    def items(self, first_row: int) -> list[CompletionItem]:
        tasks = self._list(self._document, "tasks")
        if not tasks:
            self._fail("tasks", "must have a task at least")
        found: list[CompletionItem] = []
        for index, task in enumerate(tasks):
            self._task = f"task {index + 1}"
            if not isinstance(task, dict):
                self._fail("the task", "must be an object")
            self._task = f'task "{self._text(task, "id")}"'
            if any(task["id"] == other.item.id for other in found):
                self._fail("id", "is taken by another task")
            found.append(self._one(task, first_row + index))
        return found

    def _one(self, task: dict[str, Any], row: int) -> CompletionItem:
        for name in task.keys() - _TASK_FIELDS:
            self._fail(str(name), "is no field of a task; there are " + ", ".join(sorted(_TASK_FIELDS)))
        state = self._start(task)
        failures = [self._failure(each) for each in self._list(task, "failures", [])]
        turns = self._list(task, "turns") if "turns" in task else [task]
        if not turns:
            self._fail("turns", "must have a request at least")
        requests: list[Request] = []
        after = state
        for turn in turns:
            if not isinstance(turn, dict):
                self._fail("turns", "must be objects with a request each")
            requests.append(self._request(turn, after))
            after = requests[-1].state
        steps = sum(len(request.steps) + 1 for request in requests)
        retries = sum(min(each.times, 3) for each in failures)
        max_steps = task.get("max_steps", 2 * (steps + retries) + 2)
        if not isinstance(max_steps, int) or isinstance(max_steps, bool) or not 1 <= max_steps <= 100:
            self._fail("max_steps", "must be a whole number from 1 to 100")
        says = self._object(task, "says", {})
        for key in says:
            if not all(isinstance(word, str) and word for word in self._list(says, key)):
                self._fail(f"says.{key}", "must be a list of texts")
        environment = self._environment
        return CompletionItem(
            item=Item(
                id=task["id"],
                row=row,
                request=requests[0].text,
                messages=[
                    {"role": "system", "content": environment.instructions},
                    {"role": "user", "content": requests[0].text},
                ],
                tools=environment.declarations(),
                gold=[call for request in requests for step in request.steps for call in step],
                group=task["id"],
                category=environment.name,
            ),
            environment=environment,
            state=state,
            requests=requests,
            failures=failures,
            end=self._object(task, "end", {}),
            says=says,
            max_steps=max_steps,
        )

    def _start(self, task: dict[str, Any]) -> State:
        only = next(iter(self._states)) if len(self._states) == 1 else None
        name = task.get("state", only)
        if not isinstance(name, str) or name not in self._states:
            self._fail("state", "must name one of the states: " + ", ".join(map(str, self._states)))
        state: State = self._states[name]
        return state

    def _request(self, turn: dict[str, Any], state: State) -> Request:
        steps = []
        for step in self._list(turn, "calls"):
            if not isinstance(step, list) or not step:
                self._fail("calls", "must be a list of steps, each a list of the calls that are made at once")
            steps.append([self._call(each) for each in step])
        for call in (call for step in steps for call in step):
            served = self._environment.serve(state, call)
            if served.kind != "done":
                self._fail("calls", f"{call.name} does not work there: {served.result['error']}")
            state = served.state
        facts = [[each] if isinstance(each, str) else each for each in self._list(turn, "answer", [])]
        for fact in facts:
            if not isinstance(fact, list) or not fact or not all(isinstance(w, str) and w for w in fact):
                self._fail("answer", "must be a list of texts, or of lists of wordings that count the same")
        return Request(self._text(turn, "request"), steps, facts, state)

    def _call(self, call: Any) -> Call:
        if (
            not isinstance(call, dict)
            or not isinstance(call.get("name"), str)
            or not isinstance(call.get("arguments"), dict)
        ):
            self._fail("calls", 'each call must be an object with "name" and "arguments"')
        return Call(call["name"], call["arguments"])

    def _failure(self, failure: Any) -> Failure:
        if not isinstance(failure, dict) or failure.get("tool") not in self._environment.tools:
            self._fail("failures", '"tool" must name a tool of the environment')
        times = failure.get("times", 1)
        if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
            self._fail("failures", '"times" must be a whole number from 1, or null for always')
        return Failure(failure["tool"], times or _ALWAYS, self._text(failure, "error"))

    def _object(self, holder: Mapping[str, Any], name: str, default: Any = None) -> dict[str, Any]:
        value = holder.get(name, default)
        if not isinstance(value, dict):
            self._fail(name, "must be an object")
        return value

    def _list(self, holder: Mapping[str, Any], name: str, default: Any = None) -> list[Any]:
        value = holder.get(name, default)
        if not isinstance(value, list):
            self._fail(name, "must be a list" if name in holder else "is missing; it must be a list")
        return value

    def _text(self, holder: Mapping[str, Any], name: str) -> str:
        value = holder.get(name)
        if not isinstance(value, str) or not value.strip():
            self._fail(name, "must be a text that is not empty")
        return value

    def _fail(self, field: str, words: str) -> NoReturn:
        place = f"{self._task}, {field}" if self._task else field
        raise UserError(f"{self._path}: {place}: {words.rstrip('.')}.")
