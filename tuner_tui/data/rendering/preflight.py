"""Before a run: can the chat template of a model show what a dataset holds?"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from tuner_tui.data.canonical import row_converter
from tuner_tui.data.converters import ConversionError
from tuner_tui.data.readers import read_rows
from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.data.rendering.probe import Part, obstacles, parts_of, template_findings
from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.tally import Tally

FIRST_ROWS = 200
"""Rows of each file that are looked at before a run; the recipe looks at all of them."""


def needed_parts(tally: Tally) -> set[str]:
    """What a template must show of the rows that a tally has counted. Only tokenised rows tell of results,
    reasoning and system prompts."""
    needed: set[str] = set(tally.parts)
    if tally.tools_offered:
        needed.add(Part.TOOLS)
    if tally.tools_called:
        needed |= {Part.NAMES, Part.ARGUMENTS}
    if any(calls > 1 for calls in tally.calls_per_turn):
        needed.add(Part.PARALLEL_CALLS)
    return needed


def check_template(template: ChatTemplate, needed: Collection[str]) -> Iterator[Finding]:
    """What the template loses of the `probe.Part`s that are needed, and whether it marks what is trained."""
    yield from template_findings(template.probed, template.name, needed)
    if not template.marks_generation:
        message = (
            f'the chat template of "{template.name}" does not mark which tokens the assistant wrote, '
            "and TRL ships no variant that does"
        )
        yield finding("no_loss_mask", None, None, message)


def refusal(model: Path, files: Sequence[Path]) -> str:
    """Why a run on these files makes no sense with the template of the model in a folder; empty if it does.

    Looks at the first rows of each file, and passes over those that cannot be converted.

    Raises:
        UserError: the model or a file cannot be read.
    """
    template = ChatTemplate.load(model)
    needed: set[str] = set()
    for path in files:
        convert = row_converter(path)
        for row in read_rows(path, FIRST_ROWS):
            try:
                needed |= parts_of(convert(row))
            except ConversionError:
                continue
    lost = obstacles(template.probed, needed)
    return f'the chat template of "{template.name}" {lost}, which the data use' if lost else ""
