"""Chat templates rendered as transformers renders them, without transformers.

The environment is that of `transformers.utils.chat_template_utils` (5.23): sandboxed and immutable,
`trim_blocks` and `lstrip_blocks`, loop controls, a `tojson` without HTML or ASCII escapes, `raise_exception`,
`strftime_now`, and the `{% generation %}` block, which marks what the assistant wrote.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.environment import Environment
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import CallBlock
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

Span = tuple[int, int]
"""Characters of the rendered text, from and to (exclusive)."""

_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
# Whatever a template can raise: it is a program that somebody else wrote.
_FAILURES = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


_PLAIN_JSON = json.JSONEncoder(ensure_ascii=False)


class TemplateFailure(ValueError):
    """The template refuses the conversation, or is no template; the message is the template's own."""


def marks_generation(source: str) -> bool:
    """Whether a template's source marks what the assistant writes."""
    return _GENERATION.search(source) is not None


class Template:
    """A compiled chat template. Not to be shared between threads: it keeps spans while it renders."""

    def __init__(self, source: str) -> None:
        """Compile the source.

        Raises:
            TemplateFailure: it is not valid Jinja.
        """
        self.marks_generation = marks_generation(source)
        environment = _environment()
        self._spans = _Generation.of(environment)
        try:
            self._template = environment.from_string(source)
        except TemplateError as error:
            raise TemplateFailure(f"the chat template is not valid Jinja: {error}") from None

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        special_tokens: Mapping[str, str],
        *,
        generation_prompt: bool = False,
    ) -> tuple[str, list[Span]]:
        """The text of the conversation, and the spans of it that the assistant wrote.

        The messages go to the template as they are; see `shaping.Shape` for what a template may need. There
        are no spans when the template has no generation marks.

        Raises:
            TemplateFailure: the template raises, on purpose or by mistake.
        """
        blocks: list[str] = []
        self._spans.begin()
        try:
            for block in self._template.generate(
                **special_tokens,
                messages=[_as_transformers(message) for message in messages],
                tools=list(tools) or None,
                documents=None,
                add_generation_prompt=generation_prompt,
            ):
                blocks.append(block)
                self._spans.position += len(block)
        except _FAILURES as error:
            raise TemplateFailure(str(error) or type(error).__name__) from None
        return "".join(blocks), list(self._spans.found)


class _Generation(Extension):
    """`{% generation %}...{% endgeneration %}`: renders its body, and notes where it stands in the text."""

    tags = {"generation"}

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.begin()

    @staticmethod
    def of(environment: Environment) -> "_Generation":
        extension = environment.extensions[_Generation.identifier]
        assert isinstance(extension, _Generation)
        return extension

    def begin(self) -> None:
        self.position = 0  # characters rendered before the present block
        self.found: list[Span] = []

    def parse(self, parser: Parser) -> CallBlock:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        block = CallBlock(self.call_method("_note"), [], [], body)
        block.set_lineno(line)
        return block

    def _note(self, caller: Callable[[], str]) -> str:
        text = caller()
        self.found.append((self.position, self.position + len(text)))
        return text


def _environment() -> Environment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = _now
    return environment


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    if indent is None and not (ensure_ascii or separators or sort_keys):
        return _PLAIN_JSON.encode(value)  # the usual case, without a new encoder each time
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def _now(format: str) -> str:
    return datetime.now().strftime(format)


def _as_transformers(message: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without nulls, and with reasoning under both of the names by which templates read it."""
    copy = {key: value for key, value in message.items() if value is not None}
    reasoning = copy.get("reasoning_content")
    return copy if reasoning is None else {"thinking": reasoning, **copy}
