"""The analyzer: attributes the critical path of each trace to components, and adds up its request's breakdown.

A breakdown has an outline, too: each operation with what it calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from lambda_latency.latency.analysis.attribution import Attribution, Attributions, ById, ancestors
from lambda_latency.latency.breakdowns.breakdown import Breakdown, Calls, Flaw, Kind, Operation
from lambda_latency.latency.breakdowns.columns import NO_CALL, Breakdowns
from lambda_latency.latency.breakdowns.component import UNKNOWN, Component, Edge, resource_of
from lambda_latency.latency.breakdowns.owners import DEFAULT_OPTIONS, AnalysisOptions
from lambda_latency.trace import (
    ATTEMPTS,
    GAVE_UP,
    TIMED_OUT,
    CompactSpan,
    CompactTraces,
    Problem,
    SpanKind,
    TimedSpan,
    Trace,
    Tree,
    function_of,
    is_error,
    route_of,
    service_of,
    status_code_of,
    walk,
    without_ids,
)

BACKWARDS = "all spans of the trace end before they start"
MOST_KINDS = 20_000  # in the cache, by the signatures of a request's spans


class PathSegment(NamedTuple):
    """A segment of the critical path: the span that owns it, start and end in nanoseconds since 1970, and its part."""

    span: CompactSpan
    start_ns: int
    end_ns: int
    component: Component


def path_segments(tree: Tree, path: Iterable[TimedSpan], attributions: ById) -> Iterator[PathSegment]:
    """Yield the segments of a critical path with their components; a segment with retries is split.

    Time of the Lambda service before the init is attributed to the cold start.
    """
    retries = retrying(tree, attributions)
    for span, start_ns, end_ns in path:
        attribution = attributions[span.span_id]
        if end_ns <= tree.starting.get(span.span_id, 0):
            service = attribution.code.name if attribution.code is not None else ""
            yield PathSegment(span, start_ns, end_ns, Component("cold start", service))
        elif span.span_id in retries:
            for times_and_component in retries[span.span_id].divide(start_ns, end_ns, attribution.component):
                yield PathSegment(span, *times_and_component)
        else:
            yield PathSegment(span, start_ns, end_ns, attribution.component)


def _leaves_out(tree: Tree) -> bool:
    """Return whether the trace has spans outside the request whose parent, not known to be remote, was not recorded."""
    if len(tree.absent) > 1:
        return True
    *_, root = tree.request_root, *ancestors(tree, tree.request_root)
    return any(
        len(span.parent_id) == len(span.span_id) and span.signature.remote is not True
        for span in tree.local_roots
        if span is not root and span is not tree.init_before
    )


class Analyzer:
    """Adds the breakdowns of traces to `breakdowns`. The breakdown of a trace does not depend on other traces."""

    def __init__(self, breakdowns: Breakdowns, options: AnalysisOptions = DEFAULT_OPTIONS) -> None:
        self._breakdowns, self._attributions, self._view = breakdowns, Attributions(options.owners), options.view
        self._outlines = Outlines(breakdowns) if options.outlines else None
        self._kinds: dict[tuple[object, ...], int] = {}
        # The numbers of each attribution in the columns of `breakdowns`.
        self._edges: dict[Attribution, int] = {}
        self._counted: dict[Attribution, int] = {}

    def add(self, trace_id: str, spans: list[CompactSpan], problems: list[Problem]) -> None:
        """Add the breakdown of a trace with these spans; inconsistencies are added to `problems`."""
        tree = Tree(spans, self._view)
        problems += [Problem(trace_id, None, reason, "counted") for reason in tree.problems]
        if tree.problems and all(0 < span.end_ns < span.start_ns for span in spans):
            problems.append(Problem(trace_id, None, BACKWARDS))
        if not tree.is_running:
            self.add_tree(trace_id, tree)

    def take(self, traces: CompactTraces, problems: list[Problem]) -> None:
        """Add the breakdowns of traces, and remove the traces from `traces` to release their spans."""
        while traces:
            self.add(*traces.popitem(), problems)

    def add_tree(self, trace_id: str, tree: Tree) -> None:
        """Add the breakdown of a trace."""
        path, parents = walk(tree)
        attributions = self._attributions.by_span_id(tree, parents)
        breakdowns, retries = self._breakdowns, retrying(tree, attributions)
        sums, by_attribution = defaultdict[int, int](int), defaultdict[Attribution, int](int)
        divided = {*tree.starting, *retries}
        if divided:
            divided_path = [segment for segment in path if segment[0].span_id in divided]
            for segment in path_segments(tree, divided_path, attributions):
                caller = attributions[segment.span.span_id].caller
                sums[breakdowns.edges[Edge(caller, segment.component)]] += segment.end_ns - segment.start_ns
            path = [segment for segment in path if segment[0].span_id not in divided]
        for span, start, end in path:
            by_attribution[attributions[span.span_id]] += end - start
        for attribution, ns in by_attribution.items():
            number = self._edges.get(attribution)
            if number is None:
                number = self._edges[attribution] = breakdowns.edges[attribution.edge]
            sums[number] += ns
        self._add_services_outside(tree, attributions)
        calls, took = self._calls(tree, attributions, retries)
        wall_ns = tree.end_ns - tree.start_ns - self._set_aside_waits(tree, sums, calls, took)
        outline = self._outlines.number(tree, attributions, parents) if self._outlines is not None else None
        breakdowns.add(trace_id, self._kind(tree), tree.start_ns, wall_ns, sums, calls, took, outline)

    def _set_aside_waits(self, tree: Tree, sums: dict[int, int], calls: list[int], took: list[int]) -> int:
        """Turn the waits by design of an execution from times into calls; returns their nanoseconds."""
        if not tree.is_execution:
            return 0
        waits = {edge: number for edge, number in self._breakdowns.edges.items() if edge.component.category == "wait"}
        waited_ns = {edge: sums.pop(number) for edge, number in waits.items() if number in sums}
        calls += [self._breakdowns.calls[edge, Calls(1)] for edge in waited_ns]
        took += waited_ns.values()
        return sum(waited_ns.values())

    def _add_services_outside(self, tree: Tree, attributions: ById) -> None:
        """Add the services of spans outside the request, without time: calls to them are internal."""
        if len(attributions) == len(tree.spans):
            return
        outside = {service_of(span) for span_id, span in tree.spans.items() if span_id not in attributions}
        for name in sorted(outside - {""}):
            self._breakdowns.edges[Edge(name, Component("own code", name))]  # a look-up adds the name

    def _calls(self, tree: Tree, attributions: ById, retries: Mapping[str, Retrying]) -> tuple[list[int], list[int]]:
        """Return the numbers in `breakdowns.calls` of the calls of a request, and their durations in nanoseconds."""
        counted, spans, path_end_ns = self._counted, tree.spans, tree.end_ns
        calls: list[int] = []
        took: list[int] = []
        for span_id, attribution in attributions.items():
            if attribution.call is None:
                continue
            span = spans[span_id]
            took.append(max((span.end_ns or path_end_ns) - span.start_ns, 0))
            if span_id in retries:  # the call counts for one component, its retries for another
                calls += self._call_and_retries(attribution.edge, attribution.call, retries[span_id].component)
                took.append(NO_CALL)
                continue
            number = counted.get(attribution)
            if number is None:
                number = counted[attribution] = self._breakdowns.calls[attribution.edge, attribution.call]
            calls.append(number)
        return calls, took

    def _call_and_retries(self, edge: Edge, call: Calls, retries: Component) -> tuple[int, int]:
        numbers, retried = self._breakdowns.calls, edge._replace(component=retries)
        return numbers[edge, replace(call, retries=0)], numbers[retried, Calls(retries=call.retries)]

    def _kind(self, tree: Tree) -> int:
        """Return the number of the request's `Kind`: everything that a breakdown holds besides its times."""
        root, handler, segment = tree.request_root, tree.handler, tree.segment
        router = tree.router(handler)
        cold, timed_out, flaws = tree.is_cold, tree.timed_out, _flaws(tree)
        key = (
            *(root.signature, root.route, root.name),
            *((handler.signature, router.signature, router.route, router.name) if handler and router else ()),
            segment.name if segment is not None else None,
            *(cold, timed_out, flaws),
        )
        number = self._kinds.get(key)
        if number is None:
            if len(self._kinds) >= MOST_KINDS:
                self._kinds.clear()
            function = function_of(segment, handler)
            route, status = route_of(root, router, function), status_code_of(root, handler)
            kind = Kind(route, function, status, cold, is_error(root, handler), timed_out, flaws)
            number = self._kinds[key] = self._breakdowns.kinds[kind]
        return number


