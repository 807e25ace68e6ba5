"""How traces are looked at, where there is more than one way."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PLAIN", "View"]


class View(NamedTuple):
    """`skew`: correct the clocks of services that differ. `from_lambda`: a request begins at Lambda's own spans.

    Without `from_lambda` a request begins at the root of its trace, where a traced caller recorded one.
    """

    skew: bool = True
    from_lambda: bool = False


PLAIN = View()
