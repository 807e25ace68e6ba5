"""How many examples a property draws: a tenth, and at least 50; all of them where the variable DRAWS is `whole`."""

import os


def draws(whole: int) -> int:
    """The number of examples of this run."""
    if os.environ.get("DRAWS") == "whole":
        return whole
    return min(whole, max(50, whole // 10))
