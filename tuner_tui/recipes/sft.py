"""Supervised fine-tuning with LoRA or QLoRA: `python -m tuner_tui.recipes.sft RUN_DIR`.

Read it from top to bottom: it is all that happens between a configuration and an adapter. The heavy libraries
are imported inside `train`, so that the run shows a sign of life within the first tenth of a second.
"""

import os
import sys
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner_tui.errors import UserError
from tuner_tui.recipes import checkpoints
from tuner_tui.recipes.session import Session, run_recipe
from tuner_tui.runs import files, layout
from tuner_tui.runs.layout import RunState
from tuner_tui.training.config import TrainConfig, load_config

if TYPE_CHECKING:
    from tuner_tui.data.examples import Example
    from tuner_tui.recipes.rows import Renderer, TokenRows

_QUIET = {
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}


def main() -> int:
    """The process; its exit status is 0 unless the run failed."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tuner_tui.recipes.sft RUN_DIR")
    os.umask(0o077)  # checkpoints and adapters, too, are the person's own
    os.environ.update(_QUIET)
    # One process trains on one GPU: the first that it may see. The Trainer refuses to share a model among
    # several.
    os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    return run_recipe(Path(sys.argv[1]), train)


def train(session: Session) -> RunState:
    """From `config.yaml` to `adapter/`, resuming from the newest checkpoint if there is one."""
    run, run_dir = session.run, session.run.run_dir
    config = load_config(run_dir / layout.CONFIG)
    checkpoints.sweep(run_dir)
    checkpoint = checkpoints.newest(run_dir)
    reached = checkpoint[1] if checkpoint else 0
    run.resumed(reached)  # whatever a killed process had logged beyond it is made anew
    run.update(step=reached)
    if checkpoint:
        run.event("resumed", f"going on from the checkpoint of step {reached}.")

    # 1. The data: any readable layout -> canonical examples. Bad rows are left out, and told.
    session.phase("reading the data")
    train_examples, eval_examples = _examples(session, config)

    session.phase("loading the libraries")
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.callback import CorridorCallback
    from tuner_tui.recipes.faults import EvaluationCut
    from tuner_tui.recipes.rows import Renderer

    # 2. Examples -> tokens, with a mask: only what the assistant says is learned.
    session.phase("preparing the rows")
    tokenizer = models.load_tokenizer(config.model.name)
    renderer = Renderer(tokenizer, models.stop_tokens(config.model.name))
    if lost := renderer.require([*train_examples, *eval_examples]):
        run.event("warning", f"the chat template of {config.model.name} {lost}: that is not learned.")
    train_rows = _rows(session, renderer, config, train_examples, "training")
    eval_rows = _rows(session, renderer, config, eval_examples, "evaluation")

    # 3. The base model, frozen; in 4 bits if so configured. The adapter's weights are added below.
    session.phase("loading the model")
    dtype = models.compute_dtype(config.model.dtype)
    model = models.load_base(
        config.model.name,
        dtype,
        bits=config.quantization.bits,
        double=config.quantization.double,
        attention=config.model.attention,
    )
    model.config.use_cache = False

    # 4. How to train.
    wanted = config.optimization
    cuda = model.device.type == "cuda"
    arguments = SFTConfig(
        output_dir=str(run_dir / layout.CHECKPOINTS),
        seed=config.seed,
        data_seed=config.seed,
        learning_rate=wanted.learning_rate,
        lr_scheduler_type=_SCHEDULES[wanted.schedule],
        warmup_steps=wanted.warmup_ratio,  # a fraction below 1 is a share of all steps
        weight_decay=wanted.weight_decay,
        max_grad_norm=wanted.max_grad_norm,
        optim=wanted.optimizer,
        per_device_train_batch_size=wanted.micro_batch,
        per_device_eval_batch_size=wanted.micro_batch,
        gradient_accumulation_steps=wanted.effective_batch // wanted.micro_batch,
        num_train_epochs=wanted.epochs,
        max_steps=wanted.max_steps or -1,
        gradient_checkpointing=wanted.gradient_checkpointing,
        bf16=str(dtype) == "torch.bfloat16",
        use_cpu=not cuda,
        max_length=config.data.max_length,
        packing=config.data.packing,
        logging_steps=config.logging.log_every,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # the default shows a NaN loss as 0.0
        include_num_input_tokens_seen="all" if config.data.packing else "non_padding",
        eval_strategy="steps" if config.logging.eval_every and eval_rows else "no",
        eval_steps=config.logging.eval_every or None,
        save_strategy="steps",
        save_steps=config.logging.save_every,
        dataloader_pin_memory=cuda,
        disable_tqdm=True,
        report_to="none",
    )

    class Trainer(SFTTrainer):  # type: ignore[misc]
        """SFTTrainer whose checkpoints are complete or absent, and whose evaluation can be given up."""

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            step = self.state.global_step
            run.update(phase="writing a checkpoint")
            folder = run_dir / layout.CHECKPOINTS
            with checkpoints.published(folder / f"step-{step}") as staging:
                self.args.output_dir = str(staging)
                try:
                    super()._save_checkpoint(model, trial)
                finally:
                    self.args.output_dir = str(folder)
                written = staging / f"checkpoint-{step}"
                for path in written.iterdir():
                    path.rename(staging / path.name)
                written.rmdir()
            checkpoints.prune(run_dir, config.logging.keep_checkpoints)
            run.event("checkpoint", f"wrote the checkpoint of step {step}.", path=f"step-{step}")

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """None: the report says what this run was."""

        def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
            try:
                result: dict[str, float] = super().evaluate(*args, **kwargs)
            except EvaluationCut:
                return {}
            return result

    # 5. The trainer adds the adapter to the model.
    session.phase("preparing the trainer")
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(train_rows),
        eval_dataset=Dataset.from_list(eval_rows) if eval_rows else None,
        processing_class=tokenizer,
        peft_config=models.lora(config),
        callbacks=[CorridorCallback(session, evaluates=bool(eval_rows))],
    )
    trainer.remove_callback(PrinterCallback)
    # TRL makes the adapter of a 4-bit model bfloat16, in which small updates are rounded away.
    trained = [p for p in trainer.model.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.data = parameter.data.float()
    run.event(
        "started",
        f"training {sum(p.numel() for p in trained):,} weights on {models.device_name()}.",
        device=models.device_name(),
        dtype=str(dtype).removeprefix("torch."),
        trained_parameters=sum(p.numel() for p in trained),
        attention=trainer.model.config._attn_implementation,
    )

    # 6. Train. The callback writes the metrics and obeys the watchers.
    session.phase("starting to train")
    trainer.train(resume_from_checkpoint=str(checkpoint[0]) if checkpoint else None)

    # 7. The result.
    run.update(phase="writing the adapter")
    with checkpoints.published(run_dir / layout.ADAPTER) as staging:
        trainer.model.save_pretrained(staging, save_embedding_layers=False)
    done = trainer.state.global_step >= trainer.state.max_steps
    return RunState.FINISHED if done else RunState.STOPPED


_SCHEDULES = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}


def _examples(session: Session, config: TrainConfig) -> tuple["list[Example]", "list[Example]"]:
    """Training and evaluation examples; what had to be left out goes to an event and `rejected.jsonl`."""
    from tuner_tui.data.dataset import load_dataset
    from tuner_tui.data.parts.set_aside import set_aside

    rejected = session.run.run_dir / layout.REJECTED
    rejected.unlink(missing_ok=True)

    def read(path: Path) -> "list[Example]":
        loaded = load_dataset(path)
        reasons: dict[str, int] = {}
        for finding in loaded.rejected:
            reasons[finding.rule] = reasons.get(finding.rule, 0) + 1
            files.append_line(
                rejected,
                {
                    "file": str(path),
                    "row": finding.row,
                    "field": finding.field,
                    "rule": finding.rule,
                    "message": finding.message,
                    "fix": finding.fix,
                },
            )
        if reasons:
            rows = len({finding.row for finding in loaded.rejected})
            session.run.event(
                "rejected",
                f"left {rows} row{'' if rows == 1 else 's'} of {path.name} out: "
                f"{', '.join(sorted(reasons))}; see {layout.REJECTED}.",
                file=str(path),
                rows=rows,
                reasons=reasons,
            )
        wanted = [example for example in loaded.examples if example.get("label") is not False]
        if unwanted := len(loaded.examples) - len(wanted):
            session.run.event(
                "rejected",
                f"left {unwanted} row{'' if unwanted == 1 else 's'} of {path.name} out: answers labelled "
                "false are not to be imitated; only preference methods learn from them.",
                file=str(path),
                rows=unwanted,
                reasons={"label_false": unwanted},
            )
        if not wanted:
            raise UserError(
                f"{path}: every answer is labelled false; give rows that show what the model shall do."
            )
        return wanted

    examples = [example for path in config.data.train for example in read(path)]
    if config.data.eval:
        held_out = read(config.data.eval)
    else:
        # The same seed sets the same rows aside again when the run is resumed.
        examples, held_out = set_aside(
            examples, by=config.data.split_by, share=config.data.eval_fraction, seed=config.seed
        )
    _warn_of_leaks(session, examples, held_out)
    return examples, held_out


def _warn_of_leaks(session: Session, train: "list[Example]", held_out: "list[Example]") -> None:
    """An event when evaluation rows are trained on: the evaluation loss will look better than it is."""
    from tuner_tui.data.copies.leaks import leaked, question_key

    questions = (array("Q", map(question_key, examples)) for examples in (train, held_out))
    rows = sum(1 for _ in leaked(*questions))
    if rows:
        session.run.event(
            "warning",
            f"{rows} of {len(train)} training rows ask the same as an evaluation row, with the same tools: "
            "the evaluation loss will look better than it is. `tuner inspect TRAIN --eval EVAL` names them.",
            leaked=rows,
        )


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
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(status)
