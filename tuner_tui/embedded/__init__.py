"""The small base model that ships with the package, its sample data, and the programs that made both.

`model/` is loaded like any model folder. `pretrain` makes it again from generated text; `samples`
writes the repository's `sample_data/`.
"""

from pathlib import Path

MODEL_DIR = Path(__file__).parent / "model"
"""The folder that `AutoModelForCausalLM.from_pretrained` and `AutoTokenizer.from_pretrained` load."""
