"""The base model, how it is stored, and the adapter that is trained on it."""

from typing import Literal

from tuner_tui.training.sections.base import Section, explained


class ModelConfig(Section):
    """The base model that is taught."""

    name: str = explained(
        "embedded",
        title="Base model",
        description='"embedded" (ships with tuner), a folder, or an id of the Hugging Face hub.',
        min_length=1,
    )
    adapter: str | None = explained(
        None,
        title="Start from adapter",
        description="A run (its id or folder) or an adapter's folder, merged into the base model before "
        "anything else: what it learned is kept, and is what the new run begins with. Empty: the base alone.",
    )
    dtype: Literal["auto", "float32", "bfloat16"] = explained(
        "auto",
        title="Compute type",
        description="Number type of the computation; auto takes bfloat16 where the hardware has "
        "units for it, else float32. Adapter weights are float32 in any case.",
    )
    attention: Literal["auto", "varlen", "sdpa", "eager"] = explained(
        "auto",
        title="Attention",
        description="Attention kernel. varlen: for packed rows, no mask and no padding, on a GPU; sdpa: "
        "PyTorch's own choice; eager: slow, for models that have no other. auto: the fastest that works.",
    )
    kernels: Literal["auto", "off"] = explained(
        "auto",
        title="Fast kernels",
        description="auto replaces layers by faster ones that compute the same, on a GPU, where they are "
        "known to work; the log says which. off leaves the model as it is.",
    )


class QuantizationConfig(Section):
    """How the frozen base weights are stored."""

    bits: Literal[4] | None = explained(
        4,
        title="Bits",
        description="4 stores the base in NF4 (QLoRA): an 8B model in 6 GB. Empty keeps 16 or 32 "
        "bits (plain LoRA): faster where memory allows.",
        low="4 costs a little accuracy, and time for unpacking the weights in every step.",
        unit="bits",
    )
    double: bool = explained(
        True,
        title="Double quantization",
        description="Quantise the quantisation constants as well: 0.37 bits less for each weight, "
        "at no measurable loss (QLoRA, arXiv:2305.14314).",
    )


class LoraConfig(Section):
    """The adapter: the small matrices that are trained."""

    enabled: bool = explained(
        True,
        title="Adapter",
        description="off trains every weight of the base model instead (full fine-tuning), in float32: "
        "sixteen bytes a weight, and a tenth of the learning rate.",
    )
    r: int = explained(
        16,
        title="Rank",
        description="Inner size of the adapter matrices: how much the adapter can learn.",
        low="too little room for a new behaviour; the loss stays high.",
        high="more memory, and small datasets are learned by heart.",
        ge=1,
        le=512,
    )
    alpha: float = explained(
        32,
        title="Alpha",
        description="The adapter's output is scaled by alpha / rank; twice the rank is usual.",
        low="the adapter hardly speaks; training looks too slow.",
        high="as if the learning rate were too high; the loss jumps.",
        gt=0,
    )
    dropout: float = explained(
        0.0,
        title="Dropout",
        description="Share of the adapter's inputs that is dropped at random in training.",
        low="0 is the fastest and right for most runs.",
        high="slower, more memory; above 0.1 learning suffers.",
        ge=0,
        lt=1,
    )
    targets: str = explained(
        "all-linear",
        title="Target layers",
        description='"all-linear" (every linear layer but the head), or layer names with commas, '
        'such as "q_proj,v_proj".',
        low="attention layers alone learn less than all layers at the same rank.",
        min_length=1,
    )
    rslora: bool = explained(
        False,
        title="Rank-stabilized",
        description="Scale by alpha / √rank instead (arXiv:2312.03732): for ranks of 64 and more.",
    )
    dora: bool = explained(
        False,
        title="DoRA",
        description="Learn the length of each weight's column apart from its direction (arXiv:2402.09353): "
        "a little better at small ranks, a third slower.",
    )
