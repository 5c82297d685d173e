"""APIBench: the exact API, the official domain match, and files in its layout."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.errors import UserError
from tuner_tui.evaluation.suites.apibench import ApiBenchTask, names_api
from tuner_tui.evaluation.tasks import Answer, Outcome

SLOW = "torch.hub.load(repo_or_dir='facebookresearch/pytorchvideo', model='slow_r50', pretrained=True)"
FAST = "torch.hub.load(repo_or_dir='facebookresearch/pytorchvideo', model='x3d_s', pretrained=True)"
YOLO = "torch.hub.load(repo_or_dir='ultralytics/yolov5', model='yolov5s')"
# As in the benchmark's list: no valid Python.
MEAL = "torch.hub.load(repo_or_dir='szq0214/MEAL-V2', 'meal_v2', model='mealv2_b0', pretrained=True)"


def row(call: str, domain: str, provider: str = "PyTorch") -> dict[str, Any]:
    said = f"<<<api_call>>>: {call}, <<<api_provider>>>: {provider}"
    return {
        "code": f"###Instruction: Find it.\n###Output: {said}",
        "api_call": call,
        "provider": provider,
        "api_data": {"domain": domain, "api_call": call},
    }


@pytest.fixture
def task(tmp_path: Path) -> ApiBenchTask:
    rows = [row(SLOW, "Video"), row(FAST, "Video"), row(YOLO, "Detection"), row(MEAL, "Classification")]
    broken = [
        "{",
        "[]",
        json.dumps({"code": "no instruction", "api_call": "f()", "api_data": {"domain": "x"}}),
    ]
    path = tmp_path / "torchhub_eval.json"
    path.write_text("\n".join([*map(json.dumps, rows), *broken]))
    (tmp_path / "torchhub_api.jsonl").write_text("\n".join(json.dumps(each["api_data"]) for each in rows))
    return ApiBenchTask(path)


def answered(task: ApiBenchTask, place: int, text: str) -> Outcome:
    exchange = task.begin(task.items[place])
    assert exchange.question() is not None
    exchange.answered(Answer(text, parse_answer(text), 1, 0.0))
    assert exchange.question() is None
    return exchange.outcome()


def said(call: str) -> str:
    return f"<<<domain>>>: x, <<<api_call>>>: {call}, <<<api_provider>>>: PyTorch, <<<code>>>: import torch"


def test_the_rows_of_the_benchmark(task: ApiBenchTask) -> None:
    assert [item.row for item in task.items] == [1, 2, 3, 4]
    assert task.rejected == 3
    assert task.items[0].messages == [{"role": "user", "content": "Find it."}]
    assert not any("not beside" in note for note in task.notes)


@pytest.mark.parametrize(
    ("text", "exact", "same", "known", "error"),
    [
        (said(SLOW), True, True, True, None),
        (said('m = torch.hub.load("facebookresearch/pytorchvideo", "slow_r50")'), True, True, True, None),
        (said(FAST), False, True, True, "other_api"),
        (said(YOLO), False, False, True, "other_domain"),
        (
            said("torch.hub.load('facebookresearch/pytorchvideo', 'made_up')"),
            False,
            False,
            False,
            "unknown_api",
        ),
        ("I do not know.", False, False, False, "no_api"),
        ("", False, False, False, "no_api"),
    ],
)
def test_verdicts(
    task: ApiBenchTask, text: str, exact: bool, same: bool, known: bool, error: str | None
) -> None:
    outcome = answered(task, 0, text)
    assert outcome.verdict == {"exact_api": exact, "domain_match": same, "known_api": known}
    assert (outcome.right, outcome.error) == (exact, error)
    assert error is None or error in task.error_types


def test_every_reference_is_exact_and_in_its_own_domain(task: ApiBenchTask) -> None:
    for place, call in enumerate((SLOW, FAST, YOLO, MEAL)):
        assert answered(task, place, said(call)).verdict == {
            "exact_api": True,
            "domain_match": True,
            "known_api": True,
        }


def test_without_a_list_the_apis_of_the_file_are_taken(tmp_path: Path) -> None:
    call = "hub.KerasLayer('https://tfhub.dev/google/nnlm/2')"
    path = tmp_path / "tensorflow_eval.json"
    path.write_text(json.dumps(row(call, "Text", "TensorFlow Hub")))
    task = ApiBenchTask(path)
    assert any("not beside the file" in note for note in task.notes)
    given = "layer = hub.KerasLayer(handle='https://tfhub.dev/google/nnlm/2', trainable=True)"
    assert answered(task, 0, given).verdict["exact_api"]
    assert answered(task, 0, said(call)).verdict["domain_match"]


@pytest.mark.parametrize(
    "text",
    [
        *("torch.hub.load(" * 5_000, "api_call" * 100_000, "torch.hub.load('" + "x" * 1_000_000),
        *("(" * 100_000, "\ud800api_call:"),
    ],
    ids=range(5),
)
def test_hostile_texts(task: ApiBenchTask, text: str) -> None:
    started = time.process_time()
    assert not answered(task, 0, text).right
    assert time.process_time() - started < 2


HUGGING_FACE = [
    ("Sentence Similarity", "AutoModel.from_pretrained('princeton-nlp/unsup-simcse-roberta-base')"),
    ("Feature Extraction", "AutoModel.from_pretrained('rasa/LaBSE')"),
    (
        "Text-to-Image",
        "StableDiffusionInpaintPipeline.from_pretrained('stabilityai/stable-diffusion-2-inpainting', "
        "torch_dtype=torch.float16)",
    ),
    ("Image-to-Text", "pipeline('text-generation', model='microsoft/git-large-r-textcaps')"),
]
"""Domain, and call, as in huggingface_eval.json."""


def test_the_layout_of_hugging_face(tmp_path: Path) -> None:
    path = tmp_path / "huggingface_eval.json"
    lines = []
    for domain, call in HUGGING_FACE:
        output = (
            f"<<<domain>>>: {domain}\n<<<api_call>>>: {call}\n<<<api_provider>>>: Hugging Face Transformers\n"
            f"<<<explanation>>>: 1. Import it.\n<<<code>>>: model = {call}\n"
        )
        lines.append(
            {
                "code": f"###Instruction: Find a model.\n###Output: {output}",
                "api_call": call,
                "provider": "Hugging Face Transformers",
                "api_data": {"domain": domain, "framework": "Hugging Face Transformers", "api_call": call},
            }
        )
    path.write_text("\n".join(map(json.dumps, lines)))
    task = ApiBenchTask(path)
    assert (len(task.items), task.rejected, task.items[3].category) == (4, 0, "Image-to-Text")
    for place, line in enumerate(lines):
        assert answered(task, place, line["code"].partition("###Output:")[2]).right
        # Officially an answer without `api_call` is looked at as a whole, unlike Torch Hub's.
        assert answered(task, place, f"Take {line['api_call']}.").verdict["domain_match"]
    said = '<<<api_call>>>: AutoModel.from_pretrained(pretrained_model_name_or_path="rasa/LaBSE")'
    assert answered(task, 1, said).right and answered(task, 0, said).error == "other_domain"
    assert answered(task, 3, "pipeline('text-generation', 'microsoft/git-large-r-textcaps')").right
    assert answered(task, 3, "pipeline('text-generation', model='gpt2')").error == "unknown_api"


def test_switches_are_left_aside_and_texts_are_not() -> None:
    assert names_api(SLOW.replace("True", "False"), SLOW)
    assert not names_api(SLOW.replace("slow_r50", "slow_r50x"), SLOW)
    assert not names_api(SLOW.replace("torch.hub.load", "load"), SLOW)


def test_a_file_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"messages": []}')
    with pytest.raises(UserError, match="no row of it is one of APIBench"):
        ApiBenchTask(path)
    with pytest.raises(UserError, match=r"missing\.json: No such file"):
        ApiBenchTask(tmp_path / "missing.json")
