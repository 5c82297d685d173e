"""The rendered row and its loss mask, against transformers itself."""

import json
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from data_rows import TOOL, answer, call, example, result, user
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.data.examples import Example, conversation
from tuner_tui.data.lengths import check_length
from tuner_tui.data.preview import ChatTemplate, Encoded
from tuner_tui.data.probe import check_template
from tuner_tui.data.template import Template, TemplateFailure
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
# Of the templates that trl ships: with and without marks, of several families, some of which refuse parallel
# calls or tool turns.
TEMPLATES = [
    "qwen3_training",
    "qwen2_5_training",
    "llama3_training",
    "glm4moe_training",
    "gptoss_training",
    "lfm2_v2_training",
    "gemma_training",
    "llama3_1",
    "llama3_2",
]


def trl_template(name: str) -> str:
    spec = find_spec("trl")
    assert spec is not None and spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "chat_templates" / f"{name}.jinja").read_text("utf-8")


EMBEDDED = ChatTemplate.load(embedded_model())


@pytest.fixture
def embedded() -> ChatTemplate:
    return EMBEDDED


def model_with(template: str, folder: Path) -> Path:
    shutil.copytree(embedded_model(), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "chat_template.jinja").write_text(template, "utf-8")
    return folder


@pytest.fixture(params=["embedded", *TEMPLATES])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "embedded":
        return embedded_model()
    return model_with(trl_template(request.param), tmp_path / "model")


def test_equals_transformers_token_by_token(model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    template = ChatTemplate.load(model)
    rendered = 0
    for row in EXAMPLES:
        messages, tools = conversation(row), row["tools"] or None
        for prompt in (False, True):
            try:
                theirs = tokenizer.apply_chat_template(
                    messages,
                    tools=tools,
                    add_generation_prompt=prompt,
                    return_dict=True,
                    return_assistant_tokens_mask=True,
                )
            except Exception:
                with pytest.raises(TemplateFailure):
                    template.render(row, generation_prompt=prompt)
                continue
            ours = template.render(row, generation_prompt=prompt)
            rendered += 1
            assert [token.id for token in ours.tokens] == theirs["input_ids"]
            assert "".join(token.text for token in ours.tokens) == ours.text
            if template.marks_generation:
                assert [int(token.trained) for token in ours.tokens] == theirs["assistant_masks"]
                assert ours.trained == sum(theirs["assistant_masks"])
    assert rendered >= 4


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


def without_marks(source: str) -> str:
    for mark in ("{%- generation -%}", "{%- endgeneration -%}"):
        assert mark in source
        source = source.replace(mark, "")
    return source


def test_without_marks_a_turn_is_what_it_adds(tmp_path: Path, embedded: ChatTemplate) -> None:
    source = (embedded_model() / "chat_template.jinja").read_text("utf-8")
    plain = ChatTemplate.load(model_with(without_marks(source), tmp_path / "model"))
    assert not plain.marks_generation
    for row in EXAMPLES:
        assert plain.render(row) == embedded.render(row)
    assert [found.rule for found in check_template(plain)] == ["no_loss_mask"]


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
    assert [template.render(row) for row in EXAMPLES] == [training.render(row) for row in EXAMPLES]


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
    kinds = [type(one) for one in template.encode(EXAMPLES)]
    assert kinds == [TemplateFailure, Encoded, Encoded, TemplateFailure, TemplateFailure, Encoded]
    assert template.encode([]) == []


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
        ("{% for m in messages %}{{ m.content }}{% endfor %}", "the tools, the calls"),
        ("{{ tools|tojson }}{% for m in messages %}{{ m.content }}{% endfor %}", "the calls"),
        ("{{ tools|tojson }}{{ messages[1].tool_calls|tojson }}", "the tool results"),
        ("{{ raise_exception('no tools, please') }}", "no tools, please"),
    ],
)
def test_a_template_that_drops_tool_use(source: str, lost: str, tmp_path: Path) -> None:
    template = ChatTemplate.load(model_with(source, tmp_path / "model"))
    found = {one.rule: one.message for one in check_template(template)}
    assert lost in found["template_drops"]


def test_the_embedded_template_shows_everything(embedded: ChatTemplate) -> None:
    assert list(check_template(embedded)) == []


def lengths(template: ChatTemplate, row: Example, max_length: int | None) -> list[Any]:
    (encoded,) = template.encode([row])
    assert isinstance(encoded, Encoded)
    return list(check_length(row, encoded, 3, max_length, masked=template.marks_generation))


def test_a_limit_at_every_length(embedded: ChatTemplate) -> None:
    """As the limit falls, the row is whole, loses turns, has a call cut in half, and trains nothing."""
    row = example(user(), answer("", call(city="Rome")), result(), answer("Yes, it will rain all day long."))
    tokens = embedded.render(row).tokens
    assert lengths(embedded, row, None) == lengths(embedded, row, len(tokens)) == []
    rules = []
    for limit in range(len(tokens) - 1, 0, -1):
        (found,) = lengths(embedded, row, limit)
        assert found.row == 3
        assert f"the last {len(tokens) - limit} are cut off" in found.message
        rules.append(found.rule)
    order = list(dict.fromkeys(rules))
    assert order == ["too_long", "call_cut", "answer_cut"]
    first_trained = next(index for index, token in enumerate(tokens) if token.trained)
    assert rules.count("answer_cut") == first_trained
    # The call is cut from its second token to its last one.
    call_tokens = next(i for i, token in enumerate(tokens[first_trained:]) if not token.trained)
    assert rules.count("call_cut") == call_tokens - 1


def test_a_template_that_trains_nothing(tmp_path: Path) -> None:
    source = "{% if false %}{% generation %}{% endgeneration %}{% endif %}{{ messages[0].content }}"
    template = ChatTemplate.load(model_with(source, tmp_path / "model"))
    assert [found.rule for found in lengths(template, EXAMPLES[0], None)] == ["nothing_to_train"]
