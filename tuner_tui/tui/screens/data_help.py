"""What F1 says on the Data screen."""

from tuner_tui.data.stats import KIND_RULES

_KINDS = "\n".join(f"- **{kind.replace('_', ' ')}**: {rule}" for kind, rule in KIND_RULES.items())

HELP = f"""\
# Data

The model learns what the rows show, faults included: look before you train.

- **Overview**: the layout, the kinds of rows, the tools, how long the rows are in tokens, and how calls,
  messages and tools are spread over them.
- **Findings**: what is wrong, worst first, why it matters and how to mend it. Enter goes to the rows, Enter
  again opens one with the fault marked; `f` shows only the rows with this finding. Rows with an error (✗) are
  left out of a run; warnings (▲) are yours to decide.
- **Rows**: all of them, however many. `/` searches (any case of letters), `m` and `M` go from match to match,
  `f` filters, `g` goes to a row by its number. **Esc** takes back the search, then the filter. Enter opens
  one.
- **Row**: its messages, and (`v`) the text that the model reads, through its chat template. `←` and `→` go to
  the neighbours among the rows that are shown, `e` and `E` to the next fault and the one before. Tokens that
  are **underlined on a coloured ground are trained**: the loss counts there, and only there. If the answer is
  not marked, the row teaches nothing.
- **Split**: rows to train on and rows to evaluate with, in two files, so that nothing leaks from one to the
  other. **Mix**: several files in one, by weight, with a share of general conversation. Both show what would
  come of the settings (`p`) before they write (`w`); `u` trains with what was written.

### Kinds of rows

{_KINDS}

`n` takes the file to Configure. Without the app: `tuner inspect FILE`, `tuner split`, `tuner mix`.
"""
