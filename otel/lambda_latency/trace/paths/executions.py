"""Durable executions: the spans of all invocations of one execution, arranged as the tree of one request.

An execution is a sequence of invocations and of gaps between them. What runs in an invocation is below its span. A gap
belongs to the operation whose end started the next invocation, and the time from that end to the Lambda service. An
invocation after the first runs the handler from its beginning: the time to its first new operation is its replay.

AWS's plugin records operations below the span of the execution or below each invocation (its two classes), and one span
for an operation that lasts over several invocations or one in each of them.
https://pypi.org/project/aws-durable-execution-sdk-python-otel/
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from lambda_latency.trace.model.compact_span import CompactSpan
from lambda_latency.trace.model.keys import UNNAMED
from lambda_latency.trace.model.platform import DURABLE_EXECUTION, FUNCTION, REPLAY, SERVICE
from lambda_latency.trace.model.request import EXECUTION_ROUTE
from lambda_latency.trace.model.signature import DURABLE, INIT, SERVES, Signature, Traits
from lambda_latency.trace.model.span import SpanKind, Status

FUNCTION_NAME = re.compile(r":function:([^:/]+)")
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELLED", "STOPPED")
# Clocks of the service and of the function differ: an operation may end so much after the start of the invocation that
# its end causes.
LATE_NS = 5_000_000
NEVER = 2**63


class Invocation(NamedTuple):
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
        if span.signature.roles & DURABLE and span.route:
            by_arn.setdefault(span.route, []).append(span)
    # What an execution calls begins after it, and is arranged first: then it lies below the time that waits for it
    last_first = sorted(by_arn.items(), key=lambda item: -min(span.start_ns for span in item[1]))
    return [span for arn, members in last_first for span in _Execution(arn, members, spans).arranged()]


class _Execution:
    """The spans of one execution. `members` are those with its ARN, `spans` those of all of its traces by id."""

    def __init__(self, arn: str, members: Iterable[CompactSpan], spans: Mapping[str, CompactSpan]) -> None:
        self._arn, self._spans = arn, spans
        ordered = sorted(members, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))
        self._operations = [span for span in ordered if span.signature.operation_type]
        self._workflow = next((span for span in ordered if span.signature["durable.execution.status"]), None)
        self._anchors = [span for span in ordered if span.signature.is_anchor]
        self._invocations = self._grouped([span for span in ordered if span.signature.is_invocation])
        self._starts_ns = [invocation.start_ns for invocation in self._invocations]

    def arranged(self) -> Iterator[CompactSpan]:
        root = self._root()
        if root is not self._workflow:
            yield root
        for span in (*self._anchors, *(invocation.spans[-1] for invocation in self._invocations)):
            span.parent_id = root.span_id
        self._move_into_invocations(root)
        for number, (earlier, later) in enumerate(pairwise(self._invocations), 1):
            yield from self._gap(root, earlier, later, number)
            yield from self._replay(later, number)

    def _grouped(self, recorded: Iterable[CompactSpan]) -> list[Invocation]:
        """The invocations in their order: the span of a handler and that of the plugin in it are of one invocation."""
        chains: list[list[CompactSpan]] = []
        for span in recorded:
            if chains and span.start_ns < chains[-1][0].end_ns:
                span.parent_id = chains[-1][0].span_id
                chains[-1].insert(0, span)
            else:
                chains.append([span])
        for chain in chains:
            chain.extend(self._around(chain[-1]))
        # A segment around several invocations is of none of them
        counts = Counter(span.span_id for chain in chains for span in chain)
        invocations: list[Invocation] = []
        for chain in chains:
            own = [span for span in chain if counts[span.span_id] == 1]
            invocations.append(Invocation(own, own[-1].start_ns, max(max(s.start_ns, s.end_ns) for s in own)))
        return invocations

    def _around(self, span: CompactSpan) -> Iterator[CompactSpan]:
        """The segments of Lambda and the handlers' spans around a span, from the inside out."""
        parent = self._spans.get(span.parent_id)
        while parent is not None and self._is_of_platform(parent):
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
        workflow, invocations = self._workflow, self._invocations
        status = invocations[-1].status if invocations else None
        is_error = workflow.signature.status is Status.ERROR if workflow is not None else status == "FAILED"
        recorded = [span for span in (workflow, *self._anchors) if span is not None]
        start_ns = min([*(span.start_ns for span in recorded), *self._starts_ns[:1]])
        end_ns = max((invocation.end_ns for invocation in invocations), default=0)
        signature = self._signature(Status.ERROR if is_error else Status.UNSET)
        if workflow is None:
            end_ns = end_ns if status in ENDED else 0
            return CompactSpan(_new_id(self._arn, "root"), "", start_ns, end_ns, signature, signature.name)
        workflow.start_ns, workflow.end_ns = start_ns, max(workflow.end_ns, end_ns)
        workflow.signature, workflow.name = signature, signature.name
        if not self._is_called(workflow):
            workflow.parent_id = ""
        return workflow

    def _is_called(self, workflow: CompactSpan) -> bool:
        """Whether an operation of another execution waits for this one."""
        parent = self._spans.get(workflow.parent_id)
        return parent is not None and bool(parent.signature.operation_type)

    def _signature(self, status: Status) -> Signature:
        named = [span.signature for span in (self._workflow, *(i.inner for i in self._invocations)) if span is not None]
        resource = next((signature.resource for signature in named if signature.resource), {})
        match = FUNCTION_NAME.search(self._arn)
        name = match[1] if match is not None else str(resource.get("faas.name") or resource.get("service.name") or "")
        name = "" if name.startswith(UNNAMED.rstrip(":")) else name
        traits = Traits(f"{EXECUTION_ROUTE}{name}".rstrip(), "", SpanKind.INTERNAL, status, None, frozenset(), False)
        return Signature(traits, resource, {"aws.xray.origin": DURABLE_EXECUTION})

    def _number(self, span: CompactSpan) -> int:
        """The number of the invocation in which a span starts."""
        return max(bisect_right(self._starts_ns, span.start_ns) - 1, 0)

    def _move_into_invocations(self, root: CompactSpan) -> None:
        """Put each span whose parent is none of its invocation's below the inner span of that invocation."""
        if not self._invocations:
            return
        inner_ids = {invocation.inner.span_id for invocation in self._invocations}
        outer = {span.span_id: span for invocation in self._invocations for span in invocation.spans}
        containers = {root.span_id, *(span.span_id for span in (*self._anchors, *self._operations))}
        containers |= {span.parent_id for span in self._operations} | (outer.keys() - inner_ids)
        # Of spans that were arranged and stored
        containers |= {_new_id(self._arn, f"replay {number}") for number in range(1, len(self._invocations))}
        for span in self._spans.values():
            if span.parent_id not in containers or span.span_id in outer or span is root or span.signature.is_anchor:
                continue
            number = self._number(span)
            invocation, parent = self._invocations[number], self._spans.get(span.parent_id)
            if span.parent_id in outer:
                is_inside = invocation.inner.start_ns <= span.start_ns < invocation.inner.end_ns
                is_moved = is_inside and not (span.signature.phase or span.signature.roles & INIT)
            else:
                is_moved = parent is None or not parent.signature.operation_type or self._number(parent) != number
            if is_moved:
                span.parent_id = invocation.inner.span_id

    def _gap(self, root: CompactSpan, earlier: Invocation, later: Invocation, number: int) -> Iterator[CompactSpan]:
        """The span of the operation that the time between two invocations waits for."""
        start_ns, end_ns = earlier.end_ns, later.start_ns
        ends = [(self._end_of_wait(span, end_ns, number), span) for span in self._operations]
        pending = [(end, span) for end, span in ends if span.start_ns <= start_ns < end]
        due = [(end, span) for end, span in pending if end <= end_ns + LATE_NS]
        if pending and start_ns < end_ns:
            end, span = max(due, key=_end) if due else min(pending, key=_end)
            span_id = _new_id(self._arn, f"gap {number}")
            yield CompactSpan(span_id, root.span_id, start_ns, min(end, end_ns), span.signature, span.name)
            for called in self._spans.values():
                if called.parent_id == span.span_id and called.signature.origin == DURABLE_EXECUTION:
                    called.parent_id = span_id

    def _end_of_wait(self, span: CompactSpan, gap_end_ns: int, number: int) -> int:
        """The instant at which an operation no longer waits, seen from a gap before the invocation `number`.

        0 if the operation is none that an execution waits for outside of an invocation.
        """
        signature = span.signature
        if signature.operation_type == "CONTEXT" or signature.is_attempt:
            return 0
        if signature["durable.operation.status"] in ENDED and signature.operation_type != "STEP":
            return span.end_ns
        name, kind = span.name, signature.operation_type
        later = (s for s in self._operations if s.start_ns >= gap_end_ns and s.signature.operation_type == kind)
        again = next((s for s in later if s.signature.operation_name == name), None)
        if again is None:
            return span.end_ns if signature["durable.operation.status"] in ENDED else NEVER
        return gap_end_ns if self._number(again) == number else NEVER

    def _replay(self, invocation: Invocation, number: int) -> Iterator[CompactSpan]:
        """The span of what an invocation runs over again: up to its first operation, if it has one."""
        inner = invocation.inner
        new = [span.start_ns for span in self._operations if self._number(span) == number]
        if not new or min(new) <= inner.start_ns:
            return
        replay = CompactSpan(
            _new_id(self._arn, f"replay {number}"), inner.span_id, inner.start_ns, min(new), REPLAYED, REPLAYED.name
        )
        for span in self._spans.values():
            if span.parent_id == inner.span_id and span.start_ns < replay.end_ns and not span.signature.roles & DURABLE:
                span.parent_id = replay.span_id
        yield replay


REPLAYED = Signature(
    Traits("replay", "", SpanKind.INTERNAL, Status.UNSET, None, frozenset(), False), {}, {"aws.xray.origin": REPLAY}
)


def _end(end_and_span: tuple[int, CompactSpan]) -> int:
    return end_and_span[0]


def _new_id(arn: str, text: str) -> str:
    return hashlib.sha256(f"{arn} {text}".encode()).hexdigest()[:16]
