"""What the palette (Ctrl+P) offers: the places, then what applies to the screen that is shown."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.screen import Screen

if TYPE_CHECKING:
    from tuner_tui.tui.app import TunerApp

_PLACES = (
    ("home", "Home", "The steps, what is done, recent runs"),
    (
        "decide",
        "Decide",
        "Prompt engineering or fine-tuning? A questionnaire and a reasoned answer",
    ),
    ("data", "Data", "What is in a dataset, what is wrong with it, which tokens are trained"),
    ("prefer", "Prefer", "Compare two answers and say which is better: step one of RLHF"),
    ("configure", "Configure", "The training run: a form, presets, a memory estimate, the YAML"),
    ("train", "Train", "The run that is being watched: loss, speed, memory, log"),
    ("evaluate", "Evaluate", "Base and tuned model on the same items, of any suite"),
    ("report", "Report", "The verdict, and the files that hold it"),
    ("runs", "Runs", "All runs on this machine"),
)


def commands(app: "TunerApp", screen: Screen[Any]) -> Iterable[SystemCommand]:
    """Every place but this one, what this screen's own keys do, and what works everywhere."""
    for step, title, what in _PLACES:
        if app.current_mode != step:
            yield SystemCommand(f"Go to {title}", what, partial(app.go, step))
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        # The app's own keys are listed below, in words; here come those of the screen and of the
        # focused widget.
        if enabled and binding.show and binding.description and node is not app:
            yield SystemCommand(
                binding.description,
                tooltip or f"Here: the key {app.get_key_display(binding)}",
                partial(app.run_action, binding.action, default_namespace=node),
            )
    yield SystemCommand(
        "Light or dark", "Change between the light and the dark theme", app.action_toggle_dark
    )
    yield SystemCommand("Settings", "Theme, smoothing, how often to look", app.action_settings)
    yield SystemCommand("Guided demo", "The whole journey, explained, at your pace", app.start_tour)
    yield SystemCommand("Help", "What this screen is for, and its keys", app.action_help)
    yield SystemCommand("Quit", "Leave; a run goes on without the window", app.action_quit)
