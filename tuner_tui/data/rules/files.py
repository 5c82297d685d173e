"""Rules for the file as a whole, and for rows beside each other."""

from tuner_tui.data.rules.model import Rule, Severity

FILES = (
    Rule(
        "duplicate_row",
        Severity.WARNING,
        "Exact duplicate",
        "A repeated row is learned by heart, and a copy in the evaluation split flatters results.",
        "row 812 is the same as row 97",
        "Delete the copies.",
        safe=True,
    ),
    Rule(
        "near_duplicate",
        Severity.WARNING,
        "Near duplicate",
        "Almost the same request with almost the same answer: it adds weight, and little to learn; "
        "split between training and evaluation, such rows flatter results.",
        '"Please find me a cheap hotel in Rome for two" and "Please find me a cheap hotel in Rome for two!"',
        "Keep one of them, or word them differently; never put one into training and one into evaluation.",
    ),
    Rule(
        "leaked_row",
        Severity.ERROR,
        "Evaluation row in the training data",
        "The same question with the same tools is in the evaluation file: "
        "the evaluation would measure memory, not skill.",
        "row 812 asks the same as row 3 of the evaluation file",
        "Delete the row from the training data (`tuner split` never parts such rows).",
    ),
    Rule(
        "few_rows",
        Severity.WARNING,
        "Few rows",
        "So few rows teach a form, not a skill, and the model soon knows them by heart.",
        "17 usable rows",
        "Collect more: some hundred varied rows for one narrow task, thousands for several tools.",
    ),
    Rule(
        "no_negatives",
        Severity.WARNING,
        "No negative examples",
        "Without rows in which no tool fits, the model learns to call a tool always.",
        "800 rows, and a call in each",
        "Add rows whose request no offered tool serves, answered in words: 10 to 30% of all.",
    ),
    Rule(
        "no_error_recovery",
        Severity.INFO,
        "No error recovery",
        "No row shows a failed call and its repair: the model has to guess what to do then.",
        'call → {"error": "unknown city"} → corrected call',
        "Add some rows in which a tool answers with an error and the next call is right.",
    ),
    Rule(
        "dominant_tool",
        Severity.WARNING,
        "One tool dominates",
        "The model learns to prefer the tool that it saw most.",
        '"search" gets 8,120 of 9,000 calls',
        "Add rows for the other tools, or remove some of this one.",
    ),
    Rule(
        "dominant_answer",
        Severity.WARNING,
        "One answer dominates",
        "So many rows end in the very same answer that the model learns to give it whatever is asked.",
        "\"I'm sorry, but I can't help with that.\" ends 2,400 of 8,000 rows",
        "Word the answer in many ways, or remove some of these rows.",
    ),
)
