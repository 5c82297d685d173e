"""Rows for reinforcement: requests under an instruction, and requests to a shop whose tools can be
executed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tuner_tui.embedded import phrasing, rows, shop_tools
from tuner_tui.embedded.catalog import TRAINING
from tuner_tui.embedded.rows import Row
from tuner_tui.embedded.tools import Call, Tool, parse_tool, random_call
from tuner_tui.embedded.words import pick

TOOLS_FILE = Path(shop_tools.__file__)

SHOP = tuple(
    parse_tool(line)
    for line in (
        "find order | Find the order of a customer. | customer:person!",
        "track order | Track an order. | order_id:code!",
        "check stock | Check the stock of a product. | product:word!",
    )
)
"""The tools of `shop_tools`, as the other rows' tools are declared."""

INSTRUCTION = (Path(__file__).parents[1] / "evaluation/prompts/instruction.txt").read_text("utf-8").strip()
"""How to call, for a model that was never taught it: what the evaluation says to the base model, too."""


def instructed(maker: Callable[[Random, Sequence[Tool]], Row]) -> Callable[[Random, Sequence[Tool]], Row]:
    """Rows of another kind, with the instruction before the request."""

    def make(rng: Random, catalog: Sequence[Tool]) -> Row:
        row = maker(rng, catalog)
        return {**row, "messages": [{"role": "system", "content": INSTRUCTION}, *row["messages"]]}

    return make


def one_step(rng: Random, catalog: Sequence[Tool]) -> Row:
    """A request to the shop, its call, the result and an answer."""
    call = random_call(rng, pick(rng, catalog), rows.MADE_UP)
    if call.tool.name == "track_order":
        call = Call(call.tool, {"order_id": f"b{rng.randrange(100_000):05d}"})
    return _answered([call], phrasing.request(rng, call), catalog)


def two_steps(rng: Random, catalog: Sequence[Tool]) -> Row:
    """A request whose second call needs the result of the first."""
    find, track, _ = catalog
    first = random_call(rng, find, rows.MADE_UP)
    second = Call(track, _executed(first))
    ask = phrasing.joined_request(rng, [first, Call(track)]) + " Take the order id from the first result."
    return _answered([first, second], ask, catalog)


def unserved(rng: Random, catalog: Sequence[Tool]) -> Row:
    """A request which the shop does not serve."""
    known = {tool.name for tool in catalog}
    call = random_call(rng, pick(rng, [tool for tool in TRAINING if tool.name not in known]), rows.MADE_UP)
    words = phrasing.refusal(rng, call.tool)
    return rows.row([rows.user(phrasing.request(rng, call)), rows.answer(words)], catalog)


def _answered(calls: Sequence[Call], ask: str, catalog: Sequence[Tool]) -> Row:
    messages = [rows.user(ask)]
    value: dict[str, Any] = {}
    for call in calls:
        value = _executed(call)
        messages += [rows.calling([call]), rows.result(call.tool, value)]
    said = phrasing.enumeration(
        [f"the {name.replace('_', ' ')} is {phrasing.say(v)}" for name, v in value.items()]
    )
    return rows.row([*messages, rows.answer(f"Done: {said}.")], catalog)


def _executed(call: Call) -> dict[str, Any]:
    value: dict[str, Any] = getattr(shop_tools, call.tool.name)(**call.arguments)
    return value
