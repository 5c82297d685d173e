"""The questionnaire, as data: what a person wants, what goes wrong today, and the means to mend it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tuner_tui.errors import UserError

Answers = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Option:
    """One answer: `id` goes into files, `label` is read at a glance, `help` says when to choose it. One that
    is `alone` stands beside no other where several are allowed."""

    id: str
    label: str
    help: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `multiple` allows several answers, given as a list of option ids."""

    id: str
    text: str
    help: str
    options: tuple[Option, ...]
    multiple: bool = False


QUESTIONS: tuple[Question, ...] = (
    Question(
        "goal",
        "What are you building?",
        "The goal decides what has to be learned, if anything: a form, a choice, a behaviour or a fact.",
        (
            Option(
                "prototype",
                "A rapid prototype",
                "You want to know this week whether the idea works; the task may still change.",
            ),
            Option(
                "agent",
                "A general agent",
                "Many tools and open-ended requests; the model plans over several steps.",
            ),
            Option(
                "structured",
                "Structured output",
                "Answers must follow a schema: JSON, a form, a fixed set of fields.",
            ),
            Option(
                "domain_tools",
                "Tool calling in my domain",
                "A stable set of your own functions, with names and arguments of your trade.",
            ),
            Option(
                "smaller_model",
                "A smaller, cheaper model",
                "A large model does it well; you want the same from one that costs less or runs locally.",
            ),
            Option(
                "instructions",
                "Better instruction following",
                "Tone, length, refusals or house rules that the model knows and does not keep to.",
            ),
            Option(
                "proprietary",
                "Use of proprietary data",
                "The model must work with documents or records that no public model has seen.",
            ),
        ),
    ),
    Question(
        "prompting",
        "How far have you taken prompting?",
        "Prompting costs minutes and tuning costs days, so it goes first, and it is the figure to beat.",
        (
            Option("none", "Not tried", "No prompt has been tested on your own cases yet."),
            Option("quick", "A quick try", "One or two prompts, judged by eye."),
            Option(
                "systematic",
                "Systematically",
                "Clear instructions and worked examples, counted on the same held-out cases.",
            ),
        ),
    ),
    Question(
        "failures",
        "What still goes wrong?",
        "Choose everything that you see again and again. One odd answer is no pattern.",
        (
            Option("unknown", "Not measured yet", "You have impressions, but no counts.", alone=True),
            Option("none", "Nothing that matters", "The answers are good enough for the use.", alone=True),
            Option(
                "format",
                "Broken format",
                "Text that does not parse: cut-off JSON, wrong keys, prose around a call.",
            ),
            Option("wrong_tool", "Wrong tool", "It calls a function that does not serve the request."),
            Option(
                "wrong_arguments",
                "Wrong arguments",
                "The right tool with missing, invented or mistyped values.",
            ),
            Option(
                "needless_calls",
                "Needless calls",
                "It calls something although no tool can serve the request.",
            ),
            Option("style", "Style or judgement", "Correct, but not the answer that people prefer."),
            Option(
                "facts",
                "Missing or outdated facts",
                "It does not know, or states what is no longer true.",
            ),
        ),
        multiple=True,
    ),
    Question(
        "knowledge",
        "Does a good answer need facts that change?",
        "Weights are a poor store for facts: they can't be updated, cited or deleted one by one.",
        (
            Option("no", "No", "The request and the tools hold all that is needed."),
            Option("stable", "Private, but stable", "Terms and rules of your house that change rarely."),
            Option("fresh", "Yes", "Prices, tickets, policies, documents: new ones each week."),
        ),
    ),
    Question(
        "rows",
        "How many good examples do you have?",
        "A good example is a request with the answer that you would sign, checked by a person or a program.",
        (
            Option("none", "None yet", "You can write some, or collect them from logs."),
            Option(
                "few",
                "Up to 100",
                "Enough to test prompts, and to see whether tuning is promising.",
            ),
            Option(
                "hundreds",
                "100 to 1,000",
                "Enough to teach a form and the use of a stable set of tools.",
            ),
            Option(
                "thousands",
                "1,000 to 50,000",
                "Enough for varied behaviour, multi-step traces, smaller models.",
            ),
            Option("many", "More than 50,000", "Enough to change a model deeply."),
        ),
    ),
    Question(
        "preferences",
        "Do you have judgements between two answers?",
        "“This answer is better than that one” teaches what is hard to write down as one right answer.",
        (
            Option("none", "No", "Only single answers, or none."),
            Option(
                "program",
                "No, but a program can tell",
                "A test, a schema, the expected call: right and wrong without asking a person.",
            ),
            Option(
                "pairs",
                "Some hundreds or more pairs",
                "A chosen and a rejected answer to one request.",
            ),
            Option(
                "stream",
                "A steady stream",
                "Tens of thousands of comparisons, and people who go on making them.",
            ),
        ),
    ),
    Question(
        "gpu",
        "Which GPU can you use?",
        "Its memory decides between full tuning, LoRA and QLoRA.",
        (
            Option("none", "None", "CPU only: models below about 1 billion parameters, short rows."),
            Option("small", "Up to 16 GB", "For example RTX 4060 Ti, T4."),
            Option("24gb", "24 to 48 GB", "For example RTX 4090, A10, L40S."),
            Option("80gb", "One of 80 GB or more", "For example A100, H100, H200."),
            Option("several", "Several of 80 GB or more", "One node or a cluster."),
        ),
    ),
    Question(
        "model",
        "How large is the model that you want to run in the end?",
        "Take the smallest that a good prompt brings near the goal; size is paid for at every request.",
        (
            Option("tiny", "Below 1 billion parameters", "Runs anywhere; narrow tasks only."),
            Option("small", "1 to 4 billion", "Phones and laptops; good at a fixed set of tools."),
            Option("medium", "7 to 14 billion", "The usual choice for one GPU."),
            Option("large", "30 billion or more", "The widest ability, at the highest price."),
        ),
    ),
    Question(
        "time",
        "How soon must it work?",
        "Count the time for collecting and checking data: it is most of the work.",
        (
            Option("hours", "Hours", "Today or tomorrow."),
            Option("days", "Days", "Within a week or two."),
            Option("weeks", "Weeks or more", "There is a team and a plan."),
        ),
    ),
)


def check_answers(answers: Answers) -> dict[str, tuple[str, ...]]:
    """Answers by question id: tuples of option ids in the questionnaire's order, no empty ones.

    Raises UserError for a question or an option that does not exist, and for several answers where one is
    allowed, or where one of them stands alone.
    """
    known = {question.id: question for question in QUESTIONS}
    checked: dict[str, tuple[str, ...]] = {}
    for id, given in answers.items():
        question = known.get(id)
        if question is None:
            raise UserError(f"answers: no question is called {id!r}; there are: {', '.join(known)}.")
        chosen = [given] if isinstance(given, str) else given
        options = [option.id for option in question.options]
        if not isinstance(chosen, list | tuple):
            raise UserError(f"answers: {id} must be one of: {', '.join(options)}.")
        for option in chosen:
            if option not in options:
                raise UserError(
                    f"answers: {option!r} does not answer {id}; choose from: {', '.join(options)}."
                )
        if len(chosen) > 1 and not question.multiple:
            raise UserError(f"answers: {id} takes one answer, not {len(chosen)}: {', '.join(options)}.")
        alone = [option.id for option in question.options if option.alone and option.id in chosen]
        if len(chosen) > 1 and alone:
            raise UserError(f"answers: {alone[0]!r} of {id} stands alone; leave it out, or the others.")
        if chosen:
            checked[id] = tuple(option for option in options if option in chosen)
    return checked
