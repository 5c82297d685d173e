"""The JSON shapes of an evaluation, as scripts and screens see them."""

from typing import TypedDict


class Rate(TypedDict):
    """`count` of `total`; `interval` is Wilson's 95%. Over no items: rate None, interval [0, 1]."""

    count: int
    total: int
    rate: float | None
    interval: list[float]


class Outcome(TypedDict):
    """What one arm reached. Each rate counts only the items that it applies to:

    - `call_or_no_call`: all items; called exactly where a tool serves.
    - `tool_selection`: items that need a call; the right tools, each as often as needed.
    - `arguments`: items where the right tools were called; all arguments right.
    - `full_match`: items that need a call; the same calls, in any order.
    - `no_call`: items that no tool serves; answered without a call.
    - `strict_format`: items that need a call; all calls in the model's own format to the letter.

    `errors` counts items by error type, a key of `scoring.ERROR_TYPES`.
    """

    items: int
    call_or_no_call: Rate
    tool_selection: Rate
    arguments: Rate
    full_match: Rate
    no_call: Rate
    strict_format: Rate
    errors: dict[str, int]


class Difference(TypedDict):
    """A paired comparison of two arms on the same items, base first."""

    measure: str
    base: str
    tuned: str
    pairs: int
    delta: float
    interval: list[float]  # paired bootstrap, 95%
    p_value: float  # exact McNemar, two-sided
    fixed: int  # wrong before, right after
    broken: int  # right before, wrong after


class Summary(TypedDict):
    """`summary.json`. The comparisons map a measure to its Difference, once both arms are there.

    `comparison` sets the tuned arm against the plain prompt, `comparison_best` against the best
    one.
    """

    schema: int
    suite: str
    heldout: str
    model: str
    items: int
    rejected: int  # rows of the file that could not be used
    arms: dict[str, Outcome]
    best_prompt: str | None
    comparison: dict[str, Difference]
    comparison_best: dict[str, Difference]
    seconds: dict[str, float]
    settings: dict[str, object]
    versions: dict[str, str]