def _flaws(tree: Tree) -> int:
    consumers = (span for span in tree.detached if span.signature.kind is SpanKind.CONSUMER)
    flaws = (
        (Flaw.SKEWED, tree.skewed),
        (Flaw.ABSENT_PARENT, bool(tree.absent)),
        (Flaw.RUNS_ON, tree.runs_on),
        (Flaw.OPEN, not tree.request_root.end_ns and not tree.roles & TIMED_OUT),
        (Flaw.CLIENT_TIMEOUTS, bool(tree.roles & GAVE_UP)),
        (Flaw.FLOW, any(span.end_ns > tree.end_ns for span in consumers)),
        (Flaw.LEFT_OUT, len(tree.local_roots) > 1 and _leaves_out(tree)),
    )
    return sum(flaw for flaw, is_present in flaws if is_present)


def breakdown_of(trace: Trace, options: AnalysisOptions = DEFAULT_OPTIONS) -> Breakdown:
    """Return the breakdown of a trace."""
    breakdowns = Breakdowns()
    Analyzer(breakdowns, options).add_tree(trace.trace_id, trace.tree)
    return breakdowns[0]


def largest_component(trace: Trace, options: AnalysisOptions = DEFAULT_OPTIONS) -> tuple[str, int]:
    """Return the component that the request waited for longest: its label and its nanoseconds."""
    components = breakdown_of(trace, options).components
    component, ns = components[0] if components else (UNKNOWN, 0)
    return component.label, ns


