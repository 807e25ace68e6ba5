"""How many examples a property draws: a tenth, and at least some; all of them where the variable DRAWS is `whole`."""

import os


def draws(whole: int, least: int = 50) -> int:
    """The number of examples of this run."""
    if os.environ.get("DRAWS") == "whole":
        return whole
    return min(whole, max(least, whole // 10))
