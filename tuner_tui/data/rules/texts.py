"""Rules for what stands in the texts."""

from tuner_tui.data.rules.model import Rule, Severity

TEXTS = (
    Rule(
        "call_in_text",
        Severity.ERROR,
        "Call in the text",
        "The call is trained as words: the model learns to spell the marks of another model's calls, and no "
        "program sees that it called.",
        '{"role": "assistant", "content": "[find_hotel(city=\\"Rome\\")]"}',
        "Write the call in `tool_calls`, or name the file's layout with --format.",
    ),
    Rule(
        "call_mark",
        Severity.WARNING,
        "Mark of a call in the text",
        "A chat template or a program may take the words after it for a call.",
        '"content": "Calls stand between <tool_call> and </tool_call>."',
        "If it is meant to be a call, write it in `tool_calls`; if it is spoken of, nothing needs mending.",
    ),
    Rule(
        "control_characters",
        Severity.WARNING,
        "Control characters",
        "Invisible characters are seldom meant, and the model learns to write them.",
        '"Rome\\u0000", "\\u001b[31mred"',
        "Remove them, or replace them with what was meant.",
        safe=True,
    ),
    Rule(
        "secret",
        Severity.WARNING,
        "Suspected secret",
        "A model can repeat what it was trained on, word for word, to anybody who asks.",
        '"Authorization: Bearer sk-…Ab3f" in an assistant turn',
        "Replace it with a made-up value, and revoke the real one: it has been copied already.",
    ),
    Rule(
        "personal_data",
        Severity.WARNING,
        "Suspected personal data",
        "A model can repeat an address or a number that it was trained on, and the law asks for a reason to "
        "keep it.",
        '"Write to maria.rossi@…" in an assistant turn',
        "Replace it with a documentation value (user@example.com, 555-0100), if it belongs to a person.",
    ),
    Rule(
        "mixed_languages",
        Severity.WARNING,
        "Answered in another script",
        "The user writes in one script and the assistant answers in another: "
        "the model learns to change the language by itself.",
        'user: "明天会下雨吗？" assistant: "No, it stays dry."',
        "Answer in the user's language, or delete the row; a translation that was asked for is all right.",
    ),
    Rule(
        "several_languages",
        Severity.INFO,
        "Several scripts",
        "Users of this file write in more than one script; each of them needs enough rows of its own.",
        "9,120 rows latin, 310 han, 44 cyrillic",
        "Nothing needs mending if it is meant; see that the evaluation has rows of each.",
    ),
)
