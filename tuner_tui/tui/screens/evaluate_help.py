"""The help of the Evaluate screen."""

HELP = """\
# Evaluate

A **suite** is a set of items with a way to judge answers. The first tab lists all of them: **Space** ticks
one, **s** starts what is ticked, one suite after the other, **x** stops. What is answered is stored at once:
a stopped suite goes on where it was. Beneath the list stands what a suite is, and what it is good for.

Begin with the **held-out rows**: your own data, that the model was not trained on. Before you ship a model,
measure **general ability** too: it tells what training broke.

**Shows from** is the smallest change that so many items can show; a smaller one may be there and go unseen.
**l** takes fewer items of each suite: faster, and blinder. **o** names the file of a suite that needs one, or
one of your own tasks.

On held-out rows the **base model** answers with three prompts (plain, with an instruction, with worked
examples) and the **tuned model** with the plain prompt; elsewhere both have the plain prompt. All share one
copy of the weights and one parser, so a difference between base and tuned is the adapter's doing.

- **Full match**: the right tool with every argument right. The figure that counts.
- **No call kept**: requests that no tool serves, answered in words. Read it beside full match: a
  model that never calls keeps them all.
- **Call or no call**, **tool selection**, **arguments** tell where a full match is lost.
- **Strict format**: the call could be read without lenient parsing.

Each rate stands with its 95% interval (Wilson). Two arms on the same items are compared with McNemar's
exact test and a bootstrap interval of the difference. ★ marks the highest rate; it is no proof of a
difference.

Without a run the base model is measured alone: that tells whether there is anything to train for.
The evaluation is a process of its own: closing the window does not end it, nor the suites that wait.
The same without the window: `tuner eval RUN --suite heldout,general --limit 200`.
"""
