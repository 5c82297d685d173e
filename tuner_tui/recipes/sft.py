"""Supervised fine-tuning: `python -m tuner_tui.recipes.sft RUN_DIR`.

With LoRA, QLoRA, or of every weight. Read it from top to bottom: it is all that happens between a
configuration and a result. The heavy libraries are imported inside `train`, so that the run shows a sign of
life within the first tenth of a second.
"""

from typing import TYPE_CHECKING

from tuner_tui.errors import UserError
from tuner_tui.recipes import checkpoints
from tuner_tui.recipes.examples import read_examples
from tuner_tui.recipes.session import Session
from tuner_tui.recipes.start import start
from tuner_tui.runs.layout import RunState
from tuner_tui.training.config import TrainConfig

if TYPE_CHECKING:
    from tuner_tui.data.examples import Example
    from tuner_tui.recipes.rows import Renderer, TokenRows


def train(session: Session) -> RunState:
    """From `config.yaml` to `adapter/`, resuming from the newest checkpoint if there is one."""
    run, run_dir = session.run, session.run.run_dir
    config = session.config()
    checkpoint = checkpoints.resume(run)

    # 1. The data: any readable layout -> canonical examples. Bad rows are left out, and told.
    session.phase("reading the data")
    train_examples, eval_examples = read_examples(session, config, _useless)

    session.phase("loading the libraries")
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.arguments import common_arguments
    from tuner_tui.recipes.base import base_for
    from tuner_tui.recipes.callback import CorridorCallback
    from tuner_tui.recipes.rows import Renderer
    from tuner_tui.recipes.trainer import corridor, finish, prepare

    # 2. Examples -> tokens, with a mask: only what the assistant says is learned.
    session.phase("preparing the rows")
    tokenizer = models.load_tokenizer(config.model.name)
    renderer = Renderer(tokenizer, models.stop_tokens(config.model.name))
    if lost := renderer.require([*train_examples, *eval_examples]):
        run.event("warning", f"the chat template of {config.model.name} {lost}: that is not learned.")
    train_rows = _rows(session, renderer, config, train_examples, "training")
    eval_rows = _rows(session, renderer, config, eval_examples, "evaluation")

    # 3. The base model, frozen unless every weight is trained; in 4 bits if so configured.
    session.phase("loading the model")
    dtype = models.compute_dtype(config.model.dtype)
    model = base_for(config, dtype)

    # 4. How to train.
    cuda = model.device.type == "cuda"
    arguments = SFTConfig(
        **common_arguments(config, run_dir, dtype=dtype, cuda=cuda, evaluates=bool(eval_rows)),
        max_length=config.data.max_length,
        packing=config.data.packing,
        include_num_input_tokens_seen="all" if config.data.packing else "non_padding",
    )

    # 5. The trainer adds the adapter to the model.
    session.phase("preparing the trainer")
    trainer = corridor(SFTTrainer, session, config)(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(train_rows),
        eval_dataset=Dataset.from_list(eval_rows) if eval_rows else None,
        processing_class=tokenizer,
        peft_config=models.lora(config) if config.lora.enabled else None,
        callbacks=[CorridorCallback(session, evaluates=bool(eval_rows))],
    )
    prepare(trainer, session, dtype)

    # 6. Train. The callback writes the metrics and obeys the watchers.
    session.phase("starting to train")
    trainer.train(resume_from_checkpoint=checkpoint)

    # 7. The result.
    return finish(trainer, session, config)


def _useless(example: "Example") -> tuple[str, str] | None:
    if example.get("label") is False:
        why = "answers labelled false are not to be imitated; only preference methods learn from them"
        return "label_false", why
    return None


def _rows(
    session: Session, renderer: "Renderer", config: TrainConfig, examples: "list[Example]", use: str
) -> list[dict[str, list[int]]]:
    """Token rows of the examples; what was cut or has nothing to learn goes to an event."""
    if not examples:
        return []
    made: TokenRows = renderer.rows(examples, config.data.max_length)
    if not made.rows:
        raise UserError(
            f"none of the {len(examples)} {use} rows has anything to learn within "
            f"{config.data.max_length} tokens; raise data.max_length."
        )
    if made.cut:
        session.run.event(
            "cut",
            f"cut {len(made.cut)} of {len(examples)} {use} rows at {config.data.max_length} tokens; "
            f"{len(made.empty)} of them had nothing left to learn and were left out.",
            rows=len(made.cut),
            left_out=len(made.empty),
        )
    if made.unended:
        session.run.event(
            "warning",
            f"{made.unended} {use} rows do not teach the end of the turn: the chat template leaves it "
            "out, or data.max_length cuts it off, and the tuned model may not know when to stop.",
            rows=made.unended,
        )
    session.run.event(
        "data",
        f"{len(examples)} {use} examples, {made.tokens:,} tokens.",
        use=use,
        examples=len(examples),
        rows=len(made.rows),
        tokens=made.tokens,
        by_turn=renderer.by_turn,
    )
    return made.rows


if __name__ == "__main__":
    start(train)
