"""A reward model: `python -m tuner_tui.recipes.reward RUN_DIR`.

From pairs of a better and a worse answer to a model that scores any answer: the second step of RLHF, and what
PPO learns from. A head of one number on the last token of the answer, and an adapter below it, learn that
the better answer scores higher (Bradley and Terry 1952; arXiv:2203.02155, section 3.4). Head and adapter are
saved together, and one base model can hold them beside the adapters of others.
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
    from transformers import AutoModelForSequenceClassification, set_seed
    from trl import RewardConfig, RewardTrainer

    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.arguments import common_arguments
    from tuner_tui.recipes.base import base_for
    from tuner_tui.recipes.callback import CorridorCallback
    from tuner_tui.recipes.preference_rows import both_sides, padding, whole_pairs
    from tuner_tui.recipes.preference_trainer import tokenised
    from tuner_tui.recipes.rows import Renderer
    from tuner_tui.recipes.trainer import corridor, finish, prepare

    # 2. Pairs -> tokens, with their tools: prompt and answer, to the end of the turn.
    session.phase("preparing the rows")
    tokenizer = models.load_tokenizer(config.model.name)
    renderer = Renderer(tokenizer, models.stop_tokens(config.model.name))
    if lost := renderer.require(both_sides([*train_examples, *eval_examples])):
        run.event("warning", f"the chat template of {config.model.name} {lost}: that is not judged.")
    train_rows = whole_pairs(renderer, train_examples, config.data.max_length)
    tell(run, config, train_rows, len(train_examples), "training")
    eval_rows = whole_pairs(renderer, eval_examples, config.data.max_length)
    if eval_examples:
        tell(run, config, eval_rows, len(eval_examples), "evaluation")
    # The model finds the last token as the last that is no padding, so no answer may end with that.
    pad = padding(tokenizer.pad_token_id, [*train_rows.rows, *eval_rows.rows])
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(pad)

    # 3. The base model, frozen; in 4 bits if so configured. Its new head is random: the seed makes it the
    # same again.
    session.phase("loading the model")
    set_seed(config.seed)
    dtype = models.compute_dtype(config.model.dtype)
    model = base_for(config, dtype, AutoModelForSequenceClassification, num_labels=1)

    # 4. How to train.
    cuda = model.device.type == "cuda"
    arguments = RewardConfig(
        **common_arguments(config, run_dir, dtype=dtype, cuda=cuda, evaluates=bool(eval_rows.rows)),
        center_rewards_coefficient=config.reward.center,
        max_length=None,  # seen to above
        include_num_input_tokens_seen="non_padding",
    )

    # 5. The trainer adds the adapter to the model, and with it a copy of the head that is trained.
    session.phase("preparing the trainer")
    trainer = corridor(tokenised(RewardTrainer), session, config)(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(train_rows.rows),
        eval_dataset=Dataset.from_list(eval_rows.rows) if eval_rows.rows else None,
        processing_class=tokenizer,
        peft_config=models.lora(config, "SEQ_CLS"),
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
