"""Environments of task completion: a JSON state, and tools that change it. Nothing real is touched."""

from collections.abc import Mapping

from tuner_tui.evaluation.suites.environments.base import Environment
from tuner_tui.evaluation.suites.environments.calendar import CALENDAR
from tuner_tui.evaluation.suites.environments.desk import DESK
from tuner_tui.evaluation.suites.environments.files import FILES
from tuner_tui.evaluation.suites.environments.shop import SHOP

ENVIRONMENTS: Mapping[str, Environment] = {each.name: each for each in (CALENDAR, SHOP, FILES, DESK)}
"""Those that come with the package, by name."""