class Retrying(NamedTuple):
    """The time from the end of the first attempt of a call to the start of the last (ns since 1970), and its part."""

    start_ns: int
    end_ns: int
    component: Component

    def divide(self, start_ns: int, end_ns: int, component: Component) -> Iterator[tuple[int, int, Component]]:
        """Split a segment of the call; `component` owns the time outside the retries."""
        retries_start, retries_end = (min(max(instant, start_ns), end_ns) for instant in self[:2])
        instants = (start_ns, retries_start, retries_end, end_ns)
        for (begin, end), owner in zip(pairwise(instants), (component, self.component, component), strict=True):
            if begin < end:
                yield begin, end, owner


def retrying(tree: Tree, attributions: ById) -> dict[str, Retrying]:
    """Return the retries by span id: of calls with recorded attempts, and of spans below them with the same part."""
    retries: dict[str, Retrying] = {}
    if not tree.roles & ATTEMPTS:
        return retries
    for span_id, attribution in attributions.items():  # parents before children
        attempts, component = tree.spans[span_id].attempts, attribution.component
        if attempts is not None and attribution.call is not None and component.category == "aws":
            retries[span_id] = Retrying(*attempts, Component("retries", resource_of(component.name)))
        if span_id in retries:
            for child in tree.children.get(span_id, ()):
                inner = attributions[child.span_id]
                if inner.call is None and inner.component == component:
                    retries[child.span_id] = retries[span_id]
    return retries


# Limits for systems whose span names are all different: what is new beyond them is left out of outlines.
MOST_NAMES = 4_000
MOST_OPERATIONS = 20_000
MOST_OUTLINES = 10_000
MOST_OF_WALK = 32  # names of one walk that is remembered
LONGEST = 120  # characters of a name
LEAST_OF_ID, DIGITS = 12, "0123456789abcdef-"  # of an id that a name ends with


class _Name(NamedTuple):
    service: str
    name: str
    is_call: bool


