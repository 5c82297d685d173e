"""Learning from answers labelled good or bad (KTO): `python -m tuner_tui.recipes.kto RUN_DIR`.

No pairs are needed: a thumb up or down for each answer is enough. Good answers become more probable than
under the base model, bad ones less, each weighed by how far the model has moved from its base as a whole
(arXiv:2402.01306). The reference is the base with the adapter off. Pairs are taken too, as two answers each.
"""

from tuner_tui.errors import UserError
from tuner_tui.recipes import checkpoints
from tuner_tui.recipes.examples import read_examples
from tuner_tui.recipes.preference_events import no_label, tell, tell_balance, tell_unused
from tuner_tui.recipes.session import Session
from tuner_tui.recipes.start import start
from tuner_tui.runs.layout import RunState


def train(session: Session) -> RunState:
    """From `config.yaml` to `adapter/`, resuming from the newest checkpoint if there is one."""
    run, run_dir = session.run, session.run.run_dir
    config = session.config()
    checkpoint = checkpoints.resume(run)
    if config.optimization.micro_batch < 2:
        raise UserError(
            "optimization.micro_batch: kto tells within each micro-batch how far the model has moved, and "
            "needs 2 rows at least; a row of it takes half the memory of a pair."
        )

    # 1. The data: any readable layout -> labelled answers, and pairs. Others are left out, and told.
    session.phase("reading the data")
    train_examples, eval_examples = read_examples(session, config, no_label)
    tell_unused(run, config)

    session.phase("loading the libraries")
    from datasets import Dataset
    from trl import KTOConfig, KTOTrainer

    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.arguments import common_arguments
    from tuner_tui.recipes.base import base_for
    from tuner_tui.recipes.callback import CorridorCallback
    from tuner_tui.recipes.preference_rows import both_sides, labelled, mismatch
    from tuner_tui.recipes.preference_trainer import LabelCollator, tokenised
    from tuner_tui.recipes.rows import Renderer
    from tuner_tui.recipes.trainer import corridor, finish, prepare

    # 2. Answers -> tokens, with their tools; and each prompt with the answer to another one, from which KTO
    # tells how far the model has moved. Their order is fixed here, once: these neighbours belong together.
    session.phase("preparing the rows")
    tokenizer = models.load_tokenizer(config.model.name)
    renderer = Renderer(tokenizer, models.stop_tokens(config.model.name))
    if lost := renderer.require(both_sides([*train_examples, *eval_examples])):
        run.event("warning", f"the chat template of {config.model.name} {lost}: that is not learned.")
    group = config.optimization.micro_batch
    made = labelled(renderer, train_examples, config.data.max_length)
    tell(run, config, made, len(train_examples), "training")
    tell_balance(run, config, made)
    train_rows = mismatch(made.rows, group, config.seed)
    made = labelled(renderer, eval_examples, config.data.max_length)
    if eval_examples:
        tell(run, config, made, len(eval_examples), "evaluation")
    eval_rows = mismatch(made.rows, group, config.seed)

    # 3. The base model, frozen; in 4 bits if so configured. An adapter of an earlier run is merged into it,
    # so that it is where this run begins, and its reference.
    session.phase("loading the model")
    dtype = models.compute_dtype(config.model.dtype)
    model = base_for(config, dtype)

    # 4. How to train.
    cuda = model.device.type == "cuda"
    arguments = KTOConfig(
        **common_arguments(config, run_dir, dtype=dtype, cuda=cuda, evaluates=bool(eval_rows)),
        beta=config.preference.beta,
        desirable_weight=config.preference.desirable_weight,
        undesirable_weight=config.preference.undesirable_weight,
        max_length=config.data.max_length,
        remove_unused_columns=False,
        include_num_input_tokens_seen="non_padding",
    )

    # 5. The trainer adds the adapter to the model; without it, the model is the reference.
    session.phase("preparing the trainer")
    trainer = corridor(tokenised(KTOTrainer), session, config)(
        model=model,
        ref_model=None,
        args=arguments,
        data_collator=LabelCollator(tokenizer.pad_token_id or 0, config.data.max_length),
        train_dataset=Dataset.from_list(train_rows),
        eval_dataset=Dataset.from_list(eval_rows) if eval_rows else None,
        processing_class=tokenizer,
        peft_config=models.lora(config),
        callbacks=[CorridorCallback(session, evaluates=bool(eval_rows))],
    )
    prepare(trainer, session, dtype)

    # 6. Train. The callback writes the metrics and obeys the watchers.
    session.phase("starting to train")
    trainer.train(resume_from_checkpoint=checkpoint)

    # 7. The result.
    return finish(trainer, session, config)


if __name__ == "__main__":
    start(train)
