"""The Prefer screen: verdicts by keys, on the disk at once; undo, notes, going on; from prompts to pairs."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import shows
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tuner_tui import paths
from tuner_tui.data.dataset import load_dataset
from tuner_tui.evaluation.preferences.judging import journal_of
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.data import DataScreen
from tuner_tui.tui.screens.prefer import PreferScreen
from tuner_tui.tui.widgets.dialogs import ChooseDialog, SaveDialog, TextDialog

Until = Callable[..., Awaitable[None]]
HOSTILE = "[red]no[/red] \x1b[2J"


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tool = {"type": "function", "function": {"name": "open_gate", "parameters": {"type": "object"}}}

    def call(number: int) -> list[dict[str, Any]]:
        function = {"name": "open_gate", "arguments": {"number": number, "slowly": True}}
        return [
            {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}
        ]

    rows = [
        {
            "prompt": f"Open gate {number}. {HOSTILE}",
            "answers": [call(number), call(-number)],
            "tools": [tool],
        }
        for number in range(1, 4)
    ]
    path = tmp_path / "gates-answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


async def _judge(app: TunerApp, pilot: Pilot[None], until: Until, source: Path) -> PreferScreen:
    app.journey.compare = source
    app.go("prefer")
    await until(pilot, lambda: shows(app, SaveDialog))
    # A file of pairs that is there is gone on with after a second Enter.
    again = Path(app.screen.query_one(Input).value).exists()
    await pilot.press("enter")
    if again:
        message = app.screen.query_one("#save-message", Static)
        await until(pilot, lambda: "Enter again" in str(message.content))
        await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, PreferScreen) and app.screen.has_class("-judging"))
    assert isinstance(app.screen, PreferScreen)
    return app.screen


def _text(screen: PreferScreen, name: str) -> str:
    return str(screen.query_one(f"#{name}", Static).content)


async def test_verdicts_by_keys_become_pairs(answers: Path, until: Until) -> None:
    app = TunerApp()
    pairs = answers.parent / "gates-pairs.jsonl"
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _judge(app, pilot, until, answers)
        await until(pilot, lambda: "open_gate" in _text(screen, "prompt"))
        assert "[red]no[/red] ␛[2J" in _text(screen, "prompt")
        shown = _text(screen, "answer-a"), _text(screen, "answer-b")
        assert all("→ open_gate" in text and "slowly = true" in text for text in shown)
        # Only the argument that differs is marked.
        assert [line[:2] for line in shown[0].split("\n")] == ["  ", "≠ ", "  "]
        better = "number = 1" if "number = 1" in shown[0] else "number = -1"
        await pilot.press("left")
        await until(pilot, lambda: "1 of 3 judged" in _text(screen, "prefer-state"))
        chosen = load_dataset(pairs).examples[0]["chosen"][0]["tool_calls"][0]["function"]["arguments"]
        assert f"number = {chosen['number']}" == better
        await pilot.press("w")
        await until(pilot, lambda: shows(app, TextDialog))
        await pilot.press(*"both odd", "enter")
        await until(pilot, lambda: "both odd" in _text(screen, "prefer-note"))
        await pilot.press("x")
        await until(pilot, lambda: "1 both bad" in _text(screen, "prefer-state"))
        assert not _text(screen, "prefer-note")
        last = json.loads(journal_of(pairs).read_text().splitlines()[-1])
        assert (last["verdict"], last["note"]) == ("both_bad", "both odd")
        await pilot.press("e")
        await until(pilot, lambda: not screen.has_class("-judging"))
        assert "All is judged" in _text(screen, "prefer-page") and "1 pair" in _text(screen, "prefer-page")
        await pilot.press("u", "u")
        await until(pilot, lambda: screen.has_class("-judging") and "1 of 3" in _text(screen, "prefer-state"))
        await pilot.press("b", "s")
        await until(pilot, lambda: "1 skipped" in _text(screen, "prefer-state"))
        await pilot.press("n")
        await until(pilot, lambda: app.current_mode == "configure")
        assert app.journey.dataset == pairs and len(load_dataset(pairs).examples) == 2


async def test_a_closed_window_loses_nothing(answers: Path, until: Until) -> None:
    for judged in (1, 2):
        app = TunerApp()
        async with app.run_test(size=(120, 40)) as pilot:
            screen = await _judge(app, pilot, until, answers)
            assert f"{judged - 1} of 3 judged" in _text(screen, "prefer-state")
            await pilot.press("a")
            await until(
                pilot, lambda screen=screen, judged=judged: f"{judged} of 3" in _text(screen, "prefer-state")
            )


async def test_prompts_are_offered_to_a_model(
    answers: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.go("data")
        await until(pilot, lambda: isinstance(app.screen, DataScreen) and app.screen.body_ready)
        data = app.screen
        assert isinstance(data, DataScreen)
        data.open_file(paths.sample_data() / "negatives.jsonl")
        await until(
            pilot, lambda: "prefer" in {each.binding.action for each in data.active_bindings.values()}
        )
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PreferScreen) and app.screen.body_ready)
        screen = app.screen
        assert isinstance(screen, PreferScreen)
        await until(pilot, lambda: "negatives.jsonl holds prompts" in _text(screen, "prefer-page"))
        await pilot.press("g")
        await until(pilot, lambda: shows(app, ChooseDialog))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_a_file_that_is_neither_is_told(answers: Path, until: Until) -> None:
    bad = answers.parent / "bad.jsonl"
    bad.write_text("no json\n")
    app = TunerApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.journey.compare = bad
        app.go("prefer")
        await until(pilot, lambda: any("bad.jsonl" in str(each.message) for each in app._notifications))
        screen = app.screen
        assert isinstance(screen, PreferScreen)
        await until(pilot, lambda: "o" in _text(screen, "prefer-page"))


async def test_every_size_has_room_for_both_answers(answers: Path, until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _judge(app, pilot, until, answers)
        for size in ((80, 24), (120, 40), (200, 60)):
            await pilot.resize_terminal(*size)

            def fits(size: tuple[int, int] = size) -> bool:
                left, right = screen.query_one("#pane-a").region, screen.query_one("#pane-b").region
                beside = left.right <= right.x and size[0] // 2 < right.right <= size[0]
                return beside and min(left.height, right.height) >= 8 and left.bottom < size[1]

            await until(pilot, fits)
