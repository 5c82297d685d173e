"""How many rows of each file make a mixture: exact arithmetic, nothing is read here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from tuner_tui.errors import UserError


@dataclass(frozen=True, slots=True)
class Goal:
    """What is asked for; `general` is the share of the last file, None when there is no general file."""

    weights: list[Fraction] | None
    general: Fraction | None
    rows: int | None
    repeat: bool

    @classmethod
    def of(
        cls, weights: Sequence[float | None], general: float | None, rows: int | None, repeat: bool
    ) -> Self:
        """The goal, after a look at whether it can be meant.

        Raises:
            UserError: there is no file, only some have a weight, a weight is not above 0, the general share
                not above 0 and below 1, or the rows fewer than one.
        """
        given = [weight for weight in weights if weight is not None]
        if not weights:
            raise UserError("there is nothing to mix; name a file at least.")
        if given and len(given) < len(weights):
            raise UserError("some files have a weight and some have none; write FILE:WEIGHT for all or none.")
        if bad := [weight for weight in given if not (math.isfinite(weight) and weight > 0)]:
            raise UserError(f"a weight must be a number above 0, not {bad[0]:g}.")
        if general is not None and not 0 < general < 1:
            raise UserError(f"the share of general rows must be above 0 and below 1, not {general:g}.")
        if rows is not None and rows < 1:
            raise UserError(f"a mixture needs a row at least, not {rows}.")
        exact = [Fraction(str(weight)) for weight in given] or None
        return cls(exact, None if general is None else Fraction(str(general)), rows, repeat)

    def shares(self, available: Sequence[int]) -> list[Fraction]:
        """Each file's share of the mixture, of files with so many usable rows."""
        own = available if self.general is None else available[:-1]
        weights = self.weights or [Fraction(count) for count in own]
        rest = 1 - (self.general or 0)
        total = sum(weights) or 1  # a file without usable rows has no share
        shares = [weight / total * rest for weight in weights]
        return shares if self.general is None else [*shares, self.general]

    def quotas(self, available: Sequence[int]) -> list[int]:
        """Rows of each file, whether it has them or not: exact to a row, by largest remainder."""
        shares = self.shares(available)
        if self.rows is not None:
            return largest_remainder(shares, self.rows)
        own = len(shares) - (self.general is not None)
        rest = 1 - (self.general or 0)
        if self.weights is None:
            total = sum(available[:own])
        else:
            full = [count / (part / rest) for count, part in zip(available[:own], shares[:own], strict=True)]
            total = math.ceil(max(full)) if self.repeat else math.floor(min(full))
        quotas = largest_remainder([part / rest for part in shares[:own]], total)
        return quotas if self.general is None else [*quotas, round(total * self.general / rest)]


def largest_remainder(shares: Sequence[Fraction], total: int) -> list[int]:
    """Whole numbers that add up to `total` (times the sum of the shares), each less than 1 off its share."""
    exact = [part * total for part in shares]
    whole = [math.floor(one) for one in exact]
    order = sorted(range(len(exact)), key=lambda place: whole[place] - exact[place])
    for place in order[: round(sum(exact)) - sum(whole)]:
        whole[place] += 1
    return whole
