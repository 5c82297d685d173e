"""An adapter that FSDP divides between two processes: its files are those that peft writes without FSDP."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """\
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from peft.utils.other import fsdp_auto_wrap_policy
from safetensors.torch import load_file
from torch import distributed
from torch.distributed.fsdp import FullyShardedDataParallel
from transformers import LlamaConfig, LlamaForCausalLM

from tuner_tui.recipes import ranks, sharded

folder, name = Path(sys.argv[1]), "adapter_model.safetensors"
torch.Tensor.record_stream = lambda *_: None  # a CPU has no streams
distributed.init_process_group("gloo")


def build(seed):
    torch.manual_seed(seed)
    sizes = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, vocab_size=64)
    model = LlamaForCausalLM(LlamaConfig(num_attention_heads=2, num_key_value_heads=2, **sizes))
    parts = dict(target_modules=["q_proj", "down_proj"], modules_to_save=["lm_head"], use_dora=True)
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, init_lora_weights=False, **parts)
    return get_peft_model(model, lora)


def divided(model):
    policy = fsdp_auto_wrap_policy(model)
    return FullyShardedDataParallel(model, auto_wrap_policy=policy, device_id=torch.device("cpu"))


whole = build(0)
if ranks.is_main():
    whole.save_pretrained(folder / "peft")
sharded.save(divided(whole), folder / "ours")
ranks.barrier()
other = divided(build(1))
sharded.load(other, folder / "ours")
FullyShardedDataParallel.optim_state_dict(other, torch.optim.AdamW(other.parameters()))
sharded.save(other, folder / "again")
if ranks.is_main():
    expected = load_file(folder / "peft" / name)
    assert len(expected) == 2 * 2 * 3 + 1
    for found in (load_file(folder / "ours" / name), load_file(folder / "again" / name)):
        assert found.keys() == expected.keys(), found.keys() ^ expected.keys()
        assert all(torch.equal(found[key], expected[key]) for key in expected)
    settings = [(folder / way / "adapter_config.json").read_text() for way in ("peft", "ours")]
    assert settings[0] == settings[1]
    (folder / "equal").touch()
# Together: a process that ends while the group still works is aborted.
ranks.barrier()
distributed.destroy_process_group()
"""


def test_an_adapter_is_written_and_read_as_without_fsdp(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*torchrun, str(program), str(tmp_path)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "equal").exists()
