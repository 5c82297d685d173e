"""What tuner adds to each of TRL's trainers: checkpoints that are whole, evaluations that can be given up, an
adapter in float32, and a result."""

from typing import Any

from tuner_tui.recipes import checkpoints
from tuner_tui.recipes import model as models
from tuner_tui.recipes.faults import EvaluationCut
from tuner_tui.recipes.session import Session
from tuner_tui.runs import layout
from tuner_tui.runs.layout import RunState
from tuner_tui.training.config import TrainConfig


def corridor(base: type, session: Session, config: TrainConfig) -> Any:
    """A subclass of a TRL trainer (a class) that writes into the run directory as its readers expect."""
    run, run_dir = session.run, session.run.run_dir

    class Trainer(base):  # type: ignore[misc]
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

    return Trainer


def prepare(trainer: Any, session: Session, dtype: Any) -> None:
    """Make the adapter float32, silence what would print, and say what will be trained."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    # TRL makes the adapter of a 4-bit model bfloat16, in which small updates are rounded away.
    trained = [p for p in trainer.model.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.data = parameter.data.float()
    weights = sum(p.numel() for p in trained)
    session.run.event(
        "started",
        f"training {weights:,} weights on {models.device_name()}.",
        device=models.device_name(),
        dtype=str(dtype).removeprefix("torch."),
        trained_parameters=weights,
        attention=trainer.model.config._attn_implementation,
    )


def finish(trainer: Any, session: Session, config: TrainConfig) -> RunState:
    """Write the result, `adapter/` (or, of full fine-tuning, `model/`), and say whether the run is done."""
    run, run_dir = session.run, session.run.run_dir
    if config.lora.enabled:
        run.update(phase="writing the adapter")
        with checkpoints.published(run_dir / layout.ADAPTER) as staging:
            trainer.model.save_pretrained(staging, save_embedding_layers=False)
    else:
        run.update(phase="writing the model")
        with checkpoints.published(run_dir / layout.MODEL) as staging:
            trainer.model.to(models.stored_dtype(config.model.name)).save_pretrained(staging)
            models.load_tokenizer(config.model.name).save_pretrained(staging)
    done = trainer.state.global_step >= trainer.state.max_steps
    return RunState.FINISHED if done else RunState.STOPPED
