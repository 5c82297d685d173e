"""What can be wrong with a dataset: every rule, with its severity, its reason and its mend.

An error makes a row useless or harmful to train on: `dataset.load_dataset` leaves such rows out.
A warning is something that a person should decide about. Information is no fault.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is. Compare with `rank`: an error outranks a warning."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """2 for an error, 1 for a warning, 0 for information."""
        return {"error": 2, "warning": 1, "info": 0}[self.value]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of fault: what it is in a few words, why it matters, and what to do about it."""

    id: str
    severity: Severity
    title: str
    explanation: str
    mend: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one place.

    `row` is 1-based, and None for the file as a whole; `field` is a path such as
    `messages[2].tool_calls[0].function.arguments.city`.
    """

    rule: str
    severity: Severity
    row: int | None
    field: str | None
    message: str
    fix: str


def finding(rule: str, row: int | None, field: str | None, message: str) -> Finding:
    """A finding of the rule with this id, with the rule's severity and mend."""
    broken = RULES[rule]
    return Finding(rule, broken.severity, row, field, message, broken.mend)


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_ALL = (
    # -- a row that cannot be read -----------------------------------------------------------------
    Rule(
        "not_json",
        _ERROR,
        "Not JSON",
        "The row cannot be read at all, so nothing of it reaches the model.",
        "Mend the JSON at the place that the message names, or delete the row.",
    ),
    Rule(
        "not_object",
        _ERROR,
        "Not an object",
        'A row is one example: a JSON object such as {"messages": [...], "tools": [...]}.',
        "Wrap the values in an object with the keys of a known layout, or delete the row.",
    ),
    Rule(
        "unknown_layout",
        _ERROR,
        "Unknown layout",
        "The row does not have the keys of the layout that the rest of the file has.",
        "Give it the same keys as the other rows, or move it to a file of its own.",
    ),
    Rule(
        "bad_message",
        _ERROR,
        "Malformed message",
        "A message needs a role and text (or tool calls); anything else cannot be rendered.",
        "Correct the message that is named, or delete the row.",
    ),
    Rule(
        "unparseable_arguments",
        _ERROR,
        "Unparseable arguments",
        "Trained on broken arguments, a model learns to write calls that no program can execute.",
        "Write the arguments as a JSON object.",
    ),
    # -- tools and calls ---------------------------------------------------------------------------
    Rule(
        "tools_not_list",
        _ERROR,
        "Tools are not a list",
        "Chat templates show the model a list of tools; anything else fails or is dropped.",
        'Write `tools` as a list of {"type": "function", "function": {...}}.',
    ),
    Rule(
        "invalid_tool",
        _ERROR,
        "Invalid tool schema",
        "A tool needs a name and parameters in valid JSON Schema, or its calls cannot be checked.",
        "Correct the tool's definition: https://json-schema.org/understanding-json-schema.",
    ),
    Rule(
        "duplicate_tool",
        _WARNING,
        "Duplicate tool",
        "Two tools of one name leave the model no way to say which of them it means.",
        "Keep one of them, or rename the other.",
    ),
    Rule(
        "undeclared_tool",
        _ERROR,
        "Call of an undeclared tool",
        "The call names a tool that the row does not offer: the model learns to invent tools.",
        "Add the tool to `tools`, or correct the name.",
    ),
    Rule(
        "missing_argument",
        _ERROR,
        "Missing required argument",
        "The model learns to leave out what the tool cannot do without.",
        "Add the argument, or take it out of the schema's `required`.",
    ),
    Rule(
        "wrong_type",
        _ERROR,
        "Argument against its schema",
        "A value of the wrong type, or outside the allowed values, is refused by the real tool.",
        "Write a value that the tool's schema allows.",
    ),
    Rule(
        "unknown_argument",
        _ERROR,
        "Unknown argument",
        "The tool declares no such argument: the model learns to invent arguments.",
        "Remove the argument, or declare it in the tool's `properties`.",
    ),
    # -- the conversation --------------------------------------------------------------------------
    Rule(
        "empty_turn",
        _ERROR,
        "Empty assistant turn",
        "Neither text nor a call: the model learns to answer with nothing.",
        "Fill in the answer, or delete the turn.",
    ),
    Rule(
        "role_order",
        _ERROR,
        "Roles out of order",
        "At inference the turns never come in this order, and many chat templates refuse it.",
        "Order the turns: system, user, assistant, and tool results after the call they answer.",
    ),
    Rule(
        "orphan_result",
        _ERROR,
        "Tool result without a call",
        "The result answers no call before it: the model learns to react to what it never asked.",
        "Add the call before the result, or delete the result.",
    ),
    Rule(
        "missing_result",
        _WARNING,
        "Call without a result",
        "The conversation goes on without the answer: the model learns to make results up.",
        "Add a tool message with the result, or end the row at the call.",
    ),
    Rule(
        "ends_in_call",
        _INFO,
        "Ends in a call",
        "These rows stop at the call: they teach to call, and not how to use what comes back.",
        "Nothing needs mending; add rows with results if the model shall read them too.",
    ),
    Rule(
        "nothing_to_train",
        _ERROR,
        "Nothing to train on",
        "Only assistant turns are trained; without one the row costs time and teaches nothing.",
        "Add the assistant's answer, or delete the row.",
    ),
    Rule(
        "control_characters",
        _WARNING,
        "Control characters",
        "Invisible characters are seldom meant, and the model learns to write them.",
        "Remove them, or replace them with what was meant.",
    ),
    # -- preference pairs --------------------------------------------------------------------------
    Rule(
        "empty_answer",
        _ERROR,
        "Empty chosen or rejected answer",
        "A pair needs two answers to prefer one of them.",
        "Fill in the answer, or delete the pair.",
    ),
    Rule(
        "identical_pair",
        _ERROR,
        "Chosen equals rejected",
        "Equal answers have no preference between them: the gradient is zero.",
        "Make the rejected answer a real mistake, or delete the pair.",
    ),
    # -- length and template -----------------------------------------------------------------------
    Rule(
        "too_long",
        _WARNING,
        "Longer than max_length",
        "The end of the row is cut off: what stands there is not learned.",
        "Raise max_length, or shorten the row.",
    ),
    Rule(
        "answer_cut",
        _ERROR,
        "The answer is cut off",
        "max_length ends before the first trained token: the row costs time and teaches nothing.",
        "Raise max_length above the row's length, or shorten the row.",
    ),
    Rule(
        "call_cut",
        _ERROR,
        "A call is cut in half",
        "max_length falls inside a tool call: the model learns to stop in the middle of one.",
        "Raise max_length above the row's length, or shorten the row.",
    ),
    Rule(
        "template_fails",
        _ERROR,
        "The chat template refuses the row",
        "The model's own template cannot render this conversation.",
        "Bring the row into the form that the message names, or choose another model.",
    ),
    Rule(
        "template_drops",
        _ERROR,
        "The chat template drops tool use",
        "The model never sees what its template leaves out, so it cannot learn it.",
        "Choose a model whose template supports tools, or give the model another chat template.",
    ),
    Rule(
        "no_loss_mask",
        _WARNING,
        "No loss mask in the chat template",
        "Without {% generation %} marks each assistant turn becomes a row of its own: training is slower.",
        "Nothing breaks; where time matters, give the model a chat template with the marks.",
    ),
    # -- the file as a whole -----------------------------------------------------------------------
    Rule(
        "duplicate_row",
        _WARNING,
        "Exact duplicate",
        "A repeated row is learned by heart, and a copy in the evaluation split flatters results.",
        "Delete the copies.",
    ),
    Rule(
        "few_rows",
        _WARNING,
        "Few rows",
        "So few rows teach a form, not a skill, and the model soon knows them by heart.",
        "Collect more: some hundred varied rows for one narrow task, thousands for several tools.",
    ),
    Rule(
        "no_negatives",
        _WARNING,
        "No negative examples",
        "Without rows in which no tool fits, the model learns to call a tool always.",
        "Add rows whose request no offered tool serves, answered in words: 10 to 30% of all.",
    ),
    Rule(
        "no_error_recovery",
        _INFO,
        "No error recovery",
        "No row shows a failed call and its repair: the model has to guess what to do then.",
        "Add some rows in which a tool answers with an error and the next call is right.",
    ),
    Rule(
        "dominant_tool",
        _WARNING,
        "One tool dominates",
        "The model learns to prefer the tool that it saw most.",
        "Add rows for the other tools, or remove some of this one.",
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _ALL}
