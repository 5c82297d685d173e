"""Requests that the embedded model can answer with a call when it is told how, and tools that can be
executed."""

import json
from pathlib import Path

HOW = (
    "When a tool can serve the request, answer only with a tool call:\n<tool_call>\n"
    '{"name": "name of the tool", "arguments": {"name of the argument": "value"}}\n</tool_call>'
)
TOOLS = '''
def get_weather(city: str, days: int = 1) -> dict:
    """The weather.

    Args:
        city: The city.
        days: For how many days.
    """
    if city == "Atlantis":
        raise ValueError("no such city")
    return {"weather": "quartz", "days": days}
'''


def tool(name: str, **types: str) -> dict[str, object]:
    properties = {key: {"type": kind} for key, kind in types.items()}
    function = {
        "name": name,
        "description": f"{name.replace('_', ' the ').capitalize()}.",
        "parameters": {"type": "object", "properties": properties, "required": list(types)[:1]},
    }
    return {"type": "function", "function": function}


def request(city: str, *, due: bool = True) -> dict[str, object]:
    """A request for the weather, its call, and a result and an answer in words; or one that no tool
    serves."""
    ask = [{"role": "system", "content": HOW}, {"role": "user", "content": f"Get the weather in {city}."}]
    if not due:
        words = {"role": "assistant", "content": "None of the tools can get the weather."}
        return {"messages": [*ask, words], "tools": [tool("play_song", title="string", loud="boolean")]}
    call = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": city}}}
    return {
        "messages": [
            *ask,
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "name": "get_weather", "content": '{"weather": "wet"}'},
            {"role": "assistant", "content": "It is wet."},
        ],
        "tools": [tool("get_weather", city="string", days="integer")],
    }


def write_rows(path: Path, *cities: str, due: bool = True) -> Path:
    rows = [request(city) for city in cities]
    rows += [request(city, due=False) for city in cities[:2] if not due]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
