"""General ability before and after tuning: instructions, multiple choice, chat, held-out text."""

from tuner_tui.evaluation.suites.general.task import GeneralTask

__all__ = ["GeneralTask"]
