"""The door to a server that answers: chat completions as OpenAI defined them, which vLLM, llama.cpp, Ollama
and most hosted models speak (https://platform.openai.com/docs/api-reference/chat/create).

The key comes from the environment and goes into the request's header; it is written nowhere, and what a
server says is stripped of it before it is shown.
"""

import json
import os
import random
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, NoReturn

from tuner_tui.errors import UserError
from tuner_tui.evaluation.completions import parse_completion, wire_messages
from tuner_tui.evaluation.driver import Failure, Stopped
from tuner_tui.evaluation.layout import Request
from tuner_tui.evaluation.tasks import Answer, Ask, Weigh, Weights

_TIMEOUT_SECONDS = 600.0
"""For one answer: a long one, from a busy server."""

_TRIES = 6
_LONGEST_WAIT = 60.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_POLL_SECONDS = 0.2
_MOST_BYTES = 32 * 2**20
_TOO_LONG = ("context length", "context_length", "context window", "maximum context", "too long", "n_ctx")


class _Refused(Exception):
    """The server's word against one request: its status, and what it said."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key is for the host that was named, and for no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and a model on it. `key` is "" for none."""

    url: str
    model: str
    key: str
    key_name: str
    concurrency: int
    max_new_tokens: int
    temperature: float
    seed: int

    @classmethod
    def of(cls, request: Request) -> "Endpoint":
        """The server that a request names.

        Raises:
            UserError: it is no URL, or the environment has no such key.
        """
        url = checked_url(request.endpoint or "")
        name = request.api_key_env or ""
        key = os.environ.get(name, "") if name else ""
        if name and not key:
            raise UserError(f"the environment variable {name} is not set; it must hold the server's key.")
        return cls(
            url,
            request.model,
            key,
            name,
            request.concurrency,
            request.max_new_tokens,
            request.temperature,
            request.seed,
        )

    def speaker(self, arm: str, cancelled: Callable[[], bool]) -> "EndpointSpeaker":
        """What answers an arm's questions; the arms differ in their prompts alone."""
        return EndpointSpeaker(self, cancelled)

    def spoken(self, arm: str) -> NoReturn:
        """Refused: a server shows no model."""
        raise UserError("this suite asks a loaded model by itself, which a server does not show.")


def checked_url(text: str) -> str:
    """The URL below which `/chat/completions` is.

    Raises:
        UserError: it is no http or https URL.
    """
    url = text.strip().rstrip("/").removesuffix("/chat/completions")
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{text!r} is no address of a server; write it like http://localhost:8000/v1.")
    if parts.username or parts.password:
        raise UserError("an address with a password in it would be stored; use --api-key-env instead.")
    return url


