"""A module of somebody's own, whose functions and methods are recorded if asked."""


def double(number: int) -> int:
    """Twice as much."""
    return number * 2


class Thing:
    """With a method."""

    def __init__(self, number: int) -> None:
        self.number = number

    def value(self) -> int:
        """Its number."""
        return self.number
