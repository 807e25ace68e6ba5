"""Telemetry never fails a request: what goes wrong in our own code becomes one line in the log."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from lambda_latency.runtime.credentials import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec

    P = ParamSpec("P")

__all__ = ["harmless", "warn"]

LOG = logging.getLogger("lambda_latency.runtime")


def warn(text: str) -> None:
    """One line in the function's log, with our name on it. An error's text may hold an address with a query."""
    LOG.warning("lambda-latency: %s", clean(text))


def harmless(what: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a function that only observes unable to raise; `what` begins the warning that is logged instead."""

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - whatever it is, the request goes on
                warn(f"{what} failed ({type(error).__name__}: {error}); the request goes on")

        return guarded

    return decorate
