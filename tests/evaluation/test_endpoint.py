"""An OpenAI-compatible server as the model, evaluated over HTTP on this machine."""

import json
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from chat_server import Reply, completion, serving
from gates import write_rows

from tuner_tui.cli import main
from tuner_tui.errors import UserError
from tuner_tui.evaluation.completions import parse_completion, wire_messages
from tuner_tui.evaluation.driver import converse
from tuner_tui.evaluation.endpoint import Endpoint, EndpointSpeaker, checked_url
from tuner_tui.evaluation.suites import open_suite

KEY = "sk-very-secret-0815"


@pytest.fixture
def heldout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GATE_KEY", KEY)
    return write_rows(tmp_path / "heldout.jsonl", 9)


def number_of(body: dict[str, Any]) -> int:
    return int(re.findall(r"\d+", body["messages"][-1]["content"])[-1])


def ask_all(url: str, heldout: Path, **more: Any) -> dict[str, dict[str, Any]]:
    """Every row of the suite, asked in this process."""
    settings: dict[str, Any] = {
        "model": "gatekeeper",
        "key": KEY,
        "key_name": "GATE_KEY",
        "concurrency": 4,
        "max_new_tokens": 64,
        "temperature": 0.0,
        "seed": 0,
    }
    speaker = EndpointSpeaker(Endpoint(url, **{**settings, **more}), lambda: False)
    task = open_suite("heldout", heldout)
    try:
        lines = converse(task, task.items, speaker, lambda _, messages: messages, lambda: False)
        return {line["id"]: line for part in lines for line in part}
    finally:
        speaker.close()


