"""One row with its faults marked: in the messages, in the arguments, in the tools, in what is no example."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from textual.content import Content
from textual.widgets import Static
from tui_datasets import TOOL, open_dataset, row, write

from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.validators import validate
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.data_row import RowPane
from tuner_tui.tui.widgets.dataset_table import DatasetTable
from tuner_tui.tui.widgets.marked_json import dump, nearest
from tuner_tui.tui.widgets.message_blocks import Block, Marks, example_blocks, raw_blocks

Until = Callable[..., Awaitable[None]]

_ARGUMENTS = {"city": 5, "place": {"zip": [1, {"a": "x"}]}, "n": None}


def _plain(blocks: list[Block]) -> str:
    return "\n".join(block.content.plain for block in blocks)


def _marked(content: Content) -> list[str]:
    """The texts that are drawn underlined."""
    return [content.plain[span.start : span.end] for span in content.spans if "underline" in str(span.style)]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("a.city", '"city":5'),
        ("a.place.zip[1]", '{"a":"x"}'),
        ("a.place.zip[1].a", '"a":"x"'),
        ("a.place", '"place":{"zip":[1,{"a":"x"}]}'),
        ("a", '{"city":5,"place":{"zip":[1,{"a":"x"}]},"n":null}'),
    ],
)
def test_a_field_is_found_in_the_json_text(field: str, text: str) -> None:
    dumped, spans = dump(_ARGUMENTS, "a", [field], indent=False)
    start, end = spans[field]
    assert dumped[start:end] == text


@pytest.mark.parametrize("indent", [False, True])
def test_marking_changes_nothing_of_the_text(indent: bool) -> None:
    option = orjson.OPT_INDENT_2 if indent else None
    plain = orjson.dumps(_ARGUMENTS, option=option).decode()
    assert dump(_ARGUMENTS, "a", ["a.place.zip[1].a", "a.city"], indent=indent)[0] == plain


def test_what_is_missing_is_missing_from_the_nearest_value() -> None:
    _, spans = dump(_ARGUMENTS, "a", ["a.place.street"], indent=False)
    assert nearest("a.place.street", spans) == "a.place"
    assert nearest("b", spans) is None


def test_values_that_json_has_no_word_for_are_shown() -> None:
    assert dump({"big": 10**30, "pair": (1, 2)}, "", (), indent=False)[0].startswith('{"big": 1000')


def test_the_fault_is_marked_in_the_call_with_its_message_beneath() -> None:
    example = row("Oslo?", city=5, days=[1, "two"])
    found = validate(example, 1)
    wrong = next(each for each in found if (each.field or "").endswith("days[1]"))
    blocks = example_blocks(example, Marks(found, wrong)).messages
    (chosen,) = [block for block in blocks if block.chosen]
    assert {'"city":5', '"two"'} <= set(_marked(chosen.content))
    assert f"▸ ✗ {wrong.message}" in chosen.content.plain


def test_a_missing_argument_marks_the_arguments_and_an_undeclared_tool_the_name() -> None:
    example = row("Oslo?")
    found = validate(example, 1)
    call = next(
        block for block in example_blocks(example, Marks(found)).messages if "→" in block.content.plain
    )
    assert "{}" in _marked(call.content) and "is required" in call.content.plain
    example = {**row("Oslo?", city="x"), "tools": []}
    found = validate(example, 1)
    call = next(
        block for block in example_blocks(example, Marks(found)).messages if "→" in block.content.plain
    )
    assert "get_weather" in _marked(call.content)


def test_a_fault_of_a_tool_unfolds_its_declaration() -> None:
    example = row("Oslo?", city="x")
    fault = finding("invalid_tool", 1, "tools[0].function.parameters.properties.city", "what is wrong")
    tools = example_blocks(example, Marks([fault], fault)).tools
    assert any('"city": {' in mark for block in tools for mark in _marked(block.content))
    assert "what is wrong" in _plain(tools)
    assert "properties" not in _plain(example_blocks(example, Marks()).tools)


def test_a_row_that_is_no_example_is_shown_as_it_stands_with_its_fault() -> None:
    value = {"messages": [{"role": "wizard", "content": "x"}]}
    fault = finding("bad_message", 1, "messages[0]", "the role is not known")
    blocks = raw_blocks(value, fault.message, Marks([fault], fault)).messages
    assert "✗ the role is not known" in _plain(blocks)
    assert any('"wizard"' in mark for mark in _marked(blocks[-1].content))


def test_hostile_texts_are_shown_where_they_are_marked() -> None:
    evil = "\x1b[31m[red]\u202e"
    example = row(evil, **{"city": 5, evil: evil})
    found: list[Finding] = validate(example, 1)
    text = _plain(example_blocks(example, Marks(found)).messages)
    assert "[red]" in text and not {"\x1b", "\u202e"} & set(text)


def test_a_mark_deep_in_a_long_text_is_in_sight() -> None:
    example = row("Oslo?", filler="x" * 100_000, city=5)
    found = [each for each in validate(example, 1) if (each.field or "").endswith("city")]
    call = next(
        block for block in example_blocks(example, Marks(found)).messages if "→" in block.content.plain
    )
    assert len(call.content.plain) < 30_000
    assert '"city":5' in _marked(call.content) and "characters before" in call.content.plain


def _pair() -> dict[str, Any]:
    chosen, rejected = (
        row("Oslo?", city="Oslo")["messages"][1],
        {"role": "assistant", "content": "It is warm."},
    )
    return {
        "prompt": [{"role": "user", "content": "Oslo?"}],
        "chosen": [chosen],
        "rejected": [rejected],
        "tools": [TOOL],
    }


@pytest.mark.parametrize(("width", "beside"), [(80, False), (120, True), (200, True)])
async def test_two_answers_stand_beside_each_other_where_there_is_room(
    until: Until, tmp_path: Path, width: int, beside: bool
) -> None:
    path = write(tmp_path / "pairs.jsonl", *[_pair()] * 2)
    app = TunerApp()
    async with app.run_test(size=(width, 40)) as pilot:
        screen = await open_dataset(app, pilot, path)
        await pilot.press("]", "]", "]")
        left, right = screen.query_one("#row-chosen", Static), screen.query_one("#row-rejected", Static)
        await until(pilot, lambda: "It is warm." in str(right.content) and right.size.height > 0)
        await until(pilot, lambda: (left.region.y == right.region.y) is beside)
        heading = screen.query_one("#row-heading", Static)
        await until(pilot, lambda: "preference pair" in str(heading.content))


async def test_a_labelled_answer_and_the_tools_of_the_file_are_shown(until: Until, tmp_path: Path) -> None:
    old = {"name": "get.weather", "parameters": {"city": {"type": "str"}}}
    answer = {"role": "assistant", "content": "I cannot."}
    kto = {
        "prompt": [{"role": "user", "content": "?"}],
        "completion": [answer],
        "label": False,
        "tools": [old],
    }
    path = write(tmp_path / "kto.jsonl", kto)
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, path)
        await pilot.press("]", "]", "]")
        text, tools = screen.query_one("#row-text", Static), screen.query_one("#row-tools", Static)
        await until(pilot, lambda: "labelled bad" in str(text.content))
        assert "As they stand in the file" in str(tools.content) and "get.weather" in str(tools.content)


async def test_keys_lead_from_fault_to_fault_over_the_rows_between(until: Until, tmp_path: Path) -> None:
    long = "word " * 2000
    sound = [row(f"{n}?", city="x") for n in range(5)]
    path = write(tmp_path / "rows.jsonl", sound[0], row(long, city=5, days=["a"]), *sound[1:], row("last?"))
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_dataset(app, pilot, path, "errors")
        await pilot.press("]", "]", "]")
        heading = screen.query_one("#row-heading", Static)
        page = screen.query_one("#row-messages")
        await until(pilot, lambda: page.has_focus and "Row 1 of 7" in str(heading.content))
        seen = []
        for _ in range(3):
            before = str(heading.content)
            await pilot.press("e")
            await until(pilot, lambda before=before: str(heading.content) != before)
            seen.append(str(heading.content))
        assert "Row 2" in seen[0] and "Row 2" in seen[1] and "Row 7" in seen[2]
        await pilot.press("E")
        await until(pilot, lambda: "Row 2" in str(heading.content))
        await until(pilot, lambda: page.scroll_offset.y > 50)  # far below the long request

        def drawn() -> str:
            return "\n".join(strip.text for strip in screen._compositor.render_strips())

        await until(pilot, lambda: "▸ ✗" in drawn())
        assert screen.query_one(RowPane).index == 1


async def test_a_folder_of_files_says_which_file_a_row_is_of(until: Until, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, city in (("a.jsonl", "Oslo"), ("b.jsonl", "Rome")):
        write(folder / name, row(f"{city}?", city=city))
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, folder)
        await pilot.press("]", "]")
        table = screen.query_one("#rows-table", DatasetTable)
        await until(pilot, lambda: screen.focused is table and table.row_count == 2)
        await pilot.press("end")
        await until(pilot, lambda: table.cursor == 1)
        await pilot.press("enter")
        heading = screen.query_one("#row-heading", Static)
        await until(pilot, lambda: "Row 2 of 2 · row 1 of b.jsonl" in str(heading.content))
        text = screen.query_one("#row-text", Static)
        await until(pilot, lambda: json.dumps("Rome") in str(text.content))
