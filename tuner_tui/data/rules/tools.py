"""Rules for the declared tools and the calls of them."""

from tuner_tui.data.rules.model import Rule, Severity

TOOLS = (
    Rule(
        "tools_not_list",
        Severity.ERROR,
        "Tools are not a list",
        "Chat templates show the model a list of tools; anything else fails or is dropped.",
        '"tools": "find_hotel"',
        'Write `tools` as a list of {"type": "function", "function": {...}}.',
    ),
    Rule(
        "invalid_tool",
        Severity.ERROR,
        "Invalid tool schema",
        "A tool needs a name and parameters in valid JSON Schema, or its calls cannot be checked.",
        '"parameters": {"type": "object", "properties": ["city"]}',
        "Correct the tool's definition: https://json-schema.org/understanding-json-schema.",
    ),
    Rule(
        "duplicate_tool",
        Severity.WARNING,
        "Duplicate tool",
        "Two tools of one name leave the model no way to say which of them it means.",
        '"tools": [{… "name": "find_hotel" …}, {… "name": "find_hotel" …}]',
        "Keep one of them, or rename the other.",
        safe=True,
    ),
    Rule(
        "normalised_schema",
        Severity.INFO,
        "Schema was normalised",
        "The tools were not written in JSON Schema. They are read as such, and this is what is trained on "
        "and what calls are checked against.",
        '"days": {"type": "int, optional"} → "days": {"type": "integer"}',
        "Nothing needs mending; look at one row, whether the tools mean what they meant.",
        safe=True,
    ),
    Rule(
        "renamed_tool",
        Severity.WARNING,
        "Tool was renamed",
        "Providers and chat templates allow names of letters, digits, _ and - only, up to 64 of them; "
        "the tool and its calls were given such a name.",
        '"math.area" → "math_area"',
        "Give the tool the same name where the model will be used.",
        safe=True,
    ),
    Rule(
        "undeclared_tool",
        Severity.ERROR,
        "Call of an undeclared tool",
        "The call names a tool that the row does not offer: the model learns to invent tools.",
        'book_hotel(city="Rome") where only find_hotel is offered',
        "Add the tool to `tools`, or correct the name.",
    ),
    Rule(
        "missing_argument",
        Severity.ERROR,
        "Missing required argument",
        "The model learns to leave out what the tool cannot do without.",
        'find_hotel(guests=2) where "city" is required',
        "Add the argument, or take it out of the schema's `required`.",
    ),
    Rule(
        "wrong_type",
        Severity.ERROR,
        "Argument against its schema",
        "A value of the wrong type, or outside the allowed values, is refused by the real tool.",
        '"guests": "two" where the schema wants an integer',
        "Write a value that the tool's schema allows.",
        safe=True,
    ),
    Rule(
        "unknown_argument",
        Severity.ERROR,
        "Unknown argument",
        "The tool declares no such argument: the model learns to invent arguments.",
        'find_hotel(city="Rome", pool=true) where there is no "pool"',
        "Remove the argument, or declare it in the tool's `properties`.",
        safe=True,
    ),
)
