"""Lambda's tracing header decides on the trace of an invocation, its parent, and whether it is recorded.

Nothing else does. A header that a caller sent stays in the event.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, get_current_span, set_span_in_context

from lambda_latency.runtime.harmless import failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.propagators.textmap import CarrierT, Setter
    from opentelemetry.trace import Link, Span, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

SAMPLED, NOT_SAMPLED = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)
HEADER = "X-Amzn-Trace-Id"
LINEAGE = ";Lineage="
HEX = "0123456789abcdef"


# The trace id and the sampling decision of a header without a parent.
GIVEN_ROOT = create_key("lambda-latency-given-root")


def root_context(header: str) -> Context:
    """Return the context of the handler's span if `_X_AMZN_TRACE_ID` names no parent.

    With Root alone (PassThrough, and a caller that wrote the header), the handler's span is the root of that trace.
    With an empty or malformed header, the trace is new and not recorded.
    """
    _, root, sampled = parsed(header)
    return set_value(GIVEN_ROOT, (root, sampled), Context()) if root else Context()


def context_below(parent: SpanContext) -> Context:
    """Return the context of work that a span of another process has called."""
    return set_span_in_context(NonRecordingSpan(parent), Context())


def parsed(header: str) -> tuple[SpanContext | None, int, bool]:
    """Return a header's parent, the trace id of one that names none (0 if it is not valid), and `Sampled=1`.

    Upstream's `extract` refuses headers with an unknown pair, or with two `=` in one, as Lambda adds them.
    """
    pairs: dict[str, str] = {}
    for pair in header.split(";"):  # before Python 3.12, a comprehension is a call
        key, _, value = pair.strip().partition("=")
        pairs[key] = value
    version, _, root = pairs.get("Root", "").lower().partition("-")
    is_known = version == "1" and len(root) == 33 and root[8] == "-"
    digits = root[:8] + root[9:]
    trace_id = int(digits, 16) if is_known and not digits.strip(HEX) else 0
    parent, sampled = pairs.get("Parent", "").lower(), pairs.get("Sampled") == "1"
    parent_id = int(parent, 16) if len(parent) == 16 and not parent.strip(HEX) else 0
    if not trace_id or not parent_id:
        return None, 0 if parent else trace_id, sampled
    context = SpanContext(trace_id, parent_id, is_remote=True, trace_flags=SAMPLED if sampled else NOT_SAMPLED)
    return context, 0, sampled


def write(span: Span, carrier: CarrierT, previous: str | None, setter: Setter[CarrierT]) -> None:
    """Write a span as the parent to a carrier that had the header `previous`.

    As upstream's propagator, except that `Lineage` stays: by it Lambda stops functions that call each other for ever.
    Nothing is written during init, because Lambda has no trace then.
    """
    try:
        value = header_below(span, previous)
    except Exception as error:  # noqa: BLE001 - the call goes on, whatever fails
        failed("the tracing header of a call", error)
        return
    if value:
        replace = getattr(carrier, "replace_header", None)
        # In a message of `email`, `set` would add a second header
        if replace is None or previous is None:
            setter.set(carrier, HEADER, value)
        else:
            replace(HEADER, value)


def header_below(span: Span, previous: str | None) -> str:
    """Return the tracing header with a span as the parent, and the `Lineage` of `previous`; empty during init."""
    context = span.get_span_context()
    sampled = context.trace_flags & TraceFlags.SAMPLED
    if not context.is_valid or (not sampled and span.is_recording()):
        return ""
    # Upstream's format in one expression: upstream's code takes as long as the rest of this function.
    value = f"{root_of(context.trace_id)};Parent={context.span_id:016x};Sampled={sampled}"
    if previous is None:
        return value
    if LINEAGE not in previous:
        previous = os.environ.get("_X_AMZN_TRACE_ID", "")
    _, mark, lineage = previous.partition(LINEAGE)
    return value + mark + lineage.partition(";")[0]


@lru_cache(maxsize=1)  # all calls of an invocation are in one trace
def root_of(trace_id: int) -> str:
    """Return a trace id in the form of the tracing header."""
    trace = f"{trace_id:032x}"
    return f"Root=1-{trace[:8]}-{trace[8:]}"


def header_of(carrier: Any) -> str | None:
    """Return the tracing header in a carrier; None if there is none, or if the carrier cannot be read."""
    header = carrier.get(HEADER) if hasattr(carrier, "keys") and hasattr(carrier, "get") else None
    return header.decode("ascii", "replace") if isinstance(header, bytes) else header


class LambdaIds(AwsXRayIdGenerator):
    """Ids in upstream's format, from the kernel. Upstream's `random` repeats after forks and in copies of a SnapStart
    snapshot, and a handler that seeds it would draw other numbers than without tracing.

    `current` is the trace id of the invocation: a span that lost its context, as in a greenlet, stays in that trace.
    """

    def __init__(self) -> None:
        self.current = 0

    def generate_span_id(self) -> int:
        """Return eight random bytes as a number, never zero."""
        return int.from_bytes(os.urandom(8), "big") or 1

    def generate_trace_id(self) -> int:
        """Return the id in Lambda's header, else the invocation's, else a new one: seconds since 1970, twelve bytes."""
        root: Any = get_value(GIVEN_ROOT)
        if root is not None:
            return int(root[0])
        return self.current or int(time.time()) << 96 | int.from_bytes(os.urandom(12), "big")


INIT, BEGINNING = "init", "beginning"


class LambdaSampler(Sampler):
    """Follows the decision of the service that started the trace.

    `decision` is that of the current invocation: whether it is recorded, `INIT` before the first invocation, or
    `BEGINNING` while the handler's span starts, for which only the header counts. A span without a parent, such as a
    consumer's own trace, follows it. Spans of init are recorded without the sampled flag: they are kept until the first
    invocation decides, and callees do not record.
    """

    def __init__(self) -> None:
        self.decision: bool | str = INIT

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,  # noqa: ARG002 - as the SDK calls it
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002
        trace_state: TraceState | None = None,  # noqa: ARG002
    ) -> SamplingResult:
        """Return the parent's decision, else the header's, else the invocation's."""
        parent = get_current_span(parent_context).get_span_context()
        sampled, recorded = self.decide(parent, parent_context, trace_id)
        if not recorded:
            return SamplingResult(Decision.DROP)
        decision = Decision.RECORD_AND_SAMPLE if sampled else Decision.RECORD_ONLY
        return SamplingResult(decision, attributes, parent.trace_state)

    def decide(self, parent: SpanContext, context: Context | None, trace_id: int) -> tuple[bool, bool]:
        """Whether a span is sampled, and whether it is recorded."""
        if parent.is_valid:
            sampled = bool(parent.trace_flags & TraceFlags.SAMPLED)
        else:
            root: Any = get_value(GIVEN_ROOT, context)
            is_given = root is not None and root[0] == trace_id
            sampled = root[1] if is_given else self.decision is True
        return sampled, sampled or self.decision == INIT

    def get_description(self) -> str:
        """Return the sampler's name in debug output."""
        return "LambdaHeader"
