"""Rules for preference pairs, and for answers with a label (KTO)."""

from tuner_tui.data.rules.model import Rule, Severity

PREFERENCES = (
    Rule(
        "empty_answer",
        Severity.ERROR,
        "Empty answer",
        "Without both answers of a pair, or the one of a labelled row, there is nothing to prefer.",
        '{"prompt": […], "chosen": [{"role": "assistant", "content": ""}], "rejected": […]}',
        "Fill in the answer, or delete the row.",
    ),
    Rule(
        "identical_pair",
        Severity.ERROR,
        "Chosen equals rejected",
        "Equal answers have no preference between them: the gradient is zero.",
        '"chosen": [{… "Yes."}], "rejected": [{… "Yes."}]',
        "Make the rejected answer a real mistake, or delete the pair.",
    ),
    Rule(
        "one_label",
        Severity.WARNING,
        "Only one label",
        "KTO learns from the difference between good and bad answers; here all are of one sort.",
        '"label": true in every row',
        "Add rows with the other label.",
    ),
)
