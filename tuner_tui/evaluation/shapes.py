"""The JSON shapes of an evaluation, as scripts and screens see them."""

from typing import NotRequired, TypedDict


class Rate(TypedDict):
    """`count` of `total`; `interval` is Wilson's 95%. Over no items: rate None, interval [0, 1]."""

    count: int
    total: int
    rate: float | None
    interval: list[float]


class Outcome(TypedDict):
    """What one arm reached: a rate for each measure of the suite, beside these. Each rate counts only the
    items that it applies to; those of suites that compare calls with gold calls are:

    - `call_or_no_call`: all items; called exactly where a tool serves.
    - `tool_selection`: items that need a call; the right tools, each as often as needed.
    - `arguments`: items where the right tools were called; all arguments right.
    - `full_match`: items that need a call; the same calls, in any order.
    - `no_call`: items that no tool serves; answered without a call.
    - `strict_format`: items that need a call; all calls in the model's own format to the letter.

    `right` counts the items that are right as a whole, `errors` items by error type, a key of the
    summary's `error_types`.
    """

    items: int
    right: Rate
    call_or_no_call: NotRequired[Rate]
    tool_selection: NotRequired[Rate]
    arguments: NotRequired[Rate]
    full_match: NotRequired[Rate]
    no_call: NotRequired[Rate]
    strict_format: NotRequired[Rate]
    errors: dict[str, int]


class MeasureText(TypedDict):
    """A measure, for a person."""

    name: str
    title: str
    help: str


class Number(TypedDict):
    """The mean of what is counted; `interval` is its 95% bootstrap, drawn by groups of items."""

    mean: float
    interval: list[float]
    items: int


class Overlap(TypedDict):
    """Items that the tuned model may have seen in training; `tools` counts those whose tools it has seen."""

    items: int
    exact: int
    near: int
    tools: int
    sentence: str


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


class CategoryDifference(Difference):
    """The change of one category: of items that are right as a whole; `p_holm` is adjusted for the number of
    categories that are looked at."""

    p_holm: float


class Kept(TypedDict):
    """Whether one measure of general ability was kept; `state` is kept, lost or undecided, and `delta` is
    better where it is positive."""

    measure: str
    title: str
    state: str
    pairs: int
    delta: float
    interval: list[float] | None  # None: too few items
    margin: float
    sentence: str


class Summary(TypedDict):
    """`summary.json`. The comparisons map a measure to its Difference, once both arms are there.

    `comparison` sets the tuned arm against the plain prompt, `comparison_best` against the best
    one. `heldout` is the file of the items, "" where they come with the suite. `detectable` is the smallest
    net change of a rate that so many items show with 80% power. `regression` is of the suite `general`, base
    against tuned; empty elsewhere.
    """

    schema: int
    suite: str
    title: str
    heldout: str
    model: str
    items: int
    rejected: int  # rows of the file that could not be used
    measures: list[MeasureText]  # the one that counts most first
    error_types: dict[str, str]
    arms: dict[str, Outcome]
    categories: dict[str, dict[str, Rate]]  # by arm and category: items that are right as a whole
    numbers: dict[str, dict[str, Number]]  # by arm and name
    notes: list[str]
    overlap: Overlap | None
    detectable: float
    best_prompt: str | None
    comparison: dict[str, Difference]
    comparison_best: dict[str, Difference]
    comparison_categories: dict[str, CategoryDifference]  # tuned against the plain prompt
    regression: list[Kept]
    seconds: dict[str, float]
    tokens: dict[str, int]
    settings: dict[str, object]
    versions: dict[str, str]
