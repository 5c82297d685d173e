"""How fast the evaluator's answers are made: tokens a second, beside plain `model.generate` in batches of 8.

    python benchmarks/generate.py            # an 8B Llama 3 shape, random weights in bfloat16: a GPU, 40 GB
    python benchmarks/generate.py --small    # a tiny shape, on any machine: that it runs, no figures

Every prompt is another conversation with tools that shares no beginning with the next. Two workloads.
"equal": greedy, and every answer has --new tokens, which is the best that can happen to padded batches.
"mixed": answers are sampled and end by chance, after --new / 2 tokens on average, --new at most, as real
answers differ in length; one token in so many counts as an end. One copy of the weights answers as the base
model and, with a LoRA adapter of rank 16 on all linear layers, as the tuned one. Counted are the tokens of
answers alone, over the time from the first question to the last answer, with everything that the evaluator
does in between. Random weights cost what trained ones cost.
"""

import sys

sys.path.append(sys.path.pop(0))  # this folder's inspect.py would hide the standard library's

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from workload import SHAPES

from tuner_tui import paths
from tuner_tui.evaluation.continuous import ContinuousSpeaker, why_not
from tuner_tui.evaluation.padded import PaddedSpeaker
from tuner_tui.evaluation.speaking import Decoding, Spoken
from tuner_tui.evaluation.suites.heldout import HeldoutTask
from tuner_tui.evaluation.tasks import Answer, Ask
from tuner_tui.recipes.conventions import find_convention

WINDOW = 8192
WIDE = ("padded, batches of 64",)
"""What the evaluator takes; left out of a small run, where it would take the longest."""


