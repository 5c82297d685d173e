"""One task under way: the model's calls are made in the environment, and their results go back."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.data.examples import Call
from tuner_tui.evaluation.suites.environments.base import Served, State, changed_paths
from tuner_tui.evaluation.suites.task_files import CompletionItem, Request
from tuner_tui.evaluation.tasks import Answer, Ask, Messages, Outcome, Weights

_CALLS_LIMIT = 16
"""Calls of one answer that are made; more are not, and count as invalid."""
_NAME_LIMIT = 80
"""Characters of a tool's name that are kept: no real one is as long."""
_TOO_MUCH = {"error": "The arguments are too large."}
_RESULT_LIMIT = 4_000
"""Characters of a result that a model is shown."""
_TEXT_LIMIT = 100_000
"""Characters of an answer that are kept and searched for facts."""

ERROR_TYPES = {
    "needless_call": "called a tool although none serves the request",
    "unparsable_call": "tried to call, in text that no parser can read",
    "no_call": "answered in words although nothing could be done without a call",
    "step_limit": "was not done after as many answers as the task allows",
    "harm": "changed what it should have left as it was",
    "not_done": "left out a change, or made it with wrong values",
    "guessed": "used an identifier, or gave a fact, that nothing had told it",
    "wrong_answer": "did not say in its answer what it was asked for",
}
"""Error type -> what the model did, in words. A task has one: the first that applies."""


