"""Telemetry never fails a request: an error in the kit becomes one line in the log."""

from __future__ import annotations

import functools
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec

    P = ParamSpec("P")

LOG = logging.getLogger("lambda_latency.runtime")


def warn(text: str) -> None:
    """Write one line with the kit's name to the function's log. Credentials are removed: error texts may hold URLs.

    Without the line where that fails: a filter of the function's may raise, or a hook on imports.
    """
    with suppress(Exception):
        from lambda_latency.redaction import clean  # most cold starts have no warning

        LOG.warning("lambda-latency: %s", clean(text))


LOGGED: set[tuple[str, type]] = set()


def failed(subject: str, error: Exception) -> None:
    """Write the line of an error in the kit, once for each subject and kind of error: a request may repeat it.

    Functions that run in each call catch their errors themselves.
    """
    key = subject, type(error)
    if key not in LOGGED:
        LOGGED.add(key)
        with suppress(Exception):  # the error's text may raise
            warn(f"{subject} failed ({type(error).__name__}: {error}); the request goes on")


def harmless(subject: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Decorate a function that observes: its errors are logged, not raised. `subject` is that of the warning."""

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the request goes on, whatever fails
                failed(subject, error)

        return guarded

    return decorate