class EndpointSpeaker:
    """See `driver.Speaker`. To be closed."""

    knows_format = False
    engine = "chat completions"

    def __init__(self, endpoint: Endpoint, cancelled: Callable[[], bool]) -> None:
        self._endpoint = endpoint
        self._cancelled = cancelled
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(endpoint.concurrency, thread_name_prefix="ask")
        self._open: dict[Future[Answer | Failure], int] = {}
        self._limit_field = "max_tokens"
        self._since = time.perf_counter()
        self._opener = urllib.request.build_opener(_NoRedirect)

    @property
    def width(self) -> int:
        return 2 * self._endpoint.concurrency

    def submit(self, key: int, ask: Ask) -> None:
        """Take a question."""
        if not self._open:
            self._since = time.perf_counter()
        self._open[self._pool.submit(self._answer, key, ask)] = key

    def ready(self) -> list[tuple[int, Answer | Failure]]:
        """What has been answered since the last call."""
        done: set[Future[Answer | Failure]] = set()
        while self._open and not done:
            if self._cancelled():
                raise Stopped
            done, _ = wait(self._open, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        now = time.perf_counter()
        seconds = (now - self._since) / max(len(done), 1)
        self._since = now
        found = []
        for future in done:
            answer = future.result()
            if isinstance(answer, Answer):
                answer = Answer(answer.text, answer.parsed, answer.tokens, seconds, answer.cut)
            found.append((self._open.pop(future), answer))
        return found

    def weigh(self, requests: Sequence[Weigh]) -> list[Weights] | None:
        """Chat completions tell no log-likelihoods of given texts."""
        return None

    def close(self) -> None:
        """Let requests that wait for another try go; those on their way are not waited for."""
        self._over.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, key: int, ask: Ask) -> Answer | Failure:
        endpoint = self._endpoint
        body: dict[str, Any] = {
            "model": endpoint.model,
            "messages": wire_messages(ask.messages),
            "temperature": endpoint.temperature,
            "stream": False,
        }
        if ask.tools:
            body["tools"] = ask.tools
        if endpoint.temperature:
            # Another one for each answer, or the repeats would be the same.
            body["seed"] = (endpoint.seed * 1_000_003 + key) % 2**31
        try:
            try:
                return parse_completion(self._post({**body, self._limit_field: endpoint.max_new_tokens}))
            except _Refused as error:
                if "max_completion_tokens" not in str(error) or self._limit_field != "max_tokens":
                    raise
                self._limit_field = "max_completion_tokens"
                return parse_completion(self._post({**body, self._limit_field: endpoint.max_new_tokens}))
        except _Refused as error:
            words = str(error)
            if error.status in (401, 403):
                named = f"in {endpoint.key_name}" if endpoint.key_name else "(name it with --api-key-env)"
                raise UserError(f"{endpoint.url} wants another key {named}: {words}") from None
            if error.status == 404 or error.status < 400:
                raise UserError(
                    f"{endpoint.url}/chat/completions with the model {endpoint.model!r} is not there "
                    f"(status {error.status}): {words}"
                ) from None
            too_long = any(mark in words.lower() for mark in _TOO_LONG)
            return Failure("too_long" if too_long else "refused", f"status {error.status}: {words}")

    def _post(self, body: Mapping[str, Any]) -> Any:
        """The server's answer as JSON, after as many tries as it takes.

        Raises:
            _Refused: it will not answer this request.
            UserError: it does not answer at all, or with what is no JSON.
        """
        endpoint = self._endpoint
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if endpoint.key:
            headers["Authorization"] = f"Bearer {endpoint.key}"
        data = json.dumps(body, default=str).encode()
        reason = ""
        for attempt in range(_TRIES):
            asked = ""
            try:
                request = urllib.request.Request(f"{endpoint.url}/chat/completions", data, headers)
                with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
                    return _json(response.read(_MOST_BYTES), endpoint.url)
            except urllib.error.HTTPError as error:
                with error:
                    words = self._without_key(_message(error.read(_MOST_BYTES)))
                    asked = error.headers.get("Retry-After", "")
                if error.code not in _AGAIN:
                    raise _Refused(error.code, words) from None
                reason = f"status {error.code}: {words}"
            except (OSError, urllib.error.URLError) as error:
                reason = self._without_key(str(getattr(error, "reason", error)) or type(error).__name__)
            if attempt + 1 < _TRIES and self._over.wait(_pause(attempt, asked)):
                raise Stopped
        raise UserError(
            f"{endpoint.url} did not answer in {_TRIES} tries ({reason}); start the evaluation again to go "
            "on where it was."
        )

    def _without_key(self, text: str) -> str:
        return text.replace(self._endpoint.key, "***") if self._endpoint.key else text


def _pause(attempt: int, asked: str) -> float:
    """Seconds before the next try: what the server asks for, else 1, 2, 4 ... with some chance in it, so
    that many requests do not come again together."""
    try:
        return min(max(float(asked), 0.0), _LONGEST_WAIT)
    except ValueError:
        return min(2.0**attempt * random.uniform(0.75, 1.25), _LONGEST_WAIT)


def _json(content: bytes, url: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise UserError(f"{url} answers with what is no JSON; is it an OpenAI-compatible server?") from None


def _message(content: bytes) -> str:
    """What a server says is wrong, in one line."""
    text = content.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict):
        inner = value.get("error", value)
        text = str(inner.get("message", text)) if isinstance(inner, dict) else str(inner)
    return " ".join(text.split())[:300]
