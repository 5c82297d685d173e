"""How the fast path says that it is not sure."""


class Doubt(ValueError):
    """The row, or a part of it, is not plainly clean: it needs a thorough look."""
