"""What each method does, what it learns from and what comes out of it: the same words on every screen."""

from collections.abc import Mapping
from dataclasses import dataclass

from tuner_tui.training.methods import Method


@dataclass(frozen=True, slots=True)
class MethodNote:
    """`title` names the method in full; `does` says what it does, `needs` what it learns from, `before` what
    has to be there first ("" for nothing), `result` what comes out. Each is a sentence."""

    title: str
    does: str
    needs: str
    before: str
    result: str


_ADAPTER = "An adapter, which makes the base model answer as it was taught."

NOTES: Mapping[Method, MethodNote] = {
    "sft": MethodNote(
        "supervised fine-tuning",
        "The model learns to say what the assistant says in the rows, token by token.",
        "Conversations whose assistant turns are right: of a preference pair, the better answer.",
        "",
        _ADAPTER,
    ),
    "dpo": MethodNote(
        "direct preference optimization",
        "The model learns to find the better answer of each pair likelier than the worse one, held to the "
        "model that it began as.",
        "Pairs: a prompt with a better and a worse answer.",
        "Best after sft: name that run under “Start from adapter”.",
        _ADAPTER,
    ),
    "kto": MethodNote(
        "Kahneman-Tversky optimization",
        "The model learns from single answers that were found good or bad; nobody has to compare two.",
        "Answers labelled good or bad; a pair counts as one of each.",
        "Best after sft: name that run under “Start from adapter”.",
        _ADAPTER,
    ),
    "reward": MethodNote(
        "reward model",
        "A model learns to score answers, so that the better one of a pair gets the higher score: the second "
        "step of RLHF.",
        "Pairs: a prompt with a better and a worse answer, as the screen Prefer collects them.",
        "",
        "A reward model for ppo. It answers nothing itself, so there is no evaluation of tool calls; its "
        "accuracy on held-out pairs is the figure that counts.",
    ),
    "ppo": MethodNote(
        "proximal policy optimization",
        "The model tries answers out, a reward model scores them, and what scored well becomes likelier: the "
        "third step of RLHF.",
        "Prompts; the answers in the rows are not used.",
        "Needs a finished run of the method reward on the same base model.",
        _ADAPTER,
    ),
    "grpo": MethodNote(
        "group relative policy optimization",
        "The model tries several answers to each prompt; a program checks their tool calls, and what is "
        "better than the rest of its group becomes likelier.",
        "Prompts with the right calls, to check against.",
        "The base model must get some answers right by itself: where all fail alike, nothing is learned.",
        _ADAPTER,
    ),
    "rloo": MethodNote(
        "REINFORCE leave-one-out",
        "As grpo, with the mean reward of the other answers as the yardstick, and no clipping.",
        "Prompts with the right calls, to check against.",
        "The base model must get some answers right by itself: where all fail alike, nothing is learned.",
        _ADAPTER,
    ),
}
