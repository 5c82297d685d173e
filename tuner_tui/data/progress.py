"""How far a pass over a file has come."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` and `total` in bytes on disk, `rows` read so far, `seconds` since the start."""

    done: int
    total: int
    rows: int
    seconds: float

    @property
    def share(self) -> float:
        """Done of total, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 1.0

    @property
    def rows_per_second(self) -> float:
        """Rows per second since the start; 0 before there is a measure."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def eta(self) -> float | None:
        """Seconds that are left at this rate; None before there is a measure."""
        if self.done <= 0 or self.seconds <= 0:
            return None
        return max(self.total - self.done, 0) * self.seconds / self.done
