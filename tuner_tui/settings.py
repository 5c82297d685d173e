"""What a person prefers: environment over file over default. One small JSON file in the
configuration folder.
"""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tuner_tui import paths
from tuner_tui.errors import UserError


@dataclass(slots=True)
class Settings:
    """Preferences of the app. `$TUNER_THEME` outranks the file for the theme, and is never written
    to it.
    """

    theme: str = "dusk"
    """The theme in use."""
    dark_theme: str = "dusk"
    """What the light/dark toggle goes to when it goes dark."""
    light_theme: str = "paper"
    """What the toggle goes to when it goes light."""
    smoothing: float = 0.6
    """Weight of the past in the smoothed loss curve (exponential moving average); 0 shows the raw
    values only.
    """
    log_scale: bool = False
    """Whether the loss chart starts with a logarithmic y axis."""
    polls_per_second: int = 1
    """How often a run's files are looked at, 1 to 4; 1 suits a slow connection."""


def settings_file() -> Path:
    """Where the preferences are kept."""
    return paths.config_dir() / "settings.json"


def load_settings() -> Settings:
    """The preferences; a missing file means the defaults. UserError for a file or a value that is
    not usable.
    """
    settings = Settings()
    file = settings_file()
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        values = {}
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(
            f"settings {file}: cannot be read as JSON ({error}); mend it or delete it."
        ) from error
    if not isinstance(values, dict):
        raise UserError(f"settings {file}: must be one JSON object; mend it or delete it.")
    kinds = {field.name: type(field.default) for field in fields(Settings)}
    for name, value in values.items():
        if name not in kinds:
            continue  # Written by a newer version, which may be used beside this one.
        setattr(settings, name, _checked(file, name, value, kinds[name]))
    settings.smoothing = min(max(settings.smoothing, 0.0), 0.999)
    settings.polls_per_second = min(max(settings.polls_per_second, 1), 4)
    settings.theme = os.environ.get("TUNER_THEME") or settings.theme
    return settings


def save_settings(settings: Settings) -> None:
    """Write the preferences (write beside, then replace). UserError when the folder is not
    writable.
    """
    file = settings_file()
    values = asdict(settings)
    if os.environ.get("TUNER_THEME") == settings.theme:
        del values["theme"]
    beside = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise UserError(f"settings {file}: cannot be written ({error.strerror}).") from error


def _checked(file: Path, name: str, value: Any, kind: type) -> Any:
    # bool is an int in Python, but "log_scale": 3 and "polls_per_second": true are mistakes.
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise UserError(
            f"settings {file}: {name} must be a {kind.__name__}, not {value!r}; mend it or delete it."
        )
    return value