class Trajectory:
    """The exchange of one task."""

    def __init__(self, item: CompletionItem) -> None:
        self._item = item
        self._state: State = item.state
        self._messages: Messages = [dict(each) for each in item.item.messages]
        self._seen = [each["content"] for each in self._messages]
        self._request = 0
        self._failing = Counter({each.tool: each.times for each in item.failures})
        self._met = self._guessed = self._unparsable = self._limit = False
        self._steps = self._calls = self._invalid = self._refused = 0
        self._wrong: set[str] = set()
        self._over = False
        self._last: Answer | None = None
        self._last_calls: Sequence[Call] = ()
        self._strict: bool | None = None

    def question(self) -> Ask | None:
        """The conversation so far, until the task is over."""
        return None if self._over else Ask(self._messages, self._item.item.tools)

    def answered(self, answer: Answer | Weights) -> None:
        """Make the calls of an answer, or take it as the end of this request. Raises nothing."""
        if not isinstance(answer, Answer) or self._over:
            return
        self._last = answer
        self._steps += 1
        parsed = answer.parsed
        if parsed.attempted:
            self._strict = parsed.strict and self._strict is not False
        if parsed.error is not None and not parsed.calls:
            self._invalid += 1
            self._unparsable = self._over = True
        elif parsed.calls:
            self._last_calls = parsed.calls
            self._invalid += int(parsed.error is not None)
            self._make(_storable(parsed.content), parsed.calls)
        else:
            said = _storable(answer.text)
            self._messages = [*self._messages, {"role": "assistant", "content": said}]
            self._end_request(said)
        if not self._over and self._steps >= self._item.max_steps:
            self._limit = self._over = True

    def _make(self, content: str, calls: Sequence[Call]) -> None:
        told = "\n".join(self._seen)
        sound = [_is_sound(call.arguments) for call in calls[:_CALLS_LIMIT]]
        made = [
            Call(call.name[:_NAME_LIMIT], call.arguments if fits else {})
            for call, fits in zip(calls, sound, strict=False)
        ]
        self._invalid += len(calls) - len(made)
        ids = [f"call{self._calls + index:05d}" for index in range(len(made))]
        spoken = [
            {"type": "function", "id": id, "function": {"name": call.name, "arguments": call.arguments}}
            for id, call in zip(ids, made, strict=True)
        ]
        self._messages = [*self._messages, {"role": "assistant", "content": content, "tool_calls": spoken}]
        for id, call, fits in zip(ids, made, sound, strict=True):
            served = self._serve(call) if fits else Served("invalid", _TOO_MUCH, self._state)
            self._calls += 1
            self._invalid += served.kind == "invalid"
            self._refused += served.kind == "refused"
            if served.kind == "done":
                self._guessed |= not self._was_told(call, told)
            self._state = served.state
            shown = json.dumps(served.result, ensure_ascii=False)[:_RESULT_LIMIT]
            self._messages.append({"role": "tool", "name": call.name, "tool_call_id": id, "content": shown})
            self._seen.append(shown)

    def _serve(self, call: Call) -> Served:
        served = self._item.environment.serve(self._state, call)
        if served.kind != "invalid" and self._failing[call.name] > 0:
            self._failing[call.name] -= 1
            self._met = True
            error = next(each.error for each in self._item.failures if each.tool == call.name)
            return Served("refused", {"error": error}, self._state)
        return served

    def _was_told(self, call: Call, told: str) -> bool:
        """Whether every identifier stood in a request or in a result before this answer."""
        given = [call.arguments.get(name, "") for name in self._item.environment.tools[call.name].ids]
        values = [str(each) for one in given for each in (one if isinstance(one, list) else [one])]
        return all(part in told for value in values for part in value.split("/"))

    def _end_request(self, text: str) -> None:
        request = self._item.requests[self._request]
        self._wrong |= self._judge_request(request, text)
        self._request += 1
        if self._request == len(self._item.requests):
            self._over = True
            return
        following = self._item.requests[self._request].text
        self._messages = [*self._messages, {"role": "user", "content": following}]
        self._seen.append(following)

    def _judge_request(self, request: Request, text: str) -> set[str]:
        """What is wrong when the model takes a request for done."""
        wrong = set()
        compare = self._item.environment.comparable
        if compare(self._state) != compare(request.state):
            wrong.add("not_done")
        if not all(any(says(text, wording) for wording in fact) for fact in request.facts):
            wrong.add("wrong_answer")
        told = "\n".join(self._seen)
        if request.needs_calls and not all(says(told, fact[0]) for fact in request.facts):
            wrong.add("guessed")
        return wrong

    def _harmed(self) -> bool:
        """Whether a thing changed that stays as it is in the gold run."""
        compare, depth = self._item.environment.comparable, self._item.environment.thing_depth
        start = compare(self._item.state)
        allowed, changed = (
            {path[:depth] for path in changed_paths(start, compare(state))}
            for state in (self._item.requests[-1].state, self._state)
        )
        return not changed <= allowed

    def _end_is_met(self) -> bool:
        return all(
            self._item.environment.comparable({key.rsplit("/", 1)[-1]: at(self._state, key)})
            == self._item.environment.comparable({key.rsplit("/", 1)[-1]: want})
            for key, want in self._item.end.items()
        ) and all(
            all(says(json.dumps(at(self._state, key), ensure_ascii=False), word) for word in words)
            for key, words in self._item.says.items()
        )

    def _words_were_told(self) -> bool:
        """Whether the words that had to be written stood in a request or a result."""
        told = "\n".join(self._seen)
        return all(says(told, word) for words in self._item.says.values() for word in words)

    def outcome(self) -> Outcome:
        """The verdict on the whole conversation."""
        needs_calls = any(request.needs_calls for request in self._item.requests)
        harmed = self._harmed()
        error = self._error(needs_calls, harmed)
        completed = error is None
        recovered = None if not self._item.failures or (completed and not self._met) else completed
        verdict: Mapping[str, bool | None] = {
            "completed": completed,
            "recovered": recovered,
            "valid_calls": self._invalid == 0 if self._calls or self._invalid else None,
            "no_harm": not harmed,
            "kept_without_call": None if needs_calls else not (self._calls or self._invalid),
        }
        return Outcome(
            verdict=verdict,
            right=completed,
            error=error,
            numbers={
                "steps": self._steps,
                "calls": self._calls,
                "invalid_calls": self._invalid,
                "refused_calls": self._refused,
                "step_limit": float(self._limit),
            },
            text=_storable(self._last.text) if self._last else "",
            calls=self._last_calls,
            strict=self._strict,
            turns=self._messages,
        )

    def _error(self, needs_calls: bool, harmed: bool) -> str | None:
        if not needs_calls and (self._calls or self._invalid):
            return "needless_call"
        if self._unparsable:
            return "unparsable_call"
        if harmed:
            return "harm"
        if self._limit or not self._over:
            return "step_limit"
        if needs_calls and not self._calls:
            return "no_call"
        if "not_done" in self._wrong or not self._end_is_met():
            return "not_done"
        if self._guessed or "guessed" in self._wrong or not self._words_were_told():
            return "guessed"
        return "wrong_answer" if "wrong_answer" in self._wrong else None


def says(text: str, wording: str) -> bool:
    """Whether a text has the words: without case, and not as a part of a longer word or number."""
    end = r"(?!\w)(?!\.\d)" if wording[-1:].isalnum() else ""
    start = r"(?<!\w)(?<!\d\.)" if wording[:1].isalnum() else ""
    return re.search(start + re.escape(wording.casefold()) + end, text.casefold()) is not None


def at(state: Any, pointer: str) -> Any:
    """The value at a JSON Pointer (RFC 6901); None where there is none."""
    found = state
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and token.isdigit() and len(token) < 10 and int(token) < len(found):
            found = found[int(token)]
        elif isinstance(found, dict) and token in found:
            found = found[token]
        else:
            return None
    return found


def _storable(text: str) -> str:
    """As much of a text as is kept, without the halves of characters that no file can hold."""
    return text[:_TEXT_LIMIT].encode("utf-8", "replace").decode()


def _is_sound(arguments: Mapping[str, Any]) -> bool:
    """Whether arguments can be passed on: what no tool takes, by its size or depth, is not."""
    try:
        return len(json.dumps(arguments)) <= _TEXT_LIMIT
    except (ValueError, TypeError, RecursionError):
        return False
