"""What a preference run says of its rows, in its events. No torch here."""

from tuner_tui.data.examples import Example, is_preference, is_unpaired
from tuner_tui.errors import UserError
from tuner_tui.recipes.preference_rows import Rows
from tuner_tui.runs.silent import SilentRun
from tuner_tui.runs.writer import RunWriter
from tuner_tui.training.config import TrainConfig


def no_pair(example: Example) -> tuple[str, str] | None:
    """Why DPO and a reward model can learn nothing from an example; None when they can."""
    if is_preference(example):
        return None
    what = "answers with a label, for kto" if is_unpaired(example) else "conversations, for sft"
    return "no_pair", f"they are no pairs of a chosen and a rejected answer, but {what}"


def no_label(example: Example) -> tuple[str, str] | None:
    """Why KTO can learn nothing from an example; None when it can."""
    if is_preference(example) or is_unpaired(example):
        return None
    return "no_label", "they do not say whether their answers are good or bad; conversations are for sft"


def tell(run: RunWriter | SilentRun, config: TrainConfig, made: Rows, examples: int, use: str) -> None:
    """Events about the rows that were made of `examples` examples; `use`: "training" or "evaluation".

    Raises:
        UserError: none is left.
    """
    length = config.data.max_length
    if not made.rows:
        raise UserError(
            f"none of the {examples} {use} rows has anything to learn within {length} tokens; raise "
            "data.max_length."
        )
    if made.cut or made.left_out:
        why = (
            f"longer than {length} tokens, and an answer without its end cannot be scored"
            if config.method == "reward"
            else "nothing is left in them to prefer"
        )
        cut = (
            ""
            if config.method == "reward"
            else f"cut {made.cut} of {made.given} {use} rows at {length} tokens; "
        )
        run.event(
            "cut",
            f"{cut}left {made.left_out} of {made.given} {use} rows out: {why}.",
            rows=made.cut,
            left_out=made.left_out,
        )
    if made.unended:
        run.event(
            "warning",
            f"{made.unended} answers of the {use} rows do not end with the token at which the model stops: "
            "the chat template leaves it out, or data.max_length cuts it off.",
            rows=made.unended,
        )
    if made.mismatched:
        run.event(
            "warning",
            f"in {made.mismatched} {use} rows the chat template writes the prompt differently when an answer "
            "follows; what differs counts as part of the answer.",
            rows=made.mismatched,
        )
    run.event(
        "data",
        f"{examples} {use} examples, {made.tokens:,} tokens.",
        use=use,
        examples=examples,
        rows=len(made.rows),
        tokens=made.tokens,
    )


def tell_unused(run: RunWriter | SilentRun, config: TrainConfig) -> None:
    """An event for each setting that the method does not heed."""
    if config.data.packing:
        run.event("warning", f"data.packing is for sft; {config.method} pads its rows.")
    if config.lora.dropout:
        run.event(
            "warning", f"lora.dropout is off: {config.method} compares probabilities, which it would blur."
        )


def tell_balance(run: RunWriter | SilentRun, config: TrainConfig, made: Rows) -> None:
    """A warning when good and bad answers weigh too differently: KTO asks that the sum of the good ones be 1
    to 4/3 of that of the bad ones (arXiv:2402.01306, equation 8, as TRL's KTOTrainer reads it)."""
    weights = config.preference
    good = sum(row["label"] for row in made.rows)
    bad = len(made.rows) - good
    if not good or not bad:
        run.event(
            "warning",
            f"all {len(made.rows)} training answers are {'good' if good else 'bad'}: KTO learns from the "
            "difference between good and bad ones.",
        )
    elif not 1 <= (ratio := good * weights.desirable_weight / (bad * weights.undesirable_weight)) <= 4 / 3:
        field, share = ("desirable_weight", 1 / ratio) if ratio < 1 else ("undesirable_weight", ratio)
        run.event(
            "warning",
            f"{good} good and {bad} bad answers, as weighed, are {ratio:.2f} to 1, where KTO asks for 1 to "
            f"1.33; set preference.{field} to {getattr(weights, field) * share:.3g}.",
        )
