"""Which way of training fits the data, the failures and the GPU. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

# Failures of judgement: the model can give the right answer, and prefers another.
JUDGEMENT = frozenset({"style", "needless_calls"})

# Model size and GPU -> the technique that fits. Weights take about 2 bytes per parameter in 16 bit
# and 0.6 in NF4; activations, adapters and their optimizer state come on top.
_FITS = {
    ("tiny", "none"): "qlora",
    ("tiny", "small"): "lora",
    ("tiny", "24gb"): "lora",
    ("small", "small"): "qlora",
    ("small", "24gb"): "lora",
    ("medium", "small"): "qlora",
    ("medium", "24gb"): "qlora",
    ("large", "24gb"): "qlora",
    ("large", "80gb"): "qlora",
}

_GPU = {
    "none": "the CPU",
    "small": "a GPU of up to 16 GB",
    "24gb": "a GPU of 24 to 48 GB",
    "80gb": "a GPU of 80 GB or more",
    "several": "several GPUs of 80 GB or more",
}
_MODEL = {
    "tiny": "below 1 billion parameters",
    "small": "of 1 to 4 billion parameters",
    "medium": "of 7 to 14 billion parameters",
    "large": "of 30 billion parameters or more",
}


@dataclass(frozen=True, slots=True)
class Method:
    """A way of training; `alternatives` are (technique id, when it would be better)."""

    technique: str
    headline: str
    reasons: list[str]
    steps: list[str]
    preset: str | None
    alternatives: list[tuple[str, str]]


def choose_method(answers: Mapping[str, tuple[str, ...]], failures: frozenset[str]) -> Method:
    """The method for checked answers (see `questions.check_answers`) and the failures that were "
    "seen."""
    one = {id: chosen[0] for id, chosen in answers.items()}
    judgement = bool(failures) and failures <= JUDGEMENT
    preferences = one.get("preferences", "none")
    if preferences == "stream" and judgement and one.get("gpu") == "several" and one.get("time") == "weeks":
        return _rlhf()
    if preferences == "program" and _rewardable(one):
        return _grpo(one["gpu"])
    if preferences in ("pairs", "stream") and judgement:
        return _dpo()
    deep = one.get("rows") == "many" and one.get("gpu") == "several" and one.get("time") == "weeks"
    if deep and one.get("model", "medium") != "large":
        return _full()
    return _adapter(one, preferences in ("pairs", "stream"))


def _rlhf() -> Method:
    return Method(
        technique="rlhf",
        headline="Fine-tune with RLHF: a reward model, then PPO.",
        reasons=[
            "The answers are right in form and wrong in judgement, which comparisons teach best.",
            "You have what it takes: a steady stream of comparisons, several large GPUs, and weeks.",
        ],
        steps=[
            "Start from a supervised model, and run DPO on the comparisons first: it is the figure to beat.",
            "Train the reward model (preset reward), and check it on comparisons that it has not seen, before"
            " PPO (preset ppo) uses it. `tuner chain` runs SFT, reward model and PPO as one plan.",
        ],
        preset="reward",
        alternatives=[
            (
                "dpo",
                "if it reaches the goal: same comparisons, one training run, far fewer ways to fail.",
            )
        ],
    )


def _rewardable(one: Mapping[str, str]) -> bool:
    """Whether there is time and a GPU to generate with, and rows to start from."""
    started = one.get("rows") in ("hundreds", "thousands", "many")
    return started and one.get("gpu") in ("24gb", "80gb", "several") and one.get("time") != "hours"


def _grpo(gpu: str) -> Method:
    return Method(
        technique="grpo",
        headline="Fine-tune with SFT first, then GRPO with your check as the reward.",
        reasons=[
            "A program can tell right from wrong, so that the model can learn from its own answers.",
            "SFT comes first: GRPO rewards what is right now and then, and teaches nothing where all "
            "answers of a "
            "group are equally wrong.",
        ],
        steps=[
            "Run SFT on your rows (LoRA), and measure: between 20% and 90% right there is something to "
            "reward.",
            "Then GRPO from that adapter (`model.adapter`), and watch the share of groups whose rewards "
            "differ.",
        ],
        preset="gpu-80gb-grpo" if gpu in ("80gb", "several") else "grpo",
        alternatives=[("lora", "alone, if it reaches the goal: far cheaper, and it is the figure to beat.")],
    )


