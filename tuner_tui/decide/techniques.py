"""The techniques between a prompt and a reinforcement-learned model: what each is, and when it pays."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Technique:
    """One technique, explained to someone who meets it for the first time."""

    id: str
    name: str
    what: str
    when: str
    avoid: str
    needs: str


TECHNIQUES: tuple[Technique, ...] = (
    Technique(
        "prompt",
        "Prompt engineering",
        "Say what you want, show two or three worked examples, and let the server constrain the "
        "output to a schema. "
        "The weights stay as they are.",
        "Always first. It is the fastest way to learn what the task is, and the figure that "
        "tuning has to beat.",
        "When a measured prompt with examples still fails often in the same way, or when its "
        "length makes every "
        "request slow and dear.",
        "A model, an afternoon, and 50 or more held-out cases of your own to count on.",
    ),
    Technique(
        "rag",
        "RAG (retrieval-augmented generation)",
        "Search your documents at the time of the request and put what was found into the prompt.",
        "Answers depend on facts that change, that must be cited, or that not everybody may see.",
        "The model has the facts and fails at form, at choosing a tool or at behaviour: more text "
        "does not mend that.",
        "A search index over your documents, and cases that tell whether the right passage was found.",
    ),
    Technique(
        "sft",
        "SFT (supervised fine-tuning of all weights)",
        "Train every weight on examples of requests and right answers, with the next-token loss "
        "on the answers only.",
        "Deep changes with tens of thousands of rows: a new language, a small model that replaces "
        "a large one.",
        "Small data: with all weights free the model overfits and forgets more of what it could do before.",
        "About 16 bytes per parameter with AdamW in mixed precision (8 billion: roughly 130 GB "
        "before activations), "
        "so several large GPUs.",
    ),
    Technique(
        "lora",
        "LoRA (low-rank adapters)",
        "Keep the base weights frozen in 16 bit and train small matrices beside each linear layer: "
        "about 1% of the parameters.",
        "The usual choice when the 16-bit model fits on the GPU: forms, tools, behaviour from "
        "hundreds of rows on.",
        "To store facts. And when the model does not fit in 16 bit: use QLoRA.",
        "About 2 bytes per parameter plus activations: 24 GB for 1 to 4 billion, 80 GB for 7 to 14 billion.",
    ),
    Technique(
        "qlora",
        "QLoRA (LoRA on a 4-bit base)",
        "LoRA over a base model that is held in 4-bit NF4: the same training in a third of the "
        "memory or less.",
        "The model is too large for LoRA in 16 bit on your GPU, or you have no GPU and a small model.",
        "The 16-bit model fits with room to spare: LoRA is faster, as nothing has to be dequantized.",
        "About 0.6 bytes per parameter plus activations: 7 to 14 billion on 24 GB, 30 to 70 "
        "billion on 80 GB.",
    ),
    Technique(
        "dpo",
        "DPO (direct preference optimization)",
        "Train on pairs of a chosen and a rejected answer: the chosen becomes likelier, the "
        "rejected less so, held "
        "close to the starting model.",
        "The form is right and the judgement is not: tone, length, needless calls, one of two valid tools.",
        "The model can't yet produce the right answer at all: supervised tuning comes first.",
        "A supervised model to start from, and several hundred pairs or more that differ in what "
        "you care about.",
    ),
    Technique(
        "grpo",
        "GRPO (group relative policy optimization)",
        "The model answers each request several times, a program rewards the answers, and those that are "
        "better "
        "than their group's mean become likelier; no reward model, no value model.",
        "A program can tell right from wrong (the expected call, a test, tools that can be run), and the "
        "model "
        "is right now and then: there is something to reward, and something to learn.",
        "It is never right yet, or always: every answer of a group gets the same reward. Supervised tuning "
        "comes first. And where only a person can judge.",
        "A supervised model to start from, requests with a check, and a GPU that generates fast: most of the "
        "time goes into answers.",
    ),
    Technique(
        "rlhf",
        "RLHF (reward model, then PPO)",
        "People compare answers; a reward model learns to predict them; PPO trains the model "
        "against that reward, "
        "tied to its start by a KL penalty.",
        "A stream of fresh comparisons, a goal that no fixed set of pairs covers, and a team to watch it.",
        "Anything that supervised tuning or DPO reaches. It is the dearest and least stable of "
        "all, and it finds "
        "every hole in the reward.",
        "Tens of thousands of comparisons, memory for up to four models at once, several large GPUs, weeks.",
    ),
)


def technique(id: str) -> Technique:
    """The technique of this id. Raises KeyError when there is none."""
    return {each.id: each for each in TECHNIQUES}[id]
