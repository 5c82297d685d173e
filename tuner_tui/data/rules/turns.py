"""Rules for the conversation: the order of its turns, calls and their results."""

from tuner_tui.data.rules.model import Rule, Severity

TURNS = (
    Rule(
        "empty_turn",
        Severity.ERROR,
        "Empty assistant turn",
        "Neither text nor a call: the model learns to answer with nothing.",
        '{"role": "assistant", "content": ""}',
        "Fill in the answer, or delete the turn.",
    ),
    Rule(
        "empty_request",
        Severity.WARNING,
        "Empty user turn",
        "The assistant answers what nobody said: the model learns to make requests up.",
        '{"role": "user", "content": ""}',
        "Fill in what the user said, or delete the turn and its answer.",
    ),
    Rule(
        "empty_system",
        Severity.INFO,
        "Empty system turn",
        "It says nothing, and some chat templates put their own default text in its place.",
        '{"role": "system", "content": ""}',
        "Delete the turn.",
        safe=True,
    ),
    Rule(
        "role_order",
        Severity.ERROR,
        "Roles out of order",
        "At inference the turns never come in this order, and many chat templates refuse it.",
        "user, user, assistant",
        "Order the turns: system, user, assistant, and tool results after the call they answer.",
    ),
    Rule(
        "unusual_order",
        Severity.WARNING,
        "Unusual order of roles",
        "An assistant that speaks first, or a system turn in the middle: some chat templates refuse it, and "
        "others move the system turn to the front.",
        "system, assistant, user, assistant",
        "Nothing needs mending if it is so at inference, too; else put the system turn first and let the "
        "user begin.",
    ),
    Rule(
        "orphan_result",
        Severity.ERROR,
        "Tool result without a call",
        "The result answers no call before it: the model learns to react to what it never asked.",
        "user, tool, assistant",
        "Add the call before the result, or delete the result.",
    ),
    Rule(
        "orphan_id",
        Severity.ERROR,
        "Result with a strange id",
        "The id of the result is that of no open call, so that nobody can say which call it answers.",
        '"id": "call_1" … "tool_call_id": "call_7"',
        "Give the result the id of the call that it answers.",
        safe=True,
    ),
    Rule(
        "repeated_id",
        Severity.WARNING,
        "Call id used twice",
        "Two calls of one id make it a guess which result belongs to which.",
        '"tool_calls": [{"id": "call_1", …}, {"id": "call_1", …}]',
        "Give every call of the row an id of its own, and its result the same.",
    ),
    Rule(
        "missing_result",
        Severity.WARNING,
        "Call without a result",
        "The conversation goes on without the answer: the model learns to make results up.",
        "user, assistant with a call, user",
        "Add a tool message with the result, or end the row at the call.",
    ),
    Rule(
        "ends_in_call",
        Severity.INFO,
        "Ends in a call",
        "These rows stop at the call: they teach to call, and not how to use what comes back.",
        "user, assistant with a call",
        "Nothing needs mending; add rows with results if the model shall read them too.",
    ),
    Rule(
        "nothing_to_train",
        Severity.ERROR,
        "Nothing to train on",
        "Only assistant turns are trained; without one the row costs time and teaches nothing.",
        '{"messages": [{"role": "user", "content": "Find a hotel."}]}',
        "Add the assistant's answer, or delete the row.",
    ),
)
