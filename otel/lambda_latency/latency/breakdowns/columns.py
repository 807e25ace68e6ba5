"""Breakdowns of many requests in columns: 80,000 requests take 20 MB, as tuples they take 200 MB."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache
from itertools import accumulate, chain, compress, count, islice, pairwise, repeat
from operator import eq, sub
from typing import Any, TypeVar, overload

from lambda_latency.latency.breakdowns.breakdown import Breakdown, Calls, Kind, Operation
from lambda_latency.latency.breakdowns.component import Component, Edge

# Duration of an entry that adds counts to a component, but is no call itself
NO_CALL = -1
BYTES = 16  # per trace id
AT_ONCE = 10_000  # requests that are copied at a time
LENGTH = 50_000  # values of a column in a piece
# Tables of values, and the columns that hold the numbers of the values
NAMED = {"kinds": "kind_of", "edges": "edge_of", "calls": "call_of", "outlines": "outline_of"}
SINGLE = ("trace_ids", "kind_of", "starts_ns", "walls_ns", "outline_of")  # the columns with one entry per request
SEVERAL = {  # those with several
    "edges_end": ("edge_of", "edge_ns"),
    "calls_end": ("call_of", "call_ns"),
}

Name = TypeVar("Name")


class Numbers(dict[Name, int]):
    """The numbers of values, in the order of their first look-up: looking up a new value adds it."""

    def __missing__(self, name: Name) -> int:
        self[name] = number = len(self)
        return number


class Breakdowns(Sequence[Breakdown]):
    """A sequence of breakdowns in columns; a `Breakdown` is created when it is accessed.

    `kind_of`, `starts_ns` and `walls_ns` hold one value per request; `kind_of` refers to `kinds`. The edges of request
    `i` are the entries from `edges_end[i]` up to, not including, `edges_end[i + 1]` of `edge_of` (numbers in `edges`)
    and `edge_ns`; its calls are those from `calls_end[i]` on of `call_of` (numbers in `calls`: an edge and its counts)
    and `call_ns` (`NO_CALL`: the entry only adds counts). The entries of a request have no defined order.

    `sampled` are the trace ids of the requests whose spans are at hand; None if those of all are.
    """

    def __init__(self, breakdowns: Iterable[Breakdown] = ()) -> None:
        self.edges: Numbers[Edge] = Numbers()
        self.kinds: Numbers[Kind] = Numbers()
        self.calls: Numbers[tuple[Edge, Calls]] = Numbers()
        self.outlines: Numbers[tuple[Operation, ...]] = Numbers()
        self.trace_ids = bytearray()
        self.kind_of, self.starts_ns, self.walls_ns = array("I"), array("q"), array("q")
        self.edge_of, self.edge_ns, self.edges_end = array("I"), array("q"), array("I", [0])
        self.call_of, self.call_ns, self.calls_end = array("I"), array("q"), array("I", [0])
        self.outline_of = array("I")
        self.sampled: Container[str] | None = None
        self._order = array("I")  # of all requests, or of fewer: then it is out of date
        for breakdown in breakdowns:
            self.append(breakdown)

    @classmethod
    def from_breakdowns(cls, breakdowns: Iterable[Breakdown]) -> Breakdowns:
        """Return the breakdowns as `Accounts`; an instance of `Accounts` is returned unchanged."""
        return breakdowns if isinstance(breakdowns, Breakdowns) else cls(breakdowns)

    def append(self, breakdown: Breakdown) -> None:
        """Add a request."""
        edges, calls = self.edges, self.calls
        counted: list[tuple[Edge, Calls]] = []
        lengths_ns: list[int] = []
        for (edge, counts), (_, took) in zip(breakdown.edge_calls, breakdown.durations_ns, strict=True):
            entries_ns = took or (NO_CALL,)
            # The first entry has the counts of all.
            counted += [(edge, counts), *[(edge, Calls())] * (len(entries_ns) - 1)]
            lengths_ns += entries_ns
        self.add(
            breakdown.trace_id,
            self.kinds[breakdown.kind],
            breakdown.start_ns,
            breakdown.wall_ns,
            {edges[edge]: ns for edge, ns in breakdown.edges},
            [calls[edge_calls] for edge_calls in counted],
            lengths_ns,
            self.outlines[breakdown.outline],
        )

    def add(
        self,
        trace_id: str,
        kind: int,
        start_ns: int,
        wall_ns: int,
        edges: Mapping[int, int],
        calls: list[int],
        took_ns: list[int],
        outline: int | None = None,
    ) -> None:
        """Add a request by numbers in the tables; `call_ns` has the duration of each call, or `NO_CALL`."""
        self.trace_ids += bytes.fromhex(trace_id)
        self.kind_of.append(kind)
        self.starts_ns.append(start_ns)
        self.walls_ns.append(wall_ns)
        self.edge_of.fromlist([*edges])
        self.edge_ns.fromlist([*edges.values()])
        self.edges_end.append(len(self.edge_of))
        self.call_of.fromlist(calls)
        self.call_ns.fromlist(took_ns)
        self.calls_end.append(len(self.call_of))
        self.outline_of.append(self.outlines[()] if outline is None else outline)

    def __len__(self) -> int:
        return len(self.walls_ns)

    @overload
    def __getitem__(self, index: int) -> Breakdown: ...

    @overload
    def __getitem__(self, index: slice) -> Breakdowns: ...

    def __getitem__(self, index: int | slice) -> Breakdown | Breakdowns:
        if isinstance(index, slice):
            return self.take(range(len(self))[index])
        index = range(len(self))[index]
        return next(self.made([index]))

    def __iter__(self) -> Iterator[Breakdown]:
        return self.made(range(len(self)))

    @property
    def components(self) -> dict[Component, list[int]]:
        """The components of the edges, and the numbers of the edges of each."""
        numbers: dict[Component, list[int]] = {}
        for edge, number in self.edges.items():
            numbers.setdefault(edge.component, []).append(number)
        return numbers

    def times_of_each(self) -> Iterator[Iterable[tuple[int, int]]]:
        """For each request: the number and the nanoseconds of each of its edges."""
        for begin, end in pairwise(self.edges_end):
            yield zip(self.edge_of[begin:end], self.edge_ns[begin:end], strict=True)

    def calls_of_each(self) -> Iterator[Sequence[int]]:
        """For each request: the numbers of its calls."""
        return (self.call_of[begin:end] for begin, end in pairwise(self.calls_end))

    def entries_of_edges(self, numbers: Container[int]) -> Iterator[tuple[int, int]]:
        """Return the index of the request and the nanoseconds of each entry of these edges, given their numbers."""
        entries = zip(members(self.edges_end), self.edge_ns, strict=True)
        return compress(entries, map(numbers.__contains__, self.edge_of))

    def entries_of_calls(self, numbers: Container[int]) -> Iterator[tuple[int, int]]:
        """Return the index of the request and the number in `calls` of each entry that has one of these numbers."""
        entries = zip(members(self.calls_end), self.call_of, strict=True)
        return compress(entries, map(numbers.__contains__, self.call_of))

    def trace_id(self, index: int) -> str:
        """Return the trace id of a request, 32 hex digits."""
        return self.trace_ids[index * BYTES : index * BYTES + BYTES].hex()

    def has_spans(self, index: int) -> bool:
        """Return whether the spans of a request are at hand."""
        return self.sampled is None or self.trace_id(index) in self.sampled

    def with_spans(self, indices: Sequence[int], places: Iterable[int] | None = None) -> list[int]:
        """Return the requests at some places of `indices` (None: at all), if their spans are at hand.

        In place of a request at one of the `places` whose spans are not, the nearest with spans is returned.
        """
        if self.sampled is None:
            return list(indices) if places is None else [indices[place] for place in places]
        sampled = [place for place, index in enumerate(indices) if self.has_spans(index)]
        if places is not None and sampled:
            sampled = list(dict.fromkeys(nearest(sampled, place) for place in places))
        return [indices[place] for place in sampled]

    def evenly(self, indices: Sequence[int], limit: int) -> list[int]:
        """Return at most so many of these requests with spans, evenly spaced."""
        size = len(indices)
        if size <= limit:
            return self.with_spans(indices)
        return self.with_spans(indices, [(2 * number + 1) * size // (2 * limit) for number in range(limit)])

    def of_kind(self, matches: Callable[[Kind], bool]) -> Sequence[int]:
        """Return the indices of the requests of the kinds that match."""
        kinds = {number for kind, number in self.kinds.items() if matches(kind)}
        if len(kinds) == len(self.kinds):
            return range(len(self))
        return array("I", [index for index, kind in enumerate(self.kind_of) if kind in kinds] if kinds else [])

    def ended(self) -> Sequence[int]:
        """Return the indices of the requests that did not time out."""
        return self.of_kind(lambda kind: not kind.timed_out)

    def ended_in_order(self, routes: Container[str]) -> array[int]:
        """Return the indices of the requests of these routes that did not time out, sorted by start and trace id."""
        kinds = {number for kind, number in self.kinds.items() if kind.route in routes and not kind.timed_out}
        return array("I", (index for index in self.order() if self.kind_of[index] in kinds))

    def waits_ns(self, numbers: Container[int]) -> Counter[int]:
        """Return the time that requests wait for these edges, given their numbers, by index of the request."""
        waits: defaultdict[int, int] = defaultdict(int)  # a Counter calls a function for each new key
        for index, ns in self.entries_of_edges(numbers):
            waits[index] += ns
        return Counter(waits)

    def ended_by_route(self) -> Counter[str]:
        """Count the requests that did not time out, by route."""
        kinds, by_route = list(self.kinds), Counter[str]()
        for number, requests in Counter(self.kind_of).items():
            if not kinds[number].timed_out:
                by_route[kinds[number].route] += requests
        return by_route

    def timed_out(self) -> Sequence[int]:
        """Return the indices of the requests that timed out."""
        return self.of_kind(lambda kind: kind.timed_out)

    def slowest(self, count: int) -> list[int]:
        """Return the indices of the `count` slowest requests, the slowest first; ties are sorted by trace id."""
        walls = self.walls_ns
        least = min(heapq.nlargest(count, walls), default=0)
        candidates = [index for index, wall in enumerate(walls) if wall >= least]
        return sorted(candidates, key=lambda index: (-walls[index], self.trace_id(index)))[:count]

    def sums_ns(self, indices: Sequence[int]) -> dict[Component, int]:
        """Return the total time of these requests by component, in nanoseconds."""
        sums = [0] * len(self.edges)
        present: set[int] = set()
        for begin in range(0, len(indices), AT_ONCE):
            chunk = indices[begin : begin + AT_ONCE]
            edges, times = (runs(column, self.edges_end, chunk) for column in (self.edge_of, self.edge_ns))
            for edge, ns in zip(edges, times, strict=True):
                sums[edge] += ns
            present.update(edges)
        return {
            component: sum([sums[number] for number in numbers])
            for component, numbers in self.components.items()
            if not present.isdisjoint(numbers)
        }

    def made(self, indices: Iterable[int], *, with_calls: bool = True) -> Iterator[Breakdown]:
        """Create the breakdowns at these indices; without calls they take a fifth of the memory."""
        kinds, edges, calls = list(self.kinds), list(self.edges), list(self.calls)
        outlines = list(self.outlines)
        for index in indices:
            inside = slice(self.edges_end[index], self.edges_end[index + 1])
            of_edges = [(-ns, edges[edge]) for edge, ns in zip(self.edge_of[inside], self.edge_ns[inside], strict=True)]
            counted, took = self._calls(index, calls) if with_calls else ({}, {})
            kind = kinds[self.kind_of[index]]
            yield Breakdown(
                self.trace_id(index),
                kind.route,
                kind.function,
                kind.status_code,
                self.starts_ns[index],
                self.walls_ns[index],
                tuple([(edge, -ns) for ns, edge in sorted(of_edges)]),
                tuple(sorted(counted.items())),
                tuple([(edge, tuple(sorted(lengths_ns))) for edge, lengths_ns in sorted(took.items())]),
                kind.cold_start,
                kind.error,
                kind.timed_out,
                kind.flaws,
                outlines[self.outline_of[index]] if with_calls else (),
            )

    def _calls(
        self, index: int, calls: Sequence[tuple[Edge, Calls]]
    ) -> tuple[dict[Edge, Calls], dict[Edge, list[int]]]:
        """Return the call counts and the call durations of a request, by edge."""
        counted: dict[Edge, Calls] = {}
        took: dict[Edge, list[int]] = {}
        inside = slice(self.calls_end[index], self.calls_end[index + 1])
        for number, ns in zip(self.call_of[inside], self.call_ns[inside], strict=True):
            edge, counts = calls[number]
            counted[edge] = counted[edge] + counts if edge in counted else counts
            took.setdefault(edge, [])
            if ns != NO_CALL:
                took[edge].append(ns)
        return counted, took

    def take(self, indices: Sequence[int]) -> Breakdowns:
        """Return the breakdowns at these indices, in the order of the indices, with the same tables of values."""
        chosen = copy(self)
        chosen._rearrange(indices)
        return chosen

    def in_order(self) -> Breakdowns:
        """All breakdowns, sorted by start and trace id: the result does not depend on the order of reading."""
        order = self.order()
        return self if all(map(eq, order, count())) else self.take(order)

    def rename(self, edge: Callable[[Edge], Edge]) -> None:
        """Replace each edge by `edge(original)`. The function must map different edges to different edges."""
        self.edges = Numbers({edge(original): number for original, number in self.edges.items()})
        self.calls = Numbers({(edge(original), calls): number for (original, calls), number in self.calls.items()})

    def merge(self, edge: Callable[[Edge], Edge]) -> None:
        """Replace each edge by `edge(original)`, and add up the times of a request whose edges become one."""
        edges, calls = Numbers[Edge](), Numbers[tuple[Edge, Calls]]()
        numbers = [edges[edge(original)] for original in self.edges]
        call_numbers = [calls[edge(original), counts] for original, counts in self.calls]
        edge_of, edge_ns, edges_end = array("I"), array("q"), array("I", [0])
        for entries in self.times_of_each():
            sums = Counter[int]()
            for number, ns in entries:
                sums[numbers[number]] += ns
            edge_of.fromlist([*sums])
            edge_ns.fromlist([*sums.values()])
            edges_end.append(len(edge_of))
        self.edges, self.edge_of, self.edge_ns, self.edges_end = edges, edge_of, edge_ns, edges_end
        self.calls, self.call_of = calls, array("I", map(call_numbers.__getitem__, self.call_of))

    def named(self, text: Callable[[str], str], component: Callable[[Component], Component]) -> Breakdowns:
        """Return the requests with other names: `text` is for routes, functions, callers, operations.

        `component` is for components. Both must map different names to different names. The columns are shared.
        """

        def edge(original: Edge) -> Edge:
            return Edge(text(original.caller), component(original.component))

        @cache
        def operation(original: Operation) -> Operation:
            return Operation(text(original.service), text(original.name), tuple(map(text, original.callees)))

        renamed = copy(self)
        renamed.rename(edge)
        renamed.kinds = Numbers(
            {
                kind._replace(route=text(kind.route), function=text(kind.function)): number
                for kind, number in self.kinds.items()
            }
        )
        renamed.outlines = Numbers(
            {tuple(map(operation, outline)): number for outline, number in self.outlines.items()}
        )
        return renamed

    def _rearrange(self, indices: Sequence[int]) -> None:
        """Keep the requests at these indices only, in the order of the indices."""
        self._order = array("I")
        self.trace_ids = pieces(self.trace_ids, BYTES, indices)
        for name in ("kind_of", "starts_ns", "walls_ns", "outline_of"):
            setattr(self, name, taken(getattr(self, name), indices))
        for ends, names in SEVERAL.items():
            for name in names:
                setattr(self, name, runs(getattr(self, name), getattr(self, ends), indices))
            counts = taken(lengths(getattr(self, ends)), indices)
            setattr(self, ends, array("I", accumulate(counts, initial=0)))

    def order(self) -> array[int]:
        """Return the indices of all requests, sorted by start and trace id."""
        if len(self._order) < len(self):
            self._order = array("I", self._sorted())
        return self._order

    def _sorted(self) -> list[int]:
        starts_ns = self.starts_ns
        order = sorted(range(len(self)), key=starts_ns.__getitem__)
        if any(starts_ns[index] == starts_ns[following] for index, following in pairwise(order)):
            # A slice of bytes takes half the memory of a slice of a bytearray
            ids = bytes(self.trace_ids)
            order.sort(key=lambda index: ids[index * BYTES : index * BYTES + BYTES])
            order.sort(key=starts_ns.__getitem__)
        return order

    def extend(self, breakdowns: Breakdowns) -> None:
        """Append all of the given breakdowns."""
        self.receive(breakdowns.pieces())

    def pieces(self) -> Iterator[tuple[str, Any]]:
        """All breakdowns in pieces, each with the name of its table or column: a process sends them one by one."""
        for names in NAMED:
            yield names, list(getattr(self, names))
        for name in (*SINGLE, *(name for ends, names in SEVERAL.items() for name in (*names, ends))):
            column = getattr(self, name)
            for begin in range(int(name in SEVERAL), len(column), LENGTH):
                yield name, column[begin : begin + LENGTH]

    def receive(self, pieces: Iterable[tuple[str, Any]]) -> None:
        """Append the breakdowns of another instance, given its pieces."""
        numbers: dict[str, list[int]] = {}
        ends_before = {ends: getattr(self, ends)[-1] for ends in SEVERAL}
        for name, values in pieces:
            column = getattr(self, name)
            if name in NAMED:
                numbers[NAMED[name]] = [column[value] for value in values]
            elif name in numbers:
                column.extend(map(numbers[name].__getitem__, values))
            elif name in ends_before:
                column.extend(map(ends_before[name].__add__, values))
            else:
                column.extend(values)


def nearest(ordered: Sequence[int], number: int) -> int:
    """Return the value nearest to a number; `ordered` has at least one."""
    place = bisect_left(ordered, number)
    return min(ordered[max(place - 1, 0) : place + 1], key=lambda value: abs(value - number))


def taken(column: array[int], indices: Sequence[int]) -> array[int]:
    """Return the values at these indices."""
    selected = array(column.typecode)
    for begin in range(0, len(indices), AT_ONCE):
        selected.fromlist([column[index] for index in indices[begin : begin + AT_ONCE]])
    return selected


def pieces(column: bytearray, width: int, indices: Sequence[int]) -> bytearray:
    """As `taken`, for values of `width` bytes each."""
    # A slice of bytes takes half the memory of a slice of a bytearray
    joined, copied = bytearray(), bytes(column)
    for begin in range(0, len(indices), AT_ONCE):
        joined += b"".join(
            [copied[index * width : index * width + width] for index in indices[begin : begin + AT_ONCE]]
        )
    return joined


def runs(column: array[int], ends: Sequence[int], indices: Sequence[int]) -> array[int]:
    """All values of the requests at these indices."""
    selected = array(column.typecode)
    for index in indices:
        selected += column[ends[index] : ends[index + 1]]
    return selected


def lengths(ends: array[int]) -> array[int]:
    """Return the number of values of each request."""
    return array("I", map(sub, islice(ends, 1, None), ends))


def members(ends: array[int]) -> Iterator[int]:
    """Return the index of the request of each value."""
    return chain.from_iterable(map(repeat, count(), lengths(ends)))
