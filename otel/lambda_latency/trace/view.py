"""Options for reading a trace as a request."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PLAIN", "View"]


class View(NamedTuple):
    """`skew`: correct the clock skew between services. `from_lambda`: a request begins at AWS's or the handler's span.

    Without `from_lambda` a request begins at the top above that span, if a caller recorded spans.
    """

    skew: bool = True
    from_lambda: bool = False


PLAIN = View()
