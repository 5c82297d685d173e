"""Direct preference optimization (DPO, IPO): `python -m tuner_tui.recipes.dpo RUN_DIR`.

From pairs of a better and a worse answer to the same prompt, without a reward model: the adapter learns to
make the better answer more probable than the worse one, by more than the base model does (arXiv:2305.18290;
IPO: arXiv:2310.12036). The reference is the base with the adapter off, so nothing is held in memory twice.
"""

from tuner_tui.recipes import checkpoints
from tuner_tui.recipes.examples import read_examples
from tuner_tui.recipes.preference_events import no_pair, tell, tell_unused
from tuner_tui.recipes.session import Session
from tuner_tui.recipes.start import start
from tuner_tui.runs.layout import RunState


def train(session: Session) -> RunState:
    """From `config.yaml` to `adapter/`, resuming from the newest checkpoint if there is one."""
    run, run_dir = session.run, session.run.run_dir
    config = session.config()
    checkpoint = checkpoints.resume(run)

    # 1. The data: any readable layout -> canonical pairs. Whatever is no pair is left out, and told.
    session.phase("reading the data")
    train_examples, eval_examples = read_examples(session, config, no_pair)
    tell_unused(run, config)

    session.phase("loading the libraries")
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.arguments import common_arguments
    from tuner_tui.recipes.base import base_for
    from tuner_tui.recipes.callback import CorridorCallback
    from tuner_tui.recipes.preference_rows import both_sides, pairs
    from tuner_tui.recipes.preference_trainer import PairCollator, tokenised
    from tuner_tui.recipes.rows import Renderer
    from tuner_tui.recipes.trainer import corridor, finish, prepare

    # 2. Pairs -> tokens, with their tools: only what the assistant says is compared.
    session.phase("preparing the rows")
    tokenizer = models.load_tokenizer(config.model.name)
    renderer = Renderer(tokenizer, models.stop_tokens(config.model.name))
    if lost := renderer.require(both_sides([*train_examples, *eval_examples])):
        run.event("warning", f"the chat template of {config.model.name} {lost}: that is not learned.")
    train_rows = pairs(renderer, train_examples, config.data.max_length)
    tell(run, config, train_rows, len(train_examples), "training")
    eval_rows = pairs(renderer, eval_examples, config.data.max_length)
    if eval_examples:
        tell(run, config, eval_rows, len(eval_examples), "evaluation")

    # 3. The base model, frozen; in 4 bits if so configured. An adapter of an earlier run is merged into it,
    # so that it is where this run begins, and its reference.
    session.phase("loading the model")
    dtype = models.compute_dtype(config.model.dtype)
    model = base_for(config, dtype)

    # 4. How to train.
    cuda = model.device.type == "cuda"
    arguments = DPOConfig(
        **common_arguments(config, run_dir, dtype=dtype, cuda=cuda, evaluates=bool(eval_rows.rows)),
        loss_type=[config.preference.loss],
        beta=config.preference.beta,
        max_length=config.data.max_length,
        remove_unused_columns=False,
        include_num_input_tokens_seen="non_padding",
    )

    # 5. The trainer adds the adapter to the model; without it, the model is the reference.
    session.phase("preparing the trainer")
    trainer = corridor(tokenised(DPOTrainer), session, config)(
        model=model,
        ref_model=None,
        args=arguments,
        data_collator=PairCollator(tokenizer.pad_token_id or 0, config.data.max_length),
        train_dataset=Dataset.from_list(train_rows.rows),
        eval_dataset=Dataset.from_list(eval_rows.rows) if eval_rows.rows else None,
        processing_class=tokenizer,
        peft_config=models.lora(config),
        callbacks=[CorridorCallback(session, evaluates=bool(eval_rows.rows))],
    )
    prepare(trainer, session, dtype)

    # 6. Train. The callback writes the metrics and obeys the watchers.
    session.phase("starting to train")
    trainer.train(resume_from_checkpoint=checkpoint)

    # 7. The result.
    return finish(trainer, session, config)


if __name__ == "__main__":
    start(train)
