"""The rewards of `data.answers.rewards`, as TRL's trainers call them: batches of answers → lists of
numbers."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from tuner_tui.data.answers.parsing import ParsedAnswer, parse_answer
from tuner_tui.data.answers.rewards import REWARDS, Attempt
from tuner_tui.data.answers.scoring import judge
from tuner_tui.data.examples import Call, calls
from tuner_tui.recipes.conventions import Convention

RewardFunction = Callable[..., list[float | None]]


class Judge:
    """Takes answers apart by the convention of one model, and pays them.

    An answer is taken apart once for all rewards. Beside them the share of answers that are right as a whole,
    by the verdict of the evaluation, is logged as `right`.
    """

    def __init__(self, convention: Convention, tokenizer: Any, ends: Collection[int]) -> None:
        """`ends`: the tokens at which the model stops."""
        self._convention, self._tokenizer, self._ends = convention, tokenizer, frozenset(ends)
        self._seen: tuple[Any, list[Attempt]] = (None, [])

    def functions(self, names: Collection[str]) -> list[RewardFunction]:
        """TRL's reward functions of these names; what they take is in TRL's documentation of
        `reward_funcs`."""
        first = next(iter(names))
        return [self._function(name, logs=name == first) for name in names]

    def _function(self, name: str, *, logs: bool) -> RewardFunction:
        def reward(
            *,
            prompts: Sequence[Any],
            completions: Sequence[Any],
            completion_ids: Sequence[list[int]],
            gold: Sequence[str],
            tools: Sequence[str],
            log_metric: Callable[[str, float], None],
            **_: Any,
        ) -> list[float | None]:
            attempts = self._attempts(prompts, completions, completion_ids, gold, tools)
            if logs and attempts:
                right = [judge(each.gold, each.answer, each.tools).right and each.ended for each in attempts]
                log_metric("right", sum(right) / len(right))
            return [REWARDS[name](attempt) for attempt in attempts]

        reward.__name__ = name  # what TRL calls its metrics by
        return reward

    def _attempts(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[list[int]],
        gold: Sequence[str],
        tools: Sequence[str],
    ) -> list[Attempt]:
        if self._seen[0] is not completion_ids:
            made = []
            for row, ids in enumerate(completion_ids):
                shown = _load(tools[row])
                right = [Call(name, arguments) for name, arguments in _load(gold[row])]
                ended = bool(ids) and ids[-1] in self._ends
                if isinstance(completions[row], str):
                    answer = self._parse(prompts[row], ids[:-1] if ended else ids, shown)
                else:
                    answer = joined(completions[row])
                made.append(Attempt(right, answer, shown, ended))
            self._seen = completion_ids, made
        return self._seen[1]

    def _parse(self, prompt: str, ids: list[int], tools: list[dict[str, Any]]) -> ParsedAnswer:
        text = self._tokenizer.decode(ids, skip_special_tokens=False)
        before = (
            self._tokenizer(prompt, add_special_tokens=False)["input_ids"] if self._convention.native else []
        )
        return self._convention.parse(text, ids, before, tools)


def joined(messages: Sequence[dict[str, Any]]) -> ParsedAnswer:
    """An answer of several turns with executed calls between them, as one: all that was called.

    TRL has executed what could be read to the letter; what it left in the text was an attempt that could not.
    """
    turns = [message for message in messages if message["role"] == "assistant"]
    left = [parse_answer(turn.get("content") or "") for turn in turns]
    made = [call for turn in turns for call in calls(turn)]  # type: ignore[arg-type]
    sound = [call for call in made if isinstance(call.name, str) and isinstance(call.arguments, dict)]
    near = [call for answer in left for call in answer.calls]
    errors = [answer.error for answer in left if answer.error]
    if len(sound) < len(made):
        errors.append("a call without a name or without arguments")
    last = left[-1] if left else ParsedAnswer("")
    return replace(
        last, calls=[*sound, *near], strict=not near and not errors, error=errors[0] if errors else None
    )


@lru_cache(maxsize=4096)
def _load(text: str) -> Any:
    return json.loads(text)
