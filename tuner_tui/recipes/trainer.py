"""What tuner adds to each of TRL's trainers: checkpoints that are whole, evaluations that can be given up, an
adapter in float32, and a result."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from tuner_tui.recipes import checkpoints, device, ranks
from tuner_tui.recipes import model as models
from tuner_tui.recipes.faults import EvaluationCut, is_out_of_memory
from tuner_tui.recipes.session import Session
from tuner_tui.runs import layout
from tuner_tui.runs.layout import RunState
from tuner_tui.training.config import TrainConfig, load_config


def corridor(base: type, session: Session, config: TrainConfig) -> Any:
    """A subclass of a TRL trainer (a class) that writes into the run directory as its readers expect."""
    run, run_dir = session.run, session.run.run_dir

    class Trainer(base):  # type: ignore[misc]
        def train(self, *args: Any, **kwargs: Any) -> Any:
            """Without memory for a step, what the step before it reached is kept for the next try."""
            try:
                return super().train(*args, **kwargs)
            except Exception as error:
                if is_out_of_memory(error) and ranks.world() == 1:
                    self._keep_what_is_reached()
                raise

        def _keep_what_is_reached(self) -> None:
            kept = checkpoints.newest(run_dir)
            if self.state.global_step > (kept[1] if kept else 0):
                self.model.zero_grad(set_to_none=True)
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                self._save_checkpoint(self.model, None)

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            step = self.state.global_step
            run.update(phase="writing a checkpoint")
            folder = run_dir / layout.CHECKPOINTS
            # All processes write their part into the one folder that the first of them publishes.
            with _published(folder / f"step-{step}") as staging:
                self.args.output_dir = str(staging)
                try:
                    super()._save_checkpoint(model, trial)
                finally:
                    self.args.output_dir = str(folder)
                ranks.barrier()
                if ranks.is_main():
                    written = staging / f"checkpoint-{step}"
                    for path in written.iterdir():
                        path.rename(staging / path.name)
                    written.rmdir()
            if ranks.is_main():
                checkpoints.prune(run_dir, config.logging.keep_checkpoints)
            ranks.barrier()
            run.event("checkpoint", f"wrote the checkpoint of step {step}.", path=f"step-{step}")

        @property
        def _adapter_is_divided(self) -> bool:
            return bool(self.is_fsdp_enabled and config.lora.enabled)

        def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
            if not self._adapter_is_divided:
                super().save_model(output_dir, _internal_call)
                return
            from tuner_tui.recipes import sharded

            folder = Path(output_dir or self.args.output_dir)
            sharded.save(self.model, folder)
            if self.args.should_save:
                self.processing_class.save_pretrained(folder)

        def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
            if not self._adapter_is_divided:
                super()._save_optimizer_and_scheduler(output_dir)
                return
            from tuner_tui.recipes import sharded

            sharded.save_optimizer(self, Path(output_dir))

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            if not self._adapter_is_divided:
                super()._load_from_checkpoint(resume_from_checkpoint, model)
                return
            from tuner_tui.recipes import sharded

            sharded.load(self.model if model is None else model, Path(resume_from_checkpoint))

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
    """Make the adapter float32, take the fast path, silence what would print; say what will be trained."""
    from transformers import PrinterCallback

    from tuner_tui.recipes import kernels

    trainer.remove_callback(PrinterCallback)
    # TRL makes the adapter of a 4-bit model bfloat16, in which small updates are rounded away.
    trained = [p for p in trainer.model.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.data = parameter.data.float()
    fast = kernels.apply(trainer, load_config(session.run.run_dir / layout.CONFIG))
    weights = sum(p.numel() for p in trained)
    session.run.event(
        "started",
        f"training {weights:,} weights on {models.device_name()}.",
        device=models.device_name(),
        dtype=str(dtype).removeprefix("torch."),
        trained_parameters=weights,
        attention=fast.attention,
        layers=fast.layers,
        checkpointing=fast.checkpointing,
    )
    session.run.event("kernels", fast.sentence)
    device.tell(session)


def finish(trainer: Any, session: Session, config: TrainConfig) -> RunState:
    """Write the result, `adapter/` (or, of full fine-tuning, `model/`), and say whether the run is done."""
    run, run_dir = session.run, session.run.run_dir
    run.update(phase="writing the result")
    target = run_dir / (layout.ADAPTER if config.lora.enabled else layout.MODEL)
    with _published(target) as staging:
        if trainer.is_fsdp_enabled and config.lora.enabled:
            from tuner_tui.recipes import sharded

            sharded.save(trainer.model, staging)
        else:
            _write(trainer, config, staging)
        ranks.barrier()
    done = trainer.state.global_step >= trainer.state.max_steps
    return RunState.FINISHED if done else RunState.STOPPED


def _write(trainer: Any, config: TrainConfig, folder: Path) -> None:
    """The result into a folder, by the first process; the others help where an engine divides the model."""
    state: dict[str, Any] | None = None
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    if not ranks.is_main():
        return
    model = trainer.accelerator.unwrap_model(trainer.model)
    if config.lora.enabled:
        model.save_pretrained(folder, state_dict=state, save_embedding_layers=False)
        return
    dtype = models.stored_dtype(config.model.name)
    if state is None:
        model.to(dtype)
    else:
        state = {name: weight.to(dtype) for name, weight in state.items()}
    model.save_pretrained(folder, state_dict=state)
    models.load_tokenizer(config.model.name).save_pretrained(folder)


@contextmanager
def _published(target: Path) -> Iterator[Path]:
    """`checkpoints.published` for all processes of a run: one folder, published by the first of them."""
    with checkpoints.published(target) if ranks.is_main() else nullcontext() as staging:
        yield Path(ranks.share(str(staging)))
