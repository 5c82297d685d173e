"""The suite of held-out rows: the last assistant turn of each row is what the model should say."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tuner_tui.data.answers.scoring import ERROR_TYPES, judge
from tuner_tui.data.dataset import load_dataset
from tuner_tui.data.examples import Example, conversation, gold_calls
from tuner_tui.errors import UserError
from tuner_tui.evaluation.tasks import FUNCTION_CALLING, Exchange, Item, OneTurn, outcome_of


class HeldoutTask:
    """Rows of a dataset in any readable layout.

    Raises:
        UserError: the file cannot be read, or no row of it ends in an answer to compare with.
    """

    name = "heldout"
    title = "Held-out rows"
    measures = FUNCTION_CALLING
    error_types: Mapping[str, str] = ERROR_TYPES
    notes: Sequence[str] = ()

    def __init__(self, path: Path) -> None:
        dataset = load_dataset(path)
        items = [
            item
            for row, example in zip(dataset.rows, dataset.examples, strict=True)
            if (item := _item(row, example))
        ]
        if not items:
            raise UserError(
                f"{path}: no row has a request and an answer to compare with; each row needs a user "
                "message and an assistant message after it."
            )
        self.items: Sequence[Item] = items
        self.rejected = len({finding.row for finding in dataset.rejected}) + (
            len(dataset.examples) - len(items)
        )

    def begin(self, item: Item) -> Exchange:
        """One answer, judged by the gold calls of the row."""
        return OneTurn(item, lambda answer: outcome_of(answer, judge(item.gold, answer.parsed, item.tools)))


def _item(row: int, example: Example) -> Item | None:
    messages = conversation(example)
    last = max((i for i, each in enumerate(messages) if each["role"] == "assistant"), default=0)
    asked = [each["content"] for each in messages[:last] if each["role"] == "user"]
    if not asked:
        return None
    gold = gold_calls(example)
    return Item(
        id=str(row),
        row=row,
        request=asked[-1],
        messages=[dict(each) for each in messages[:last]],
        tools=[dict(tool) for tool in example.get("tools") or []],
        gold=gold,
        # Requests for one tool are alike: whoever can answer one can mostly answer the next.
        group=gold[0].name if gold else "",
    )
