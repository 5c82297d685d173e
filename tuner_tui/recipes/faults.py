"""Why a run ended, in one sentence for a person."""

import errno

from tuner_tui.errors import UserError


class TrainingAborted(Exception):
    """The run must not go on; the message is the reason."""


class Stopped(Exception):
    """A stop was asked for before there was anything to save."""


class EvaluationCut(Exception):
    """A stop was asked for during an evaluation, which is given up for it."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the GPU, or the machine, has no more memory to give."""
    text = str(error)
    return (
        type(error).__name__ == "OutOfMemoryError"
        or isinstance(error, MemoryError)
        or (
            isinstance(error, RuntimeError)
            and ("can't allocate memory" in text or "CUDA out of memory" in text)
        )
    )


def explain(error: BaseException) -> str:
    """One sentence: what happened and how to mend it, for the faults that people meet."""
    text = str(error).strip()
    if isinstance(error, UserError | TrainingAborted):
        return text
    if type(error).__name__ == "OutOfMemoryError":
        return (
            "the GPU ran out of memory; lower optimization.micro_batch or data.max_length, turn on "
            "optimization.gradient_checkpointing, or set quantization.bits to 4."
        )
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return "the machine ran out of memory; lower optimization.micro_batch or data.max_length."
    if "probability tensor contains" in text:  # what sampling says of them
        return (
            "the model's outputs became infinite or not a number while it answered; lower the learning rate, "
            "or lengthen the warm-up, and start anew."
        )
    # torch.save reports a full disk as a RuntimeError of its archive writer.
    no_space = isinstance(error, OSError) and error.errno == errno.ENOSPC
    if no_space or "inline_container" in text or "No space left" in text:
        return "the disk is full, so no checkpoint could be written; free some space and resume."
    first = text.split("\n")[0] or "no message"
    return f"{type(error).__name__}: {first} (the whole of it is in train.log)"