def _dpo() -> Method:
    return Method(
        technique="dpo",
        headline="Fine-tune with DPO on your preference pairs.",
        reasons=[
            "The form is right and the judgement is not; your pairs show directly which answer is better."
        ],
        steps=[
            "Make sure that each pair differs in what you care about, and not in length alone.",
            "Run supervised fine-tuning on the chosen answers first: DPO starts from it, and it "
            "may already be enough. `tuner chain` runs both as one plan.",
        ],
        preset="dpo",
        alternatives=[("lora", "on the chosen answers alone: simpler, and often most of the gain.")],
    )


def _full() -> Method:
    return Method(
        technique="sft",
        headline="Fine-tune all weights; begin with LoRA as the figure to beat.",
        reasons=["More than 50,000 rows, several large GPUs and weeks: enough to change a model deeply."],
        steps=["Train LoRA on a tenth of the rows first: it finds faults in the data for little money."],
        preset=None,
        alternatives=[
            (
                "lora",
                "if it comes within a point or two: cheaper, and the base model stays as it is.",
            )
        ],
    )


def _adapter(one: Mapping[str, str], has_preferences: bool) -> Method:
    gpu, model = one.get("gpu", ""), one.get("model", "")
    if gpu == "none" and model in ("small", "medium", "large"):
        return Method(
            technique="qlora",
            headline="Fine-tune with QLoRA, on a rented GPU.",
            reasons=[
                f"A model {_MODEL[model]} does not train on a CPU in useful time; an hour of a "
                "rented GPU is cheap.",
            ],
            steps=[
                "Walk the whole way once on the CPU with a tiny model, so that the rented hour is "
                "spent on training."
            ],
            preset="gpu-80gb-lora" if model == "small" else "gpu-24gb-qlora",
            alternatives=[("prompt", "with a hosted model, if the data may leave your house.")],
        )
    if model == "large" and gpu == "small":
        return Method(
            technique="qlora",
            headline="Fine-tune a smaller model with QLoRA: this one does not fit.",
            reasons=[
                "30 billion parameters need about 18 GB in 4 bit before activations; your GPU has "
                "16 GB or less."
            ],
            steps=["Take a model of 7 to 14 billion, or rent a GPU of 80 GB."],
            preset="gpu-24gb-qlora",
            alternatives=[("prompt", "with the large model: the quality that the smaller one has to reach.")],
        )
    unknown = not gpu or not model
    technique = "qlora" if unknown else _FITS.get((model, gpu), "lora")
    name = "LoRA" if technique == "lora" else "QLoRA"
    if unknown:
        reason = "QLoRA fits the widest range of GPUs; name GPU and model size for closer advice."
    elif technique == "lora":
        reason = f"A model {_MODEL[model]} fits in 16 bit on {_GPU[gpu]}: nothing has to be quantized."
    elif gpu == "none":
        reason = f"A model {_MODEL[model]} in 4 bit trains on the CPU, with short rows and patience."
    else:
        reason = f"A model {_MODEL[model]} needs 4 bit to leave room for training on {_GPU[gpu]}."
    steps = [
        "See whether it fits before it runs: `tuner init PRESET > config.yaml`, `tuner estimate config.yaml`."
    ]
    if one.get("rows") == "hundreds":
        steps.append(
            "With some hundreds of rows, 2 to 4 epochs are enough; watch for the turn of the eval loss."
        )
    if one.get("goal") == "agent":
        steps.append(
            "Put whole trajectories into the data, with failed calls and their repair, not single calls only."
        )
    alternatives = (
        [("qlora", "if memory runs out, or you want longer rows.")]
        if technique == "lora"
        else [("lora", "on a GPU with more memory: faster, with nothing to dequantize.")]
    )
    if has_preferences:
        alternatives.append(
            ("dpo", "afterwards, on your comparisons, when the form is right and judgement is not.")
        )
    return Method(
        technique=technique,
        headline=f"Fine-tune with {name}.",
        reasons=[reason],
        steps=steps,
        preset=_preset(gpu, technique),
        alternatives=alternatives,
    )


def _preset(gpu: str, technique: str) -> str:
    if gpu == "none":
        return "cpu-small"
    return "gpu-80gb-lora" if gpu in ("80gb", "several") and technique == "lora" else "gpu-24gb-qlora"
