"""The configuration: back and forth through YAML, and every mistake told with its mend."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from tuner_tui.errors import UserError
from tuner_tui.training.config import METHODS, TrainConfig, load_config, parse_config, problems, to_yaml

GOOD = "data: {train: [a.jsonl]}\n"
PPO = "ppo: {reward_model: rewards}\n"


@given(
    st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable() and bool(text.strip())),
    st.floats(1e-12, 1.0),
    st.lists(
        st.text(
            st.characters(blacklist_categories=["Cs"], blacklist_characters="\0/"), min_size=1, max_size=20
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([None, 4]),
)
@example("x", 0.5, ["a\x85b", "#x: y", "null"], 4)
def test_yaml_says_the_same_again(name: str, rate: float, files: list[str], bits: int | None) -> None:
    config = TrainConfig.model_validate(
        {
            "name": name,
            "data": {"train": files},
            "optimization": {"learning_rate": rate},
            "quantization": {"bits": bits},
        }
    )
    assert parse_config(to_yaml(config), "again") == config


def test_every_field_is_explained_in_the_model_and_in_the_yaml() -> None:
    texts = (to_yaml(parse_config(f"method: {method}\n{GOOD}{PPO}", "x")) for method in METHODS)
    text = " ".join(" ".join(texts).replace("#", " ").split())

    def check(model: type[BaseModel]) -> None:
        for name, field in model.model_fields.items():
            assert field.title, name
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                assert field.annotation.__doc__
                check(field.annotation)
            else:
                assert field.description, name
                assert field.description in text

    check(TrainConfig)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lora: {rr: 3}\n" + GOOD, r'lora\.rr: there is no such field; did you mean "r"'),
        ("zebra: 1\n" + GOOD, r"zebra: there is no such field"),
        ("name: x\n", r"data: missing"),
        ("lora: {r: 0}\n" + GOOD, r"lora\.r: .*greater than or equal to 1 \(got '0'\)"),
        ("lora: {alpha: .nan}\n" + GOOD, r"lora\.alpha: .*finite"),
        ("lora: {r: many}\n" + GOOD, r"lora\.r: .*integer"),
        ("optimization: {schedule: wild}\n" + GOOD, r"optimization\.schedule: .*'cosine'"),
        ("optimization: {micro_batch: 3, effective_batch: 8}\n" + GOOD, "must be a multiple of micro_batch"),
        ("data: {train: []}\n", r"data\.train"),
        ('name: "a\\nb"\n' + GOOD, "name: must be printable"),
        ("lora: {r: 1, r: 2}\n" + GOOD, 'the key "r" is given twice'),
        ("lora: [", "not valid YAML"),
        ("1: 2\n" + GOOD, "the key 1 is not a text"),
        ("just words", "holds no configuration"),
        ("", "holds no configuration"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=told) as raised:
        load_config(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the configuration"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(UserError, match="cannot read the configuration"):
        load_config(tmp_path / "latin.yaml")


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("lora: {r: 4}\n" + GOOD)
    config = load_config(
        path, ["lora.r=8", "quantization.bits=null", "data.train=[b.jsonl, c.jsonl]", "name=x=y"]
    )
    assert (config.lora.r, config.quantization.bits, config.name) == (8, None, "x=y")
    assert config.data.train == [Path("b.jsonl"), Path("c.jsonl")]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("lora.r", "takes section.field=value"),
        ("=3", "takes section.field=value"),
        ("name.inner=3", '"name" is not a section'),
        ("lora.r=[", "not valid YAML"),
        ("lora.rank=3", "there is no such field"),
    ],
)
def test_bad_overrides_are_told(override: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        parse_config("name: x\n" + GOOD, "x", [override])


def test_a_number_in_scientific_notation_is_a_number() -> None:
    # YAML 1.1 reads 2e-4, without a dot, as text.
    assert (
        parse_config("optimization: {learning_rate: 2e-4}\n" + GOOD, "x").optimization.learning_rate == 2e-4
    )


def test_the_form_gets_one_sentence_for_each_fault() -> None:
    with pytest.raises(ValidationError) as raised:
        TrainConfig.model_validate({"data": {"train": ["a"]}, "lora": {"r": 0, "dropout": 2}})
    assert [text.split(":")[0] for text in problems(raised.value)] == ["lora.r", "lora.dropout"]
