"""Lambda's own tracing header says which trace an invocation belongs to, who its parent is, and whether it is recorded.

Nothing else is asked. A header that a caller sent reaches the handler inside the event, and there it stays.
"""

from __future__ import annotations

import os
import time
from operator import itemgetter
from typing import TYPE_CHECKING

from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.propagators.aws.aws_xray_propagator import AwsXRayPropagator
from opentelemetry.propagators.textmap import default_setter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from lambda_latency.runtime.shortcuts import current_span, reader, with_span
from lambda_latency.runtime.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.propagators.textmap import CarrierT, Setter
    from opentelemetry.trace import Link, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

__all__ = [
    "HEADER",
    "ROOT",
    "LambdaIds",
    "LambdaPropagator",
    "LambdaSampler",
    "below",
    "invocation_context",
    "remote_parent",
    "tracing_header",
]

SAMPLED, NOT_SAMPLED = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)
HEADER = "X-Amzn-Trace-Id"
ROOT = slice(40)  # of a header in its usual form
HEX = "0123456789abcdef"
# What comes between the parts of a header in its usual form, and where.
AS_LAMBDA_WRITES = ("Root=1-", "-", ";Parent=", ";Sampled=")
PLACES = itemgetter(slice(0, 7), slice(15, 16), slice(40, 48), slice(64, 73))
ids_and_flags = reader("trace_id", "span_id", "trace_flags")
IDS = 16  # as many as most requests make spans, and more


class GivenRoot(Value):
    """A trace that Lambda's header names without a parent."""

    trace_id: int
    sampled: bool


GIVEN_ROOT = create_key("lambda-latency-given-root")


def invocation_context(header: str) -> Context:
    """The context to start the handler's span in, for the value of `_X_AMZN_TRACE_ID`.

    With Root and Parent: that parent, remote. With Root alone (PassThrough, and a caller who made the header): the
    handler's span is that trace's root. With neither, or anything malformed: a trace of our own that is not recorded.
    Recorded is only what says `Sampled=1`; a missing flag or `?` is not a yes.
    """
    trace_id, parent, sampled = parts(header)
    if trace_id and not parent:
        return set_value(GIVEN_ROOT, GivenRoot(trace_id, sampled), Context())
    remote = named(trace_id, parent, sampled=sampled)
    return below(remote) if remote is not None else Context()


def below(parent: SpanContext) -> Context:
    """The context of what that span of another process has called."""
    return with_span(NonRecordingSpan(parent), Context())


def remote_parent(header: str) -> SpanContext | None:
    """The span that a tracing header names, if it names one."""
    trace_id, parent, sampled = parts(header)
    return named(trace_id, parent, sampled=sampled)


def named(trace_id: int, parent: str, *, sampled: bool) -> SpanContext | None:
    """The span of these ids, if they are any."""
    parent_id = number(parent, 16)
    if not trace_id or not parent_id:
        return None
    return SpanContext(trace_id, parent_id, is_remote=True, trace_flags=SAMPLED if sampled else NOT_SAMPLED)


def tracing_header(span: SpanContext) -> str:
    """The header that names a span as the parent."""
    trace_id, span_id, flags = ids_and_flags(span)
    root = f"{trace_id:032x}"
    return f"Root=1-{root[:8]}-{root[8:]};Parent={span_id:016x};Sampled={flags & TraceFlags.SAMPLED}"


class LambdaPropagator(AwsXRayPropagator):
    """Upstream's; what it writes is written in one piece."""

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """The current span, if there is one, as the parent."""
        span = current_span(context).get_span_context()
        if span.is_valid:
            setter.set(carrier, HEADER, tracing_header(span))


def parts(header: str) -> tuple[int, str, bool]:
    """Trace id, or 0; parent as it is written; whether it is recorded."""
    rest = header[74:]
    if PLACES(header) == AS_LAMBDA_WRITES and (not rest or (rest[:9] == ";Lineage=" and ";" not in rest[1:])):
        return number(header[7:15] + header[16:40], 32), header[48:64].lower(), header[73:74] == "1"
    # Or in another order, with spaces, with pairs in between.
    pairs = dict([pair.strip().partition("=")[::2] for pair in header.split(";")])
    version, _, root = pairs.get("Root", "").lower().partition("-")
    seconds, _, rest = root.partition("-")
    trace_id = number(seconds + rest, 32) if version == "1" and len(seconds) == 8 else 0
    return trace_id, pairs.get("Parent", "").lower(), pairs.get("Sampled") == "1"


def number(text: str, digits: int) -> int:
    """So many hexadecimal digits, or 0. A pattern of `re` would take a cold start as long as a module's import."""
    return int(text, 16) if len(text) == digits and not text.strip(HEX) else 0


class LambdaIds(IdGenerator):
    """Ids from the kernel; a trace id begins with the time, as X-Ray asks.

    Those of `random` repeat in environments restored from one SnapStart snapshot, and after a handler's `random.seed`.
    """

    def __init__(self) -> None:
        self._drawn: list[int] = []
        self._process = 0

    def draw(self) -> None:
        """Draw an invocation's span ids, at once: beside a handler's work each way to the kernel takes up to 20 us.

        Not before it begins, for a snapshot would hold them.
        """
        self._drawn = memoryview(os.urandom(8 * IDS)).cast("Q").tolist()
        self._process = os.getpid()

    def generate_span_id(self) -> int:
        """Eight random bytes, never zero."""
        try:
            drawn = self._drawn.pop()
        except IndexError:
            return int.from_bytes(os.urandom(8), "big") or 1
        # What was drawn before a fork belongs to the process that drew it.
        return (drawn if os.getpid() == self._process else int.from_bytes(os.urandom(8), "big")) or 1

    def generate_trace_id(self) -> int:
        """The trace that Lambda's header names, else seconds since 1970 and twelve random bytes."""
        given = get_value(GIVEN_ROOT)
        if isinstance(given, GivenRoot):
            return given.trace_id
        return int(time.time()) << 96 | int.from_bytes(os.urandom(12), "big")


class LambdaSampler(Sampler):
    """Whoever started the trace has decided; nobody decides again.

    A span without a parent is recorded if Lambda's header named its trace and said so. In place of the SDK's
    ParentBased, which would ask two samplers about each span.
    """

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
        """The parent's decision, or the header's."""
        parent = current_span(parent_context).get_span_context()
        if parent.is_valid:
            sampled = parent.trace_flags & TraceFlags.SAMPLED
        else:
            given = get_value(GIVEN_ROOT, parent_context)
            sampled = isinstance(given, GivenRoot) and given.sampled and given.trace_id == trace_id
        if not sampled:
            return SamplingResult(Decision.DROP)
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, parent.trace_state)

    def get_description(self) -> str:
        """How it is called in debug output."""
        return "LambdaHeader"
