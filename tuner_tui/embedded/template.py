"""Render a conversation through the chat template with jinja2 alone, as transformers would."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tuner_tui.embedded.forms import to_json

TEMPLATE_FILE = Path(__file__).parent / "chat_template.jinja"


class _Generation(Extension):
    """Reads `{% generation %}` blocks as if their markers were not there."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))


_ENVIRONMENT = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation])
_ENVIRONMENT.filters["tojson"] = to_json
_TEMPLATE = _ENVIRONMENT.from_string(TEMPLATE_FILE.read_text(encoding="utf-8"))


def render(messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]] = ()) -> str:
    """The text of a conversation, without an opening for another answer."""
    return _TEMPLATE.render(messages=messages, tools=tools, add_generation_prompt=False)
