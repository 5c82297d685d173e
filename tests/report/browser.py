"""Headless Chromium, led over its debugging pipe: no port, no driver, no package.

The protocol is https://chromedevtools.github.io/devtools-protocol/: JSON objects that end with a zero byte,
to file descriptor 3 of the browser and from its descriptor 4.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 120.0
_CLEAR = 10
"""The lowest descriptor that is free of the two that the browser takes."""

PROGRAM = next((found for name in _NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page in one browser; `requests` are the URLs that it has asked for."""

    def __init__(self, profile: Path) -> None:
        assert PROGRAM is not None
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _CLEAR) for end in (to_browser, from_browser)]
        argv = [PROGRAM, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        argv += ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        argv += ["--no-sandbox"] if os.geteuid() == 0 else []  # its sandbox refuses to run for root
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,  # all others are not inheritable
            preexec_fn=lambda: [os.dup2(end, number) for number, end in enumerate(ends, 3)] and None,
        )
        for end in (to_browser, from_browser, *ends):
            os.close(end)
        self._buffer = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self._session: str | None = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("Network.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def open(self, page: Path, width: int, scheme: str) -> None:
        """Show a file at a width in CSS pixels, in the colour scheme "light" or "dark"."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme_now = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", media="screen", features=scheme_now)
        self._events.clear()
        self.ask("Page.navigate", url=page.absolute().as_uri())
        self._wait(lambda message: message.get("method") == "Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives in the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"]["value"]

    def print_media(self) -> None:
        """Show the page as it is printed."""
        self.ask("Emulation.setEmulatedMedia", media="print", features=[])

    def pdf(self) -> bytes:
        """The page on paper."""
        return base64.b64decode(self.ask("Page.printToPDF", preferCSSPageSize=True)["data"])

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        answer = self._wait(lambda received, number=self._number: received.get("id") == number)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for message in self._events:
            if wanted(message):
                return message
        until = time.monotonic() + _SECONDS
        while True:
            message = self._receive(until)
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            self._events.append(message)
            if wanted(message):
                return message

    def _receive(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
            assert ready, "the browser did not answer in time"
            read = os.read(self._in, 2**20)
            assert read, "the browser has ended"
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\0")
        received: dict[str, Any] = json.loads(line)
        return received
