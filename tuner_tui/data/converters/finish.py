"""`Finish`: the call by which the ToolBench family gives its final answer."""

from tuner_tui.data.examples import Message

FINISH = "Finish"


def with_answer(messages: list[Message]) -> list[Message]:
    """The messages, with a call of `Finish` that gives an answer as the text that it gives."""
    told: list[Message] = []
    for message in messages:
        answer = _answer(message)
        if answer is None:
            told.append(message)
            continue
        before = [message["content"]]
        if told and told[-1]["role"] == "assistant" and not told[-1].get("tool_calls"):
            before.insert(0, told.pop()["content"])  # text and `Finish` are two messages of one turn
        told.append({"role": "assistant", "content": "\n".join(filter(None, [*before, answer]))})
    return told


def calls_finish(message: Message) -> bool:
    """Whether the message calls `Finish`."""
    return any(call["function"]["name"] == FINISH for call in message.get("tool_calls", ()))


def _answer(message: Message) -> str | None:
    calls = message.get("tool_calls", ())
    if len(calls) != 1 or not calls_finish(message):
        return None
    answer = calls[0]["function"]["arguments"].get("final_answer")
    return answer if isinstance(answer, str) and answer.strip() else None