def main() -> int:
    """Run the cases, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=SHAPES, default="llama-8b")
    parser.add_argument("--small", action="store_true", help="a tiny shape and few tokens")
    parser.add_argument("--new", type=int, default=256, help="new tokens of an answer, at most")
    parser.add_argument("--prompts", type=int, default=1024, help="questions for continuous batching")
    parser.add_argument(
        "--plain-prompts", type=int, default=64, help="questions for padded batches, at least"
    )
    parser.add_argument("--workloads", nargs="+", choices=("equal", "mixed"), default=["equal", "mixed"])
    parser.add_argument(
        "--ways", nargs="+", choices=("plain", "padded", "continuous"), help="some of the ways alone"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    args = parser.parse_args()
    if args.small:
        args.shape, args.new, args.prompts, args.plain_prompts = "llama-tiny", 12, 24, 16
    spoken = make(args.shape)
    print(f"{args.shape}, {device()}, torch {torch.__version__}, up to {args.new} new tokens", flush=True)
    lengths = sorted(len(spoken.prompt(ask)) for ask in asks(200))  # type: ignore[arg-type]
    print(f"prompts of {lengths[0]} to {lengths[-1]} tokens, {lengths[100]} in the middle")
    print("workload  arm    way                    answers  tokens   seconds  tokens/s  × plain", flush=True)
    figures, texts = [], {}
    for workload in args.workloads:
        for arm in ("base", "tuned"):
            plain = 0.0
            ways = ("plain, batches of 8", *(() if args.small else WIDE), "continuous")
            for way in ways:
                if args.ways and way.split(",")[0] not in args.ways:
                    continue
                found = measure(spoken, args, workload, arm, way)
                if found is None:
                    continue
                plain = plain or found["tokens_per_second"]
                found["ratio"] = found["tokens_per_second"] / plain
                texts[workload, arm, way] = found.pop("texts")
                figures.append(found)
                print(line(found), flush=True)
    if "equal" in args.workloads:
        compare(texts)
    if torch.cuda.is_available():
        print(f"{torch.cuda.max_memory_reserved() / 2**30:.1f} GiB reserved at most")
    if args.json:
        args.json.write_text(json.dumps({"device": device(), "shape": args.shape, "figures": figures}))
    return 0


def make(shape: str) -> Spoken:
    """The model with its adapter, in memory."""
    tokenizer = AutoTokenizer.from_pretrained(paths.embedded_model())
    tokenizer.padding_side = "left"
    sizes = {name: value for name, value in SHAPES[shape].items() if name != "tie"}
    config = AutoConfig.for_model(
        **sizes,
        max_position_embeddings=WINDOW,
        tie_word_embeddings=SHAPES[shape].get("tie", False),
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    # On a processor without units for bfloat16 the small shape would be slow in it.
    torch.set_default_dtype(torch.bfloat16 if torch.cuda.is_available() else torch.float32)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            base = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
            lora = LoraConfig(r=16, target_modules="all-linear", init_lora_weights=False)
            model = get_peft_model(base, lora, autocast_adapter_dtype=False)
    finally:
        torch.set_default_dtype(torch.float32)
    model.eval()
    convention = find_convention(tokenizer, "embedded")
    return Spoken(model, tokenizer, convention, set(), WINDOW, with_adapter=True)


def measure(
    spoken: Spoken, args: argparse.Namespace, workload: str, arm: str, way: str
) -> dict[str, Any] | None:
    """One line of the table; None where a way does not work here."""
    ends = {spoken.tokenizer.eos_token_id}
    if workload == "mixed":
        vocabulary = spoken.model.config.get_text_config().vocab_size
        ends = set(random.Random(0).sample(range(vocabulary), 2 * vocabulary // args.new))
    spoken = replace(spoken, ends=ends, with_adapter=arm == "tuned")
    batch = 64 if "64" in way else 8
    decoding = Decoding(batch, args.new, temperature=float(workload == "mixed"))
    count = args.prompts if way == "continuous" else max(args.plain_prompts, batch)
    if way == "continuous":
        if not torch.cuda.is_available():
            print(f"no continuous batching: {why_not(spoken.model)}")
            return None
        speaker: Any = ContinuousSpeaker(spoken, decoding, lambda: False)
    else:
        speaker = PaddedSpeaker(spoken, decoding, lambda: False)
        speaker.most = batch
    questions = list(asks(count + batch))
    for key, ask in enumerate(questions[:batch]):  # kernels are chosen, graphs captured
        speaker.submit(key, ask)
    list(answers(speaker, batch))
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    began = time.perf_counter()
    for key, ask in enumerate(questions[batch:], batch):
        speaker.submit(key, ask)
    found = dict(answers(speaker, count))
    seconds = time.perf_counter() - began
    speaker.close()
    tokens = sum(answer.tokens for answer in found.values())
    return {
        "workload": workload,
        "arm": arm,
        "way": way if speaker.engine != "padded batches" or way != "continuous" else "continuous (gave up)",
        "answers": len(found),
        "tokens": tokens,
        "seconds": seconds,
        "tokens_per_second": tokens / seconds,
        "texts": {key - batch: answer.text for key, answer in found.items()},
    }


def answers(speaker: Any, count: int) -> Iterator[tuple[int, Answer]]:
    """As many answers as there are questions."""
    while count:
        found = speaker.ready()
        count -= len(found)
        yield from found


def asks(count: int) -> Iterator[Ask]:
    """Conversations with tools that share no beginning."""
    items = HeldoutTask(paths.sample_data() / "heldout.jsonl").items
    for number in range(count):
        item = items[number % len(items)]
        notes = " ".join(f"Note {number}.{place}: nothing of note." for place in range(16))
        head = {"role": "system", "content": f"Conversation {number}. {notes}"}
        yield Ask([head, *(each for each in item.messages if each["role"] != "system")], item.tools)


def compare(texts: dict[tuple[str, str, str], dict[int, str]]) -> None:
    """What greedy answers to the same questions say of one another. Ways differ in the order of sums, and
    random weights have no favourite next token: an answer that parts early says nothing."""
    plain = {arm: texts["equal", arm, "plain, batches of 8"] for arm in ("base", "tuned")}
    same = sum(text == plain["tuned"][key] for key, text in plain["base"].items())
    print(f"base and tuned give {same} of {len(plain['base'])} answers alike")
    for arm in ("base", "tuned"):
        other = texts.get(("equal", arm, "continuous"), {})
        both = [(text, other[key]) for key, text in plain[arm].items() if key in other]
        begun = sum(one[:12] == two[:12] for one, two in both)
        whole = sum(one == two for one, two in both)
        if both:
            print(f"{arm}: {begun} of {len(both)} begin alike, plain and continuous; {whole} are the same")


def line(found: dict[str, Any]) -> str:
    """A line of the table."""
    return (
        f"{found['workload']:<9} {found['arm']:<6} {found['way']:<22} {found['answers']:>7} "
        f"{found['tokens']:>7,} {found['seconds']:>9.1f} {found['tokens_per_second']:>9,.0f} "
        f"{found['ratio']:>8.2f}"
    )


def device() -> str:
    """What computes."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


if __name__ == "__main__":
    sys.exit(main())
