"""Secrets, personal data, control characters and scripts in texts: what is found, what is none, how fast."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.data.examples import Message
from tuner_tui.data.texts.checks import (
    confidential,
    control_character,
    suspicious,
    without_control_characters,
)
from tuner_tui.data.texts.personal_data import luhn, personal_data
from tuner_tui.data.texts.scripts import answers_in_another, script
from tuner_tui.data.texts.secrets import secrets

# Random, and put together here, so that no scanner takes this file for a leak.
BODY = "a8Kd93jfLqP02mXzRt7Y1bNcQweR456tyUio"
SECRETS = {
    "AKIA" + "Z3KQ7PLM2NVB4XTY": "AKIA…4XTY",
    "ghp_" + BODY: "ghp_…yUio",
    "github_pat_" + BODY + BODY: "github_pat_…yUio",
    "glpat-" + BODY[:20]: "glpat-…Rt7Y",
    "xoxb-" + "2094817360-" + BODY: "xox…yUio",
    "https://hooks.slack.com/services/" + "T01AB2CD3/B04EF5GH6/" + BODY[:24]: "…1bNc",
    "AIza" + BODY[:35]: "AIza…tyUi",
    "hf_" + "aBcDzFgHiJkLmNoPqRsTuVwXyZabQdEfGh": "hf_…EfGh",
    "sk_live_" + BODY[:24]: "sk_live_…1bNc",
    "sk-" + BODY: "sk-…yUio",
    "sk-ant-api03-" + BODY: "sk-…yUio",
    "npm_" + BODY: "npm_…yUio",
    "pypi-" + BODY * 3: "pypi-…yUio",
    "eyJ" + BODY + ".eyJ" + BODY + "." + BODY: "eyJ…yUio",
    "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7bq3mXPl0ZkQy4TnVsd81uHnJfR2Wc9": "PRIVATE KEY",
    "postgres://bob:" + "S3cretPw9@db.intern/x": "postgres://…:…@",
    "DB_PASSWORD=" + "hunter77x": "password=…",
    '{"password": "' + 'hunter77x"}': "password=…",
    "api_key = '" + BODY + "'": "api_key =",
}


@pytest.mark.parametrize(("secret", "shown"), SECRETS.items())
def test_secrets_are_found_and_not_given_away(secret: str, shown: str) -> None:
    for text in (secret, f"Use {secret}, please.", f'"{secret}"'):
        ((rule, what),) = confidential(text)
        assert rule == "secret"
        assert shown in what
        assert secret not in what and len(what) < 80


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA" + "A" * 16,
        "sk-your-api-key-goes-right-here-0123",
        "sk-" + "x" * 40,
        "sk-learn-is-a-library-with-a-long-name",
        "task-a8Kd93jfLqP02mXzRt7Y1bNcQweR",
        "ghp_short",
        "password: must contain a digit and 8 characters",
        "Here is your new password: aB3#fG7!kL9@",
        "password=<your password>",
        "password=os.environ['PASSWORD']",
        "PASSWORD=password123",
        "https://user:password@example.com/",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "api_key=YOUR_API_KEY_GOES_HERE_12",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
        ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    ],
)
def test_what_is_made_up_is_no_secret(text: str) -> None:
    assert list(secrets(text)) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Write to maria.rossi@posteo.de.", "m…@posteo.de"),
        ("<maria+x@mail.uni-hd.de>", "m…@mail.uni-hd.de"),
        ("Call +49 170 4839207.", "+4…07"),
        ("Call (415) 867-5309 or 415-867-5309", "…09"),
        ("+1 (212) 736-5000", "+1…00"),
        ("4539 1488 0343 6467", "…6467"),
        ("the card 4539148803436467", "…6467"),
        ("3782-822463-10014", None),
        ("DE44 5001 0517 5407 3249 31", "DE…31"),
        ("DE44500105175407324931", "DE…31"),
    ],
)
def test_personal_data(text: str, what: str | None) -> None:
    found = list(confidential(text))
    assert [rule for rule, _ in found] == ["personal_data"] * (what is not None)
    assert all(what and what in sentence for _, sentence in found)


def test_a_bare_number_is_a_card_where_the_argument_says_so() -> None:
    assert list(personal_data("4539148803436467")) == []
    assert len(list(personal_data("4539148803436467", "credit_card"))) == 1


@pytest.mark.parametrize(
    "text",
    [
        *("user@example.com", "a@b.example", "maria@test.invalid", "support@posteo.de", "john.doe@posteo.de"),
        *("git@github.com", "@maria", "a@b", "x = a @ b.T", "maria@localhost", "decorated @app.route"),
        *("555-0134", "(212) 555-0100", "+1 415 555 2671", "+44 7700 900123", "+1234567890", "123-456-7890"),
        *("2023-10-05 12:30:44", "1696499999", "3.14159265358979", "192.168.100.200", "10,000,000,000"),
        *("4111 1111 1111 1111", "4242 4242 4242 4242", "4539 1488 0343 6468", "1234 5678 9012 3456"),
        *("GB29NWBK60161331926819", "DE45 5001 0517 5407 3249 31", "XX44 5001 0517 5407 3249 31"),
        *("ISBN 978-3-16-148410-0", "order 200-300-4000-5", "0x7fffffff", "Q4 2023 200 300 4000 items"),
    ],
)
def test_no_personal_data(text: str) -> None:
    assert list(personal_data(text)) == []


def test_check_digits() -> None:
    assert luhn("79927398713")
    assert not luhn("79927398710")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\x00b", "ab"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\u202eb\ufeff", "ab"),
        ("it\x92s", "it’s"),
        ("a\x81b", "ab"),
        ("tab\tand\r\nline", "tab\tand\r\nline"),
    ],
)
def test_control_characters_are_taken_out(text: str, clean: str) -> None:
    assert without_control_characters(text) == clean
    assert (control_character(text) is None) == (text == clean)
    assert control_character(clean) is None


FRAGMENTS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="0123456789 ().+-/@", max_size=24),
    st.sampled_from([*SECRETS, "password", "=", ": ", "@", ".com", "+49 ", "DE44 ", "é", "://", "\x1b["]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, max_size=8).map("".join))
def test_nothing_is_found_in_a_text_that_is_not_suspicious(text: str) -> None:
    if list(secrets(text)) or list(personal_data(text)) or control_character(text):
        assert suspicious(text)
    clean = without_control_characters(text)
    assert control_character(clean) is None or "\x1b" in text
    assert isinstance(script(text), str)


HOSTILE = [
    *(
        "a",
        "@",
        "a@",
        "1 ",
        "+1 ",
        "AB12",
        "a.",
        "eyJa.",
        "-eyJaaaaaaaaaaaa",
        "sk-a-",
        "api_key=",
        "password=",
    ),
    *("http://a:", "-----BEGIN PRIVATE KEY-----", "\x1b[", "\x1b]", "é1", "`", "https://", "明"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    list(secrets(text))
    list(personal_data(text))
    suspicious(text)
    without_control_characters(text)
    answers_in_another([{"role": "user", "content": f"é{text}"}, {"role": "assistant", "content": text}])
    # Measured 0.1 to 2.5 s; a quadratic pattern would take hours.
    assert time.perf_counter() - started < 60


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Will it rain?", "latin"),
        ("123 …", ""),
        ("", ""),
        ("Ça va où?", "latin"),
        ("Будет ли дождь? OK", "cyrillic"),
        ("会下雨吗？", "han"),
        ("雨は降りますか", "kana"),
        ("비가 올까요", "hangul"),
        ("هل ستمطر", "arabic"),
        ("Θα βρέξει;", "greek"),
        ("क्या बारिश होगी", "devanagari"),
    ],
)
def test_scripts(text: str, name: str) -> None:
    assert script(text) == name


def turns(*contents: str) -> list[Message]:
    return [
        {"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(contents)
    ]


ENGLISH = "It will stay dry tomorrow, so that you need no umbrella at all."
CHINESE = "明天罗马会下雨吗？我应该带一把雨伞吗？"


def test_an_answer_in_another_script() -> None:
    assert answers_in_another(turns(CHINESE, ENGLISH)) == (1, "han", "latin")
    assert answers_in_another(turns(ENGLISH, "不会，" * 10)) == (1, "latin", "han")
    assert answers_in_another(turns("Hi", "Hello!", CHINESE, ENGLISH)) == (3, "han", "latin")


@pytest.mark.parametrize(
    "messages",
    [
        turns(CHINESE, "不会下雨，您不需要带雨伞。"),
        turns(CHINESE, f"不会。\n```\n{ENGLISH}\n```"),
        turns(f"Translate into Chinese: {ENGLISH}", CHINESE * 2),
        turns(f"请翻译成英文：{CHINESE}", ENGLISH),
        turns("Roma?", CHINESE * 2),
        turns(CHINESE, "OK, 5 °C"),
        turns(CHINESE, "雨伞 umbrella: " + ENGLISH),
        turns("明日の天気を教えてください", "明日天気晴朗風力三級気温十五度明日天気晴朗"),
        [*turns(CHINESE), {"role": "assistant", "content": ENGLISH, "weight": 0}],
    ],
)
def test_an_answer_that_may_be_in_another_script(messages: list[Message]) -> None:
    assert answers_in_another(messages) is None
