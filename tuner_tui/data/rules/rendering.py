"""Rules for what the model's chat template and the length limit do to a row."""

from tuner_tui.data.rules.model import Rule, Severity

RENDERING = (
    Rule(
        "too_long",
        Severity.WARNING,
        "Longer than max_length",
        "The end of the row is cut off: what stands there is not learned.",
        "2,310 tokens with max_length 2,048",
        "Raise max_length, or shorten the row.",
    ),
    Rule(
        "answer_cut",
        Severity.ERROR,
        "The answer is cut off",
        "max_length ends before the first trained token: the row costs time and teaches nothing.",
        "3,000 tokens of tools before the answer, with max_length 2,048",
        "Raise max_length above the row's length, or shorten the row.",
    ),
    Rule(
        "call_cut",
        Severity.ERROR,
        "A call is cut in half",
        "max_length falls inside a tool call: the model learns to stop in the middle of one.",
        '{"name": "find_hotel", "argu',
        "Raise max_length above the row's length, or shorten the row.",
    ),
    Rule(
        "template_fails",
        Severity.ERROR,
        "The chat template refuses the row",
        "The model's own template cannot render this conversation.",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Bring the row into the form that the message names, or choose another model.",
    ),
    Rule(
        "template_drops",
        Severity.ERROR,
        "The chat template drops tool use",
        "The template leaves out something that this dataset uses: "
        "the model never sees it, so it cannot learn it.",
        "the template leaves out the tools, the calls",
        "Choose a model whose template supports tools, or give the model another chat template.",
    ),
    Rule(
        "no_loss_mask",
        Severity.WARNING,
        "No loss mask in the chat template",
        "Without {% generation %} marks each assistant turn becomes a row of its own: training is slower.",
        "{{ message.content }} without {% generation %} … {% endgeneration %} around it",
        "Nothing breaks; where time matters, give the model a chat template with the marks.",
    ),
    Rule(
        "template_lacks",
        Severity.INFO,
        "Template cannot show a part",
        "The model's chat template drops or refuses something that this dataset does not use.",
        "a template without parallel calls, and a dataset that has none",
        "Nothing to do for this dataset; rows with that part need another model.",
    ),
    Rule(
        "eos_not_trained",
        Severity.WARNING,
        "End of turn not trained",
        "The last assistant turn of the rendered row does not teach the token at which the model stops, "
        "so that the tuned model may never stop.",
        "{% generation %}{{ message.content }}{% endgeneration %}<|im_end|>",
        "Use the model's own chat template, put the end-of-turn token inside its generation block, "
        "or raise max_length.",
    ),
)
