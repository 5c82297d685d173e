"""The rendered row and its loss mask, against transformers itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from data_rows import TOOL, answer, call, example, result, user
from families import lengths, model_with, trl_template, without_marks
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.data.examples import conversation
from tuner_tui.data.rendering import masks
from tuner_tui.data.rendering.preflight import check_template
from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.data.rendering.probe import Part, parts_of
from tuner_tui.data.rendering.template import Template, TemplateFailure
from tuner_tui.data.rules import Severity
from tuner_tui.errors import UserError
from tuner_tui.paths import embedded_model

EXAMPLES = [
    example(user(), answer("", call(city="Rome")), result(name="weather"), answer("Yes, it will.")),
    example({"role": "system", "content": "Be brief."}, user(), answer('Sì — 🙂 "quoted" <b>&amp;</b>')),
    example(
        user(), answer("Looking.", call(city="Ōsaka", days=2, hours=[1.5, 2], place={"country": "日本"}))
    ),
    example(user("  spaces \n\n and lines "), answer("Yes."), user("Sure?"), answer("Yes."), tools=[]),
    example(
        user(),
        answer("", call(city="Rome"), call(city="Oslo")),
        result("dry"),
        result("wet"),
        answer("Oslo."),
    ),
    {
        "prompt": [user()],
        "chosen": [answer("", call(city="Rome"))],
        "rejected": [answer("No.")],
        "tools": [TOOL],
    },
]
EMBEDDED = ChatTemplate.load(embedded_model())


@pytest.fixture
def embedded() -> ChatTemplate:
    return EMBEDDED


def test_what_is_trained_is_what_the_assistant_wrote(embedded: ChatTemplate) -> None:
    rendered = embedded.render(EXAMPLES[0])
    trained = "".join(token.text for token in rendered.tokens if token.trained)
    assert '"city": "Rome"' in trained
    assert "Yes, it will." in trained
    assert "Will it rain" not in trained
    assert "<tool_response>" not in trained
    assert embedded.marks_generation


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=60), reply=st.text(min_size=1, max_size=60))
def test_tokens_spell_the_text(text: str, reply: str) -> None:
    rendered = EMBEDDED.render(example(user(text), answer(reply)))
    assert "".join(token.text for token in rendered.tokens) == rendered.text


def test_without_marks_a_turn_is_what_it_adds(tmp_path: Path, embedded: ChatTemplate) -> None:
    source = (embedded_model() / "chat_template.jinja").read_text("utf-8")
    plain = ChatTemplate.load(model_with(without_marks(source), tmp_path / "model"))
    assert not plain.marks_generation
    for row in EXAMPLES:
        ours, theirs = plain.render(row), embedded.render(row)
        assert ours.text == theirs.text
        # The line break after the end of the turn is what a turn adds, too, and TRL trains it.
        extra = [one.text for one, other in zip(ours.tokens, theirs.tokens, strict=True) if one != other]
        assert set(extra) == {"\n"}
        turns = sum(message["role"] == "assistant" for message in conversation(row))
        assert len(extra) == turns
        assert [note.split(",")[0] for note in ours.notes] == [f"Trained as {turns} rows"] * (turns > 1)
    assert [found.rule for found in check_template(plain, set())] == ["no_loss_mask"]


def test_a_turn_of_weight_0_is_not_trained(tmp_path: Path, embedded: ChatTemplate) -> None:
    source = (embedded_model() / "chat_template.jinja").read_text("utf-8")
    plain = ChatTemplate.load(model_with(without_marks(source), tmp_path / "model"))
    row = example(user(), answer("Wrong.") | {"weight": 0}, user("Sure?"), answer("Right."))
    for template in (embedded, plain):
        trained = "".join(token.text for token in template.render(row).tokens if token.trained)
        assert "Right." in trained
        assert "Wrong." not in trained


def test_a_known_template_is_the_one_that_training_uses(tmp_path: Path) -> None:
    template = ChatTemplate.load(model_with(trl_template("qwen3"), tmp_path / "stock"))
    training = ChatTemplate.load(model_with(trl_template("qwen3_training"), tmp_path / "training"))
    assert template.marks_generation
    for row in EXAMPLES:
        assert template.render(row).tokens == training.render(row).tokens
        assert training.render(row).notes == ()


def test_what_the_model_s_own_template_shows_otherwise_is_told(tmp_path: Path) -> None:
    """Qwen 3's own template leaves out the thinking of earlier turns, and TRL's variant of it does not."""
    template = ChatTemplate.load(model_with(trl_template("qwen3"), tmp_path / "model"))
    first, second = (answer(text) | {"reasoning_content": f"Thought of {text}"} for text in ("Yes.", "No."))
    one, two = example(user(), first), example(user(), first, user("Sure?"), second)
    assert template.render(one).notes == ()
    shown = template.render(two)
    assert "TRL's variant" in " ".join(shown.notes)
    trained = "".join(token.text for token in shown.tokens if token.trained)
    assert "Thought of Yes." in trained
    assert "Thought of No." in trained


def test_the_sandbox_holds() -> None:
    for attack in ("{{ messages.__class__.__mro__ }}", "{{ ''.__class__.__base__.__subclasses__() }}"):
        with pytest.raises(TemplateFailure):
            Template(attack).render([], [], {})
    with pytest.raises(TemplateFailure):
        Template("{{ messages.append(1) }}").render([], [], {})
    with pytest.raises(TemplateFailure, match="only one"):
        Template("{{ raise_exception('only one') }}").render([], [], {})
    with pytest.raises(TemplateFailure, match="not valid Jinja"):
        Template("{% if %}")


def test_rows_in_a_batch_keep_their_places(embedded: ChatTemplate, tmp_path: Path) -> None:
    refusing = (
        "{% if messages|length > 3 %}{{ raise_exception('too many turns') }}{% endif %}"
        "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}"
    )
    template = ChatTemplate.load(model_with(refusing, tmp_path / "model"))
    made = template.rows(EXAMPLES)
    refused = [isinstance(one, TemplateFailure) for one in made]
    assert refused == [True, False, False, True, True, False]
    assert template.rows([]) == []
    pair = made[-1]
    assert isinstance(pair, list)
    assert [row.text for row in pair] == [user()["content"], user()["content"] + "No."]


@pytest.fixture
def broken_models(tmp_path: Path) -> Iterator[dict[str, Path]]:
    models: dict[str, Path] = {"no such model folder": tmp_path / "none"}
    template = "{{ messages }}"
    models["no such file"] = model_with(template, tmp_path / "a")
    (tmp_path / "a" / "tokenizer.json").unlink()
    models["cannot be read as a tokenizer"] = model_with(template, tmp_path / "b")
    (tmp_path / "b" / "tokenizer.json").write_text("{}")
    models["is not JSON"] = model_with(template, tmp_path / "c")
    (tmp_path / "c" / "tokenizer_config.json").write_text("{")
    models["has no chat template"] = model_with(template, tmp_path / "d")
    (tmp_path / "d" / "chat_template.jinja").unlink()
    config = json.loads((tmp_path / "d" / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (tmp_path / "d" / "tokenizer_config.json").write_text(json.dumps(config))
    models["not valid Jinja"] = model_with("{% for %}", tmp_path / "e")
    yield models


def test_models_that_cannot_be_used(broken_models: dict[str, Path]) -> None:
    for reason, folder in broken_models.items():
        with pytest.raises(UserError, match=reason) as caught:
            ChatTemplate.load(folder)
        assert str(folder) in str(caught.value)


def test_a_template_for_tools_beside_the_default_one(tmp_path: Path) -> None:
    folder = model_with("", tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["chat_template"] = [
        {"name": "default", "template": "plain"},
        {"name": "tool_use", "template": "{{ tools[0].function.name }}{{ eos_token }}"},
    ]
    config["eos_token"] = {"content": "<end>", "special": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    template = ChatTemplate.load(folder)
    assert template.render(EXAMPLES[0]).text == "weather<end>"
    assert template.render(EXAMPLES[3]).text == "plain"


@pytest.mark.parametrize(
    ("source", "lost"),
    [
        ("{% for m in messages %}{{ m.content }}{% endfor %}", "leaves out tools, the names of called tools"),
        ("{{ tools|tojson }}{% for m in messages %}{{ m.content }}{% endfor %}", "the arguments of calls"),
        ("{{ tools|tojson }}{{ messages[1].tool_calls|tojson }}", "leaves out tool results"),
        ("{{ raise_exception('no tools, please') }}", "no tools, please"),
    ],
)
def test_a_template_that_drops_tool_use(source: str, lost: str, tmp_path: Path) -> None:
    folder_name = "model"
    template = ChatTemplate.load(model_with(source, tmp_path / folder_name))
    found = {one.rule: one.message for one in check_template(template, parts_of(EXAMPLES[0]))}
    assert lost in found["template_drops"]
    assert folder_name in found["template_drops"]
    # A dataset without tools does not mind.
    (about_tools, *_) = check_template(template, set())
    assert about_tools.rule == "template_lacks"
    assert about_tools.severity is Severity.INFO


def test_the_embedded_template_shows_everything(embedded: ChatTemplate) -> None:
    assert list(check_template(embedded, set(Part) - {Part.REASONING, Part.EARLIER_REASONING})) == []
    (found,) = check_template(embedded, set(Part))
    assert found.rule == "template_drops"
    assert "leaves out reasoning" in found.message


def test_a_limit_at_every_length(embedded: ChatTemplate) -> None:
    """As the limit falls, the row is whole, loses turns, has a call cut in half, and trains nothing."""
    row = example(user(), answer("", call(city="Rome")), result(), answer("Yes, it will rain all day long."))
    tokens = embedded.render(row).tokens
    assert lengths(embedded, row, None) == lengths(embedded, row, len(tokens)) == []
    rules = []
    unended = []
    for limit in range(len(tokens) - 1, 0, -1):
        found, *end = lengths(embedded, row, limit)
        assert found.row == 3
        unended.append(bool(end))
        assert [one.rule for one in end] in ([], ["eos_not_trained"])
        assert f"the last {len(tokens) - limit} are cut off" in found.message
        rules.append(found.rule)
    order = list(dict.fromkeys(rules))
    assert order == ["too_long", "call_cut", "answer_cut"]
    first_trained = next(index for index, token in enumerate(tokens) if token.trained)
    assert rules.count("answer_cut") == first_trained
    # The call is cut from its second token to its last one.
    call_tokens = next(i for i, token in enumerate(tokens[first_trained:]) if not token.trained)
    assert rules.count("call_cut") == call_tokens - 1
    # The end of the last turn is missing as soon as its last token is, until the whole turn is.
    runs = masks.runs([token.trained for token in tokens])
    assert unended.count(True) == runs[-1][1] - runs[-1][0] - 1


def test_a_template_that_trains_nothing(tmp_path: Path) -> None:
    source = "{% if false %}{% generation %}{% endgeneration %}{% endif %}{{ messages[0].content }}"
    template = ChatTemplate.load(model_with(source, tmp_path / "model"))
    assert [found.rule for found in lengths(template, EXAMPLES[0], None)] == ["nothing_to_train"]
