"""What was measured, in sentences with figures: the reasons that a measured recommendation gives."""

from tuner_tui.decide.baseline import FEW_ITEMS
from tuner_tui.decide.evidence import Evidence, Reached

_NAMES = {
    "base": "the plain prompt",
    "instruction": "the prompt with an instruction",
    "examples": "the prompt with an instruction and examples",
    "retrieved": "the prompt with retrieved examples",
    "constrained": "the plain prompt with constrained decoding",
    "tuned": "the tuned model",
    "tuned_constrained": "the tuned model with constrained decoding",
}


def named(reached: Reached) -> str:
    """An arm in words; a user's own prompt by its name."""
    if reached.arm in _NAMES:
        return _NAMES[reached.arm]
    prompt = reached.arm.removesuffix("+constrained")
    name = _NAMES.get(prompt) or f"your prompt {prompt.removeprefix('prompt:')}"
    return f"{name} with constrained decoding" if reached.constrained else name


def figures(now: Evidence, shown: Reached) -> list[str]:
    """The figures of an arm; of a constrained one, beside the best without a constraint."""
    lines = [
        f"{named(shown).capitalize()} is right on {shown.right} of {shown.right.total} items{_parts(shown)}."
    ]
    plain = now.best(lambda each: not each.constrained and each.tuned == shown.tuned)
    if shown.constrained and plain is not None:
        lines.append(f"Without a constraint, {named(plain)} is right on {plain.right}{_parts(plain)}.")
    held = now.arms.get("tuned_constrained") if shown.tuned else now.constrained
    if not shown.constrained and held is not None:
        lines.append(f"{named(held).capitalize()} is right on {held.right}{_parts(held)}.")
    if shown.right.total < FEW_ITEMS:
        lines.append(
            f"Only {shown.right.total} items were measured: the interval is wide, so add items before you "
            "rely on it."
        )
    return lines


def _parts(reached: Reached) -> str:
    parts = []
    if reached.full_match is not None:
        parts.append(f"calls {reached.full_match}")
    if reached.no_call is not None:
        parts.append(f"kept without a call {reached.no_call}")
    return f" ({', '.join(parts)})" if parts else ""


def credit(now: Evidence) -> list[str]:
    """What training can be credited with: never the form."""
    best = the_prompt(now)
    lines = [
        f"Of the {best.right.total - best.right.count} items that this prompt gets wrong, {best.form} are "
        f"wrong in form, which constrained decoding mends, and {best.meaning} in meaning, which is what "
        "training is for."
    ]
    if now.constrained is not None:
        left = now.constrained.right.total - now.constrained.right.count
        lines.append(f"With constrained decoding {left} items stay wrong: this is all that training can win.")
    return lines


def gain(now: Evidence) -> str:
    """What the tuned model changes, paired item by item; there is such a pair."""
    best, paired = now.untrained, now.gain
    assert best is not None and paired is not None
    low, high = (100 * bound for bound in paired["interval"])
    return (
        f"Against the best that needs no training ({named(best)}) the tuned model changes "
        f"{100 * paired['delta']:+.1f} points of right items [{low:+.1f} to {high:+.1f}], {paired['fixed']} "
        f"fixed and {paired['broken']} broken of {paired['pairs']} "
        f"(exact McNemar p = {paired['p_value']:.2g})."
    )


def the_prompt(now: Evidence) -> Reached:
    """The best fixed prompt, which evidence has."""
    assert now.prompt is not None, "evidence has a prompt"
    return now.prompt
