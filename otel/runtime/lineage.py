"""The tracing header of AWS calls: our span as the parent, and Lambda's own `Lineage` kept.

botocore writes the header of the invocation itself, for Lambda's detection of loops, and upstream's instrumentation
then leaves it alone: what is called would hang on Lambda's segment and not on the call's span.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from otel.runtime.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

__all__ = ["carry_lineage"]

HEADER = "X-Amzn-Trace-Id"


def carry_lineage() -> Callable[[], None]:
    """Wrap `Endpoint.prepare_request`, outside of upstream's own wrapper; returns the undoing."""
    from botocore.endpoint import Endpoint

    original = Endpoint.prepare_request

    @functools.wraps(original)
    def prepare_request(self: Endpoint, request: Any) -> Any:
        write(request.headers)
        return original(self, request)

    def undo() -> None:
        if Endpoint.__dict__["prepare_request"] is prepare_request:
            Endpoint.prepare_request = original  # type: ignore[method-assign]

    Endpoint.prepare_request = prepare_request  # type: ignore[method-assign]
    return undo


@harmless("the tracing header of an AWS call")
def write(headers: MutableMapping[str, Any]) -> None:
    """The current span as parent. A header that is not Lambda's was written on purpose and stays."""
    context = get_current_span().get_span_context()
    if not context.is_valid:
        return
    trace_id = f"{context.trace_id:032x}"
    root = f"Root=1-{trace_id[:8]}-{trace_id[8:]}"
    before = headers.get(HEADER, "")
    if isinstance(before, bytes):
        before = before.decode("ascii", "replace")
    if before and not before.startswith(root):
        lambdas = os.environ.get("_X_AMZN_TRACE_ID") or root
        if not before.startswith(lambdas.partition(";")[0]):
            return
    _, mark, lineage = before.partition(";Lineage=")
    if before:
        del headers[HEADER]  # botocore's headers keep what they have: setting one again adds a second
    sampled = int(context.trace_flags.sampled)
    lineage = mark + lineage.partition(";")[0]
    headers[HEADER] = f"{root};Parent={context.span_id:016x};Sampled={sampled}{lineage}"
