"""Small datasets on disk, and the Data screen opened on one."""

import json
from pathlib import Path
from typing import Any

from conftest import until
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher, Static

from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.data import DataScreen

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["city"],
        },
    },
}


def row(request: str, **arguments: Any) -> dict[str, Any]:
    """A request, and a call of `get_weather`; sound with city="...", and with errors otherwise."""
    call = {"type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    return {
        "messages": [
            {"role": "user", "content": request},
            {"role": "assistant", "content": "", "tool_calls": [call]},
        ],
        "tools": [TOOL],
    }


def write(path: Path, *rows: Any) -> Path:
    """A JSON Lines file; a row that is a text stands in it as it is."""
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def state(app: TunerApp) -> str:
    """The line above the tabs."""
    return str(app.screen.query_one("#data-state", Static).content)


async def data_screen(app: TunerApp, pilot: Pilot[None]) -> DataScreen:
    """The Data screen, with its body."""
    app.go("data")
    await until(pilot, lambda: isinstance(app.screen, DataScreen) and app.screen.body_ready)
    assert isinstance(app.screen, DataScreen)
    return app.screen


async def open_dataset(app: TunerApp, pilot: Pilot[None], path: Path, expect: str = "") -> DataScreen:
    """The Data screen when `path` is inspected, or refused."""
    screen = await data_screen(app, pilot)
    screen.open_file(path)
    await until(pilot, lambda: (expect or path.name) in state(app) and "Esc " not in state(app))
    if screen.query_one(ContentSwitcher).current == "data-tabs":
        await until(pilot, lambda: screen.focused is screen.query_one("#overview-view"))
        await pilot.pause()
    return screen
