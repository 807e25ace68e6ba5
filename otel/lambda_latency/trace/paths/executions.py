"""Durable executions: the spans of all invocations of one execution, arranged as the tree of one request.

An execution is a sequence of invocations and of gaps between them. What runs in an invocation is below its span. A gap
belongs to the operation whose end started the next invocation, and the time from that end to the Lambda service. An
invocation after the first runs the handler from its beginning: the time to its first new operation is its replay.

AWS's plugin records operations below the span of the execution or below each invocation (its two classes), and one span
for an operation that lasts over several invocations or one in each of them.
https://pypi.org/project/aws-durable-execution-sdk-python-otel/
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from lambda_latency.trace.model.compact_span import CompactSpan
from lambda_latency.trace.model.keys import UNNAMED
from lambda_latency.trace.model.platform import DURABLE_EXECUTION, FUNCTION, REPLAY, SERVICE
from lambda_latency.trace.model.request import EXECUTION_ROUTE
from lambda_latency.trace.model.signature import DURABLE, INIT, SERVES, Signature, Traits
from lambda_latency.trace.model.span import SpanKind, Status

FUNCTION_NAME = re.compile(r":function:([^:/]+)")
NO_NAME = "an unnamed function"
CALLED = (DURABLE_EXECUTION, SERVICE, FUNCTION)  # origins of what an execution invokes
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELLED", "STOPPED")
# Clocks differ: an operation may end so much after the start of the invocation that its end causes
LATE_NS = 5_000_000
NEVER = 2**63


class InvocationSpans(NamedTuple):
    """An invocation: `spans` from the inside out, whose innermost waits for operations; its start and end."""

    spans: Sequence[CompactSpan]
    start_ns: int
    end_ns: int

    @property
    def inner(self) -> CompactSpan:
        return self.spans[0]

    @property
    def status(self) -> object:
        """`SUCCEEDED`, `PENDING`, `FAILED` or `RETRYING`; None if it is not recorded."""
        return next(filter(None, (span.signature["durable.invocation.status"] for span in self.spans)), None)


def arrange_executions(spans: Mapping[str, CompactSpan]) -> list[CompactSpan]:
    """Arrange the spans of each execution below one of origin `DURABLE_EXECUTION`; returns the spans that are added.

    Changes parents of `spans`, which are spans by id. The span of an execution that has not ended has no end.
    """
    by_arn: dict[str, list[CompactSpan]] = {}
    for span in spans.values():
        if span.signature.roles & DURABLE and span.execution:
            by_arn.setdefault(span.execution, []).append(span)
    # What an execution calls begins after it, and is arranged first: then it lies below the time that waits for it
    last_first = sorted(by_arn.items(), key=lambda item: -min(span.start_ns for span in item[1]))
    known, added = dict(spans), list[CompactSpan]()
    for arn, members in last_first:
        added += _Execution(arn, members, known).arranged()
        known.update((span.span_id, span) for span in added)
    for span in known.values():
        if span.signature.origin == DURABLE_EXECUTION and span.parent_id not in known:
            span.parent_id = ""
    return added


class _Execution:
    """The spans of one execution. `members` are those with its ARN, `spans` those of all of its traces by id."""

    def __init__(self, arn: str, members: Iterable[CompactSpan], spans: Mapping[str, CompactSpan]) -> None:
        self._arn, self._spans = arn, spans
        ordered = sorted(members, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))
        self._begin_ns = ordered[0].start_ns
        self._workflow = next((span for span in ordered if span.signature["durable.execution.status"]), None)
        parts = _others(ordered, self._workflow)  # whatever else the attributes of that one say
        self._operations = [span for span in parts if span.signature.operation_type]
        self._anchors = [span for span in parts if span.signature.is_anchor]
        chains = self._chains(span for span in parts if span.signature.is_invocation)
        self._invocations = list(_invocations(chains))
        self._starts_ns = [invocation.start_ns for invocation in self._invocations]

    def arranged(self) -> Iterator[CompactSpan]:
        self._end_with_attempts()
        root = self._root()
        if root is not self._workflow:
            yield root
        for span in (*self._anchors, *(invocation.spans[-1] for invocation in self._invocations)):
            span.parent_id = root.span_id
        if self._invocations:
            self._move_into_invocations(root)
            self._move_into_operations()
        self._move_below(root)
        for number, (earlier, later) in enumerate(pairwise(self._invocations), 1):
            yield from self._gap(root, earlier, later, number)
            yield from self._replay(later, number)

    def _end_with_attempts(self) -> None:
        """End each step and context that goes on after its invocation with the last operation in it.

        The plugin ends its span with the invocation.
        """
        last_ns: dict[str, int] = {}
        for span in reversed(self._operations):
            is_open = span.signature["durable.operation.status"] == "STARTED"
            if is_open and span.signature.operation_type in ("STEP", "CONTEXT"):
                span.end_ns = last_ns.get(span.span_id, span.end_ns)
            last_ns[span.parent_id] = max(last_ns.get(span.parent_id, 0), span.end_ns)

    def _chains(self, recorded: Iterable[CompactSpan]) -> list[list[CompactSpan]]:
        """The spans around each invocation, from the inside out, in the order of the invocations.

        The span of a handler and that of the plugin in it are of one invocation.
        """
        chains: list[list[CompactSpan]] = []
        for span in recorded:
            if chains and span.start_ns < chains[-1][0].end_ns:
                span.parent_id = chains[-1][0].span_id
                chains[-1].insert(0, span)
            else:
                chains.append([span])
        return [[*chain, *self._around(chain[-1])] for chain in chains]

    def _around(self, span: CompactSpan) -> Iterator[CompactSpan]:
        """The segments of Lambda and the handlers' spans around a span, from the inside out."""
        parent = self._spans.get(span.parent_id)
        while parent is not None and parent is not self._workflow and self._is_of_platform(parent):
            yield parent
            parent = self._spans.get(parent.parent_id)

    def _is_of_platform(self, span: CompactSpan) -> bool:
        signature = span.signature
        if signature.origin in (SERVICE, FUNCTION) or signature.phase or signature.roles & SERVES:
            return True
        parent = self._spans.get(span.parent_id)
        is_attempt = parent is not None and parent.signature.origin == SERVICE
        return is_attempt and signature.kind is SpanKind.INTERNAL

    def _root(self) -> CompactSpan:
        """The span of the execution: the plugin's, which it records at the end, or a new one."""
        root, invocations = self._workflow, self._invocations
        status = invocations[-1].status if invocations else None
        start_ns = min([self._begin_ns, *self._starts_ns[:1]])
        end_ns = max((invocation.end_ns for invocation in invocations), default=0)
        if root is None:
            signature = self._signature(Status.ERROR if status == "FAILED" else Status.UNSET)
            end_ns = end_ns if status in ENDED else 0
            parent_id = invocations[0].spans[-1].parent_id if invocations else ""
            root = CompactSpan(_new_id(self._arn, "root"), parent_id, start_ns, end_ns, signature, signature.name)
        else:
            root.start_ns, root.end_ns = start_ns, max(root.end_ns, end_ns)
            root.signature = self._signature(root.signature.status)
            root.name = root.signature.name
        parent = self._spans.get(root.parent_id)
        if parent is not None and not parent.signature.operation_type:
            root.parent_id = ""  # a request of its own, for no operation of another execution waits for it
        return root

    def _move_below(self, root: CompactSpan) -> None:
        """Put each function that the execution invokes below it, if no span has the id of its caller.

        Without the plugin nothing records the operation that waits for it.
        """
        for span in self._spans.values():
            is_called = span.signature.origin in CALLED and span.parent_id and span.parent_id not in self._spans
            if is_called and self._begin_ns < span.start_ns < root.end_ns:
                span.parent_id = root.span_id

    def _signature(self, status: Status) -> Signature:
        recorded = [self._workflow, *(invocation.inner for invocation in self._invocations)]
        resource = next((span.signature.resource for span in recorded if span and span.signature.resource), {})
        match = FUNCTION_NAME.search(self._arn)
        name = match[1] if match is not None else str(resource.get("faas.name") or resource.get("service.name") or "")
        name = NO_NAME if not name or name.startswith(UNNAMED.rstrip(":")) else name
        traits = Traits(f"{EXECUTION_ROUTE}{name}", "", SpanKind.INTERNAL, status, None, frozenset(), False)
        return Signature(traits, resource, {"aws.xray.origin": DURABLE_EXECUTION})

    def _number(self, span: CompactSpan) -> int:
        """The number of the invocation in which a span starts."""
        return max(bisect_right(self._starts_ns, span.start_ns) - 1, 0)

    def _move_into_invocations(self, root: CompactSpan) -> None:
        """Put each span whose parent is none of its invocation's below the inner span of that invocation."""
        around = {span.span_id for invocation in self._invocations for span in invocation.spans}
        fixed = {root.span_id, *(span.span_id for span in self._anchors), *around}
        containers = (fixed | self._containers()) - {invocation.inner.span_id for invocation in self._invocations}
        for span in self._spans.values():
            if span.parent_id in containers and span.span_id not in fixed and self._is_misplaced(span, around):
                span.parent_id = self._invocations[self._number(span)].inner.span_id

    def _move_into_operations(self) -> None:
        """Put each operation below the shortest branch or wait beside it that is open all the time.

        With flat nesting a branch is recorded beside its operations. An execution that created a callback goes on, and
        waits for the callback after what it runs meanwhile.
        """
        opened: dict[str, list[CompactSpan]] = {}  # by their parent
        for span in self._operations:
            beside = opened.setdefault(span.parent_id, [])
            beside[:] = [around for around in beside if around.end_ns > span.start_ns]
            around = [other for other in beside if other.end_ns >= span.end_ns > 0]
            if around and not span.signature.is_branch:
                span.parent_id = min(around, key=lambda other: other.end_ns - other.start_ns).span_id
            if span.signature.is_branch or span.signature.operation_type == "CALLBACK":
                beside.append(span)

    def _containers(self) -> set[str]:
        """The ids of operations and what they are below, and of replays in spans that were arranged and stored."""
        operations = {span_id for span in self._operations for span_id in (span.span_id, span.parent_id)}
        return operations | {_new_id(self._arn, f"replay {number}") for number in range(1, len(self._invocations))}

    def _is_misplaced(self, span: CompactSpan, around: Collection[str]) -> bool:
        number = self._number(span)
        inner, parent = self._invocations[number].inner, self._spans.get(span.parent_id)
        if span.parent_id not in around:
            return parent is None or not parent.signature.operation_type or self._number(parent) != number
        is_inside = inner.start_ns <= span.start_ns < inner.end_ns
        return is_inside and not span.signature.phase and not span.signature.roles & INIT

    def _gap(
        self, root: CompactSpan, earlier: InvocationSpans, later: InvocationSpans, number: int
    ) -> Iterator[CompactSpan]:
        """The span of the operation that the time between two invocations waits for."""
        start_ns, end_ns = earlier.end_ns, later.start_ns
        pending = [end for end in self._ends_of_waits(start_ns, end_ns, number) if end[0] > start_ns]
        if not pending or start_ns >= end_ns:
            return  # nothing is known about it
        due = [end for end in pending if end[0] <= end_ns + LATE_NS]
        instant, span = max(due, key=itemgetter(0)) if due else min(pending, key=itemgetter(0))
        gap = CompactSpan(_new_id(self._arn, f"gap {number}"), root.span_id, start_ns, min(instant, end_ns),
                          span.signature, span.name)  # fmt: skip
        for called in self._spans.values():
            if called.parent_id == span.span_id and called.signature.origin in CALLED:
                called.parent_id = gap.span_id
                gap.start_ns = min(gap.start_ns, called.start_ns)  # the invocation may end later, and wait no more
        yield gap

    def _ends_of_waits(self, start_ns: int, end_ns: int, number: int) -> list[tuple[int, CompactSpan]]:
        """The ends of the operations that began before a gap."""
        started = [span for span in self._operations if span.start_ns <= start_ns]
        return [(self._end_of_wait(span, end_ns, number), span) for span in started]

    def _end_of_wait(self, span: CompactSpan, gap_end_ns: int, number: int) -> int:
        """The instant at which an operation no longer waits, seen from a gap before the invocation `number`.

        0 if the operation is none that an execution waits for outside of an invocation.
        """
        signature = span.signature
        if signature.operation_type == "CONTEXT" or signature.is_attempt:
            return 0
        is_ended = signature["durable.operation.status"] in ENDED
        if is_ended and signature.operation_type != "STEP":
            return span.end_ns
        resumed = self._resumed(span, gap_end_ns)
        if resumed is None:
            return span.end_ns if is_ended else NEVER
        return gap_end_ns if self._number(resumed) == number else NEVER

    def _resumed(self, span: CompactSpan, instant_ns: int) -> CompactSpan | None:
        """The next span of an operation after an instant: an attempt of a step, or what a later invocation records."""
        identity = span.signature.operation_type, span.name
        for operation in self._operations:
            signature = operation.signature
            if operation.start_ns >= instant_ns and (signature.operation_type, signature.operation_name) == identity:
                return operation
        return None

    def _replay(self, invocation: InvocationSpans, number: int) -> Iterator[CompactSpan]:
        """The span of what an invocation runs over again: up to its first operation, if it has one."""
        inner = invocation.inner
        starts_ns = [span.start_ns for span in self._operations if self._number(span) == number]
        end_ns = min(starts_ns, default=0)
        if end_ns <= inner.start_ns:
            return
        replay_id = _new_id(self._arn, f"replay {number}")
        yield CompactSpan(replay_id, inner.span_id, inner.start_ns, end_ns, REPLAYED, REPLAYED.name)
        for span in self._spans.values():
            if span.parent_id == inner.span_id and span.start_ns < end_ns and not span.signature.roles & DURABLE:
                span.parent_id = replay_id


def _others(spans: Iterable[CompactSpan], excluded: CompactSpan | None) -> list[CompactSpan]:
    return [span for span in spans if span is not excluded]


def _invocations(chains: Sequence[Sequence[CompactSpan]]) -> Iterator[InvocationSpans]:
    """Yield invocations; a segment around several is of none of them."""
    counts = Counter(span.span_id for chain in chains for span in chain)
    for chain in chains:
        spans = [span for span in chain if counts[span.span_id] == 1]
        yield InvocationSpans(spans, spans[-1].start_ns, max(max(span.start_ns, span.end_ns) for span in spans))


REPLAYED = Signature(
    Traits("replay", "", SpanKind.INTERNAL, Status.UNSET, None, frozenset(), False), {}, {"aws.xray.origin": REPLAY}
)


def _new_id(arn: str, text: str) -> str:
    import hashlib  # with it comes OpenSSL, which other traces do not need

    return hashlib.sha256(f"{arn} {text}".encode()).hexdigest()[:16]