def test_a_server_is_evaluated_from_the_command_line(
    heldout: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    tried: Counter[int] = Counter()

    def reply(body: dict[str, Any]) -> Reply:
        number = number_of(body)
        tried[number] += 1
        if tried[number] == 1 and number in (1, 2, 4):
            return (429, 500, 503)[number // 2], {"error": {"message": "busy"}}
        if number % 3 == 0:
            return completion("I cannot do that.")
        if number == 4:
            return completion(None, [("open_gate", '{"number": "4"}')])
        if number == 5:  # a server that leaves calls in the text
            return completion('<tool_call>{"name": "open_gate", "arguments": {"number": 5}}</tool_call>')
        return completion(None, [("open_gate", json.dumps({"number": number}))])

    with serving(reply) as server:
        words = ["eval", "gatekeeper", "--endpoint", f"{server.url}/", "--api-key-env", "GATE_KEY"]
        assert main([*words, "--data", str(heldout), "--json"]) == 0
        summary = json.loads(capsysbinary.readouterr().out)
        headers, body = server.seen[0]
        requests = len(server.seen)
        assert main([*words, "--data", str(heldout), "--json"]) == 0
        assert len(server.seen) == requests, "nothing was left to ask"
    rates = summary["arms"]["base"]
    assert (rates["full_match"]["count"], rates["full_match"]["total"]) == (5, 6)
    assert (rates["no_call"]["count"], rates["errors"]) == (3, {"wrong_type": 1})
    assert rates["strict_format"]["total"] == 0
    assert any("Strict format was not measured" in note for note in summary["notes"])
    assert summary["tokens"] == {"base": 9 * 7} and summary["settings"]["endpoint"] == server.url
    assert requests == 9 + 3 and headers["Authorization"] == f"Bearer {KEY}"
    assert (body["path"], body["model"], body["temperature"]) == ("/v1/chat/completions", "gatekeeper", 0)
    assert body["tools"][0]["function"]["name"] == "open_gate" and body["max_tokens"] == 256
    for path in (tmp_path / "home").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_requests_go_out_together(heldout: Path) -> None:
    gate = threading.Barrier(3)

    def reply(body: dict[str, Any]) -> Reply:
        gate.wait(timeout=20)
        return completion("No.")

    with serving(reply) as server:
        found = ask_all(server.url, heldout, concurrency=3)
    assert len(found) == 9 and server.most_at_once == 3


def test_what_a_server_refuses_is_told(heldout: Path) -> None:
    def reply(body: dict[str, Any]) -> Reply:
        if number_of(body) == 2:
            return 400, {"error": {"message": "This model's maximum context length is 10 tokens"}}
        if number_of(body) == 4:
            return 400, {"error": "content filter"}
        return completion("No.")

    with serving(reply) as server:
        found = ask_all(server.url, heldout)
    assert {name: line["error"] for name, line in found.items() if line.get("reason")} == {
        "2": "too_long",
        "4": "refused",
    }
    assert found["4"]["reason"] == "status 400: content filter" and not found["4"]["verdict"]["right"]


@pytest.mark.parametrize(
    ("status", "value", "words"),
    [
        (
            401,
            {"error": {"message": f"no such key {KEY}"}},
            r"wants another key in GATE_KEY: no such key \*\*\*",
        ),
        (
            404,
            {"error": {"message": "no such model"}},
            "with the model 'gatekeeper' is not there.*no such model",
        ),
        (302, {}, "status 302"),
        (200, b"<html>hello</html>", "no JSON"),
        (200, {"choices": []}, "no chat completion"),
        (500, {"error": {"message": "on fire"}}, "did not answer in 6 tries .status 500: on fire.*go on"),
        (
            400,
            {"error": {"message": "tools are off"}},
            "none of the first 9 items could be put.*tools are off",
        ),
    ],
)
def test_a_server_that_cannot_answer_ends_it_in_words(
    heldout: Path, status: int, value: Any, words: str
) -> None:
    with serving(lambda _: (status, value)) as server, pytest.raises(UserError, match=words):
        ask_all(server.url, heldout)


def test_nobody_listens(heldout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tuner_tui.evaluation import endpoint

    monkeypatch.setattr(endpoint, "_TRIES", 1)
    with serving(lambda _: completion("")) as server:
        url = server.url
    with pytest.raises(UserError, match=r"did not answer in 1 tries .*refused"):
        ask_all(url, heldout)


def test_a_wrong_call_is_refused_in_one_line(
    heldout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["eval", "m", "--data", str(heldout)]
    assert main([*words, "--endpoint", "localhost:8000"]) == 2
    assert main([*words, "--endpoint", "http://user:word@localhost/v1"]) == 2
    monkeypatch.delenv("GATE_KEY")
    assert main([*words, "--endpoint", "http://localhost:1/v1", "--api-key-env", "GATE_KEY"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3 and "http://localhost:8000/v1" in told[0] and "GATE_KEY is not set" in told[2]
    assert "word" not in told[1].replace("password", "")
    assert checked_url("http://h/v1/chat/completions/") == "http://h/v1"


def test_answers_are_seeded_and_an_older_name_of_the_limit_is_given_up(heldout: Path) -> None:
    def reply(body: dict[str, Any]) -> Reply:
        if "max_tokens" in body:
            return 400, {"error": {"message": "Unsupported: use 'max_completion_tokens' instead."}}
        return completion("No.")

    with serving(reply) as server:
        assert len(ask_all(server.url, heldout, temperature=0.7, concurrency=1)) == 9
    asked = [body for _, body in server.seen if "max_completion_tokens" in body]
    assert len({body["seed"] for body in asked}) == len(asked) == 9 == len(server.seen) - 1


def test_messages_on_the_wire_and_back() -> None:
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    wired = wire_messages(
        [
            {"role": "user", "content": "x"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [call, call],
            },
            {"role": "tool", "content": "1", "name": "f"},
            {"role": "tool", "content": "2", "name": "f"},
        ]
    )
    ids = [call["id"] for call in wired[1]["tool_calls"]]
    assert [message["tool_call_id"] for message in wired[2:]] == ids and len(set(ids)) == 2
    assert wired[1]["tool_calls"][0]["function"]["arguments"] == '{"a": 1}'
    answer = parse_completion(completion("Sure.", [("f", '{"a": 1}'), ("f", "{a}")])[1])
    assert (len(answer.parsed.calls), answer.parsed.error) == (1, "a call whose arguments are no JSON object")
    hostile = parse_completion(completion("\ud800", [("\udfff", '{"a": NaN}')])[1])
    assert hostile.parsed.error and hostile.text.encode()
