"""The attempts of an AWS call that was tried again, as events of its span: when each ended, and how.

A call that was answered at once has none: its span says all.
"""

from __future__ import annotations

import functools
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from otel.runtime.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.util.types import AttributeValue

__all__ = ["tell_attempts"]


def tell_attempts() -> Callable[[], None]:
    """Wrap `Endpoint._needs_retry`, which botocore asks after each attempt and which waits; returns the undoing."""
    from botocore.endpoint import Endpoint

    original = getattr(Endpoint, "_needs_retry", None)
    if original is None:
        return lambda: None

    @functools.wraps(original)
    def _needs_retry(
        self: Endpoint, attempts: int, model: Any, request: Any, response: Any = None, caught_exception: Any = None
    ) -> Any:
        ended_ns = time_ns()
        again = original(self, attempts, model, request, response, caught_exception)
        if again or attempts > 1:
            write(attempts, ended_ns, response, caught_exception, again=bool(again))
        return again

    def undo() -> None:
        if Endpoint.__dict__["_needs_retry"] is _needs_retry:
            Endpoint._needs_retry = original  # type: ignore[attr-defined]

    Endpoint._needs_retry = _needs_retry  # type: ignore[attr-defined]
    return undo


@harmless("an attempt of an AWS call")
def write(attempt: int, ended_ns: int, response: Any, error: BaseException | None, *, again: bool) -> None:
    """An event at the end of an attempt. `retry.delay_ms` is how long botocore waited before it tried again."""
    span = get_current_span()
    if not span.is_recording():
        return
    told: dict[str, AttributeValue] = {"attempt": attempt}
    if response is not None:
        http, parsed = response
        told["http.status_code"] = http.status_code
        code = (parsed.get("Error") or {}).get("Code")
        if code:
            told["error.type"] = code
    if error is not None:
        told["error.type"] = type(error).__qualname__
    if again:
        told["retry.delay_ms"] = (time_ns() - ended_ns) / 1e6
    span.add_event("attempt", told, ended_ns)