class Outlines:
    """Finds the outline of each request; equal outlines are one in `breakdowns`."""

    def __init__(self, breakdowns: Breakdowns) -> None:
        self._of_breakdowns = breakdowns.outlines
        # Names and operations have numbers from 1.
        self._numbers: defaultdict[Attribution, dict[str, int]] = defaultdict(dict)  # by the span's own name
        self._name_numbers: dict[_Name, int] = {}
        self._names: list[_Name] = []
        self._calls: set[int] = set()  # the names of calls
        self._by_names: dict[tuple[int, int | frozenset[int]], int] = {}
        # Operations by a name and those of its children, in order
        self._walked: dict[tuple[int, ...], int] = {}
        self._operations: list[Operation] = []
        self._operation_numbers: dict[Operation, int] = {}
        self._outlines: dict[tuple[int, ...], int] = {}

    def number(self, tree: Tree, attributions: ById, parents: Sequence[CompactSpan]) -> int:
        """Return the number of a request's outline. `parents` are its spans with children; parents come first."""
        children, numbers_by_name = tree.children, self._numbers
        roots = [span for span in (tree.request_root, tree.init_before) if span is not None]
        number_of = {span.span_id: self._number(attributions[span.span_id], span) for span in roots}
        walked = self._walked
        operations: set[int] = set()
        leaves: set[int] = set()
        for span in parents:
            numbers = [number_of[span.span_id]]
            for child in children.get(span.span_id, ()):  # the hot loop: a known name calls none of our functions
                span_id = child.span_id
                attribution = attributions[span_id]
                number = numbers_by_name[attribution].get(child.name)
                if number is None:
                    number = self._number(attribution, child)
                numbers.append(number)
                if span_id in children:
                    number_of[span_id] = number
                else:
                    leaves.add(number)
            walk = tuple(numbers)
            operations.add(walked.get(walk) or self._walk(walk))
        for number in leaves - self._calls:
            operations.add(walked.get((number,)) or self._walk((number,)))
        ordered = tuple(sorted(operations))
        outline = self._outlines.get(ordered)
        return self._outline(ordered) if outline is None else outline

    def _number(self, attribution: Attribution, span: CompactSpan) -> int:
        """Return the number of a name that is not known as it is: the names of one operation's spans may all differ."""
        numbers, own_name = self._numbers[attribution], span.name
        head = own_name.rstrip(DIGITS)
        if len(own_name) - len(head) >= LEAST_OF_ID:
            own_name = head
        number = numbers.get(own_name)
        if number is not None:
            return number
        service = attribution.code.name if attribution.code is not None else ""
        name = _Name(service, _name(attribution, span, own_name)[:LONGEST], span.signature.is_call)
        if name not in self._name_numbers and len(self._name_numbers) >= MOST_NAMES:
            name = name._replace(name="")
        number = self._name_numbers.get(name)
        if number is None:
            self._names.append(name)
            number = self._name_numbers[name] = len(self._names)
            if name.is_call:
                self._calls.add(number)
        if len(numbers) < MOST_NAMES:
            numbers[own_name] = number
        return number

    def _walk(self, walk: tuple[int, ...]) -> int:
        """Return the number of the operation of a name and, in any order, those of its children; 0 beyond the limit."""
        number, *below = walk
        names = number, below[0] if len(below) == 1 else frozenset(below)
        operation = self._by_names.get(names) or self._operation(*names)
        if len(walk) <= MOST_OF_WALK and len(self._walked) < MOST_OPERATIONS:
            self._walked[walk] = operation
        return operation

    def _operation(self, number: int, below: int | frozenset[int]) -> int:
        """Return the number of an operation; 0 beyond the limit."""
        if len(self._by_names) >= MOST_OPERATIONS:
            return 0
        service, name, _ = self._names[number - 1]
        callees = [self._names[callee - 1] for callee in ((below,) if isinstance(below, int) else below)]
        labels = {its if whose in ("", service) else f"{whose} {its}" for whose, its, _ in callees}
        operation = Operation(service, name, tuple(sorted(labels)))
        operation_number = self._operation_numbers.get(operation)
        if operation_number is None:
            self._operations.append(operation)
            operation_number = self._operation_numbers[operation] = len(self._operations)
        self._by_names[number, below] = operation_number
        return operation_number

    def _outline(self, operations: tuple[int, ...]) -> int:
        if len(self._outlines) >= MOST_OUTLINES:
            return self._of_breakdowns[()]
        outline = tuple(sorted([self._operations[number - 1] for number in operations if number]))
        self._outlines[operations] = number = self._of_breakdowns[outline]
        return number


NAMED = ("aws", "database", "messaging", "queue", "retries")  # categories whose names say what is called


def _name(attribution: Attribution, span: CompactSpan, own_name: str) -> str:
    """Return the name of a span; of a call that of its callee, because many clients call all of their spans `GET`."""
    name, component = without_ids(own_name), attribution.component
    if not span.signature.is_call or not component.name:
        return name
    if component.category in NAMED:
        return component.name
    if component.category in ("network", "external") and component.name not in name:
        return f"{component.name} {name}"
    return name
