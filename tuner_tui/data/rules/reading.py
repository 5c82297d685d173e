"""Rules for a row that cannot be read, or not as an example."""

from tuner_tui.data.rules.model import Rule, Severity

READING = (
    Rule(
        "not_json",
        Severity.ERROR,
        "Not JSON",
        "The row cannot be read at all, so nothing of it reaches the model.",
        '{"messages": [{"role": "user", "content": "Find a ho',
        "Mend what the message names, or delete the row.",
    ),
    Rule(
        "not_object",
        Severity.ERROR,
        "Not an object",
        'A row is one example: a JSON object such as {"messages": [...], "tools": [...]}.',
        '["Find a hotel.", "Which city?"]',
        "Wrap the values in an object with the keys of a known layout, or delete the row.",
    ),
    Rule(
        "unknown_layout",
        Severity.ERROR,
        "Unknown layout",
        "The row does not have the keys of the layout that the rest of the file has.",
        '{"frage": "…", "antwort": "…"} among rows of {"messages": […]}',
        "Give it the same keys as the other rows, or move it to a file of its own.",
    ),
    Rule(
        "bad_message",
        Severity.ERROR,
        "Malformed message",
        "A message needs a role and text (or tool calls); anything else cannot be rendered.",
        '{"role": "wizard", "content": "…"}',
        "Correct the message that is named, or delete the row.",
    ),
    Rule(
        "unparseable_arguments",
        Severity.ERROR,
        "Unparseable arguments",
        "Trained on broken arguments, a model learns to write calls that no program can execute.",
        '"arguments": "{\\"city\\": \\"Rome\\""',
        "Write the arguments as a JSON object.",
    ),
    Rule(
        "no_answer",
        Severity.ERROR,
        "Row without an answer",
        "The row holds a question, an answer key or a tool declaration, and nothing that an assistant said.",
        '{"query": "Find a hotel.", "api_list": […]}',
        "Give the file that holds the conversations; this one goes with it.",
    ),
    Rule(
        "missing_companion",
        Severity.ERROR,
        "A file beside it is missing",
        "The tools or the answers of this layout stand in a second file, which is not there.",
        "Seal-Tools without its tool.jsonl",
        "Put the second file where the message says, and inspect again.",
    ),
    Rule(
        "arrow_nulls",
        Severity.INFO,
        "Nulls of a columnar file",
        "Parquet and Arrow give every row of a nested column the same fields, and put null where there was "
        "nothing. Such nulls cannot be told from those that were meant, and all of them were left out.",
        '{"city": "Rome", "days": null, "radius": null} → {"city": "Rome"}',
        "Nothing needs mending; where a null is meant, keep the arguments as JSON text in the columnar file.",
    ),
)
