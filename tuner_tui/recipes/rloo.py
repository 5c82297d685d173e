"""REINFORCE leave-one-out (arXiv:2402.14740): `python -m tuner_tui.recipes.rloo RUN_DIR`.

To each prompt several answers are tried out; a program pays each for its tool calls (`data.answers.rewards`),
and takes off its distance from the base model. What earned more than the mean of the others of its group
becomes likelier, as a whole. Read it from top to bottom.
"""

from typing import TYPE_CHECKING

from tuner_tui.data.answers.rewards import read_weights
from tuner_tui.recipes import checkpoints
from tuner_tui.recipes.examples import read_examples
from tuner_tui.recipes.session import Session
from tuner_tui.recipes.start import start
from tuner_tui.runs.layout import RunState

if TYPE_CHECKING:
    from tuner_tui.data.examples import Example


def train(session: Session) -> RunState:
    """From `config.yaml` to `adapter/`, resuming from the newest checkpoint if there is one."""
    run, run_dir = session.run, session.run.run_dir
    config = session.config()
    checkpoint = checkpoints.resume(run)

    # 1. The data. Of a conversation the prompts are used, and of its answers the calls.
    session.phase("reading the data")
    train_examples, eval_examples = read_examples(session, config, _useless)

    session.phase("loading the libraries")
    from datasets import Dataset
    from trl import RLOOConfig, RLOOTrainer

    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.arguments import common_arguments
    from tuner_tui.recipes.base import base_for
    from tuner_tui.recipes.callback import CorridorCallback
    from tuner_tui.recipes.conventions import find_convention
    from tuner_tui.recipes.groups import group_arguments, grouped
    from tuner_tui.recipes.prompts import prompt_rows
    from tuner_tui.recipes.rewards import Judge
    from tuner_tui.recipes.rows import Renderer
    from tuner_tui.recipes.trainer import corridor, finish, prepare

    # 2. Examples -> prompts, rendered with the tools of each row, and the calls that are right.
    session.phase("preparing the prompts")
    tokenizer = models.load_tokenizer(config.model.name)
    ends = models.stop_tokens(config.model.name) | {tokenizer.eos_token_id}
    renderer = Renderer(tokenizer, ends)
    if lost := renderer.require([*train_examples, *eval_examples]):
        run.event("warning", f"the chat template of {config.model.name} {lost}: that is not seen.")
    convention = find_convention(tokenizer, config.model.name)
    train_rows = prompt_rows(run, renderer, tokenizer, config, train_examples, "training")
    eval_rows = prompt_rows(run, renderer, tokenizer, config, eval_examples, "evaluation")

    # 3. The base model, frozen. It is the reference, too: the model with its adapter off.
    session.phase("loading the model")
    dtype = models.compute_dtype(config.model.dtype)
    model = base_for(config, dtype)
    cuda = model.device.type == "cuda"
    if config.quantization.bits and not cuda:
        # On a CPU each token would unpack all weights again: do it once. The values are the same to the bit.
        model = model.dequantize(dtype=dtype)

    # 4. What is paid for, and how to train.
    weights = read_weights(config.grpo.rewards)
    starts = bool(eval_rows) and checkpoint is None
    arguments = RLOOConfig(
        **{
            **common_arguments(config, run_dir, dtype=dtype, cuda=cuda, evaluates=bool(eval_rows)),
            **group_arguments(config, list(weights.values()), starts=starts),
        }
    )

    # 5. The trainer adds the adapter to the model.
    session.phase("preparing the trainer")
    trainer = grouped(corridor(RLOOTrainer, session, config), run, renderer)(
        model=model,
        reward_funcs=Judge(convention, tokenizer, ends).functions(weights),
        args=arguments,
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


def _useless(example: "Example") -> tuple[str, str] | None:
    if example.get("label") is False:
        return "bad_answer", "answers labelled false do not say which calls are right"
    return None


if __name__ == "__main__":
    start(train)
