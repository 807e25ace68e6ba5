"""Accounts of many requests in columns: 80,000 requests take 20 MB, as tuples they take 200 MB."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import compress, count, pairwise
from operator import eq
from typing import TYPE_CHECKING, Any, TypeVar, overload

from lambda_latency.latency.accounts.account import Account, Kind, Operation
from lambda_latency.latency.accounts.calls import Calls
from lambda_latency.latency.accounts.part import Cell
from lambda_latency.latency.accounts.reordering import lengths, members, pieces, runs, summed, taken

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.part import Part

NO_CALL = -1  # duration of an entry that adds counts to a part, but is no call itself
BYTES = 16  # per trace id
AT_ONCE = 10_000  # requests whose entries are copied
LENGTH = 50_000  # values of a column in a piece
NAMED = {  # tables of values, and the columns that hold the numbers of the values
    "kinds": "kind_of",
    "cells": "cell_of",
    "calls": "call_of",
    "outlines": "outline_of",
}
SINGLE = ("trace_ids", "kind_of", "starts_ns", "walls_ns", "outline_of")  # the columns with one entry per request
SEVERAL = {  # those with several
    "cells_end": ("cell_of", "cell_ns"),
    "calls_end": ("call_of", "took_ns"),
}

Name = TypeVar("Name")


class Names(dict[Name, int]):
    """The numbers of values, in the order of their first look-up: looking up a new value adds it."""

    def __missing__(self, name: Name) -> int:
        self[name] = number = len(self)
        return number


class Accounts(Sequence[Account]):
    """A sequence of accounts in columns; an `Account` is created when it is accessed.

    `kind_of`, `starts_ns` and `walls_ns` hold one value per request; `kind_of` refers to `kinds`. The cells of request
    `at` are the entries from `cells_end[at]` up to, not including, `cells_end[at + 1]` of `cell_of` (the number of the
    cell in `cells`) and of `cell_ns` (its nanoseconds).

    Its calls are the entries from `calls_end[at]` up to, not including, `calls_end[at + 1]` of `call_of` (the number of
    a cell and its counts in `calls`) and of `took_ns` (the duration in nanoseconds; negative: the entry adds counts to
    its cell, but is no call itself). The entries of a request have no defined order.
    """

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self.cells: Names[Cell] = Names()
        self.kinds: Names[Kind] = Names()
        self.calls: Names[tuple[Cell, Calls]] = Names()
        self.outlines: Names[tuple[Operation, ...]] = Names()
        self.trace_ids = bytearray()
        self.kind_of, self.starts_ns, self.walls_ns = array("I"), array("q"), array("q")
        self.cell_of, self.cell_ns, self.cells_end = array("I"), array("q"), array("I", [0])
        self.call_of, self.took_ns, self.calls_end = array("I"), array("q"), array("I", [0])
        self.outline_of = array("I")
        self._order = array("I")  # of all requests, or of fewer: then it is out of date
        for one in accounts:
            self.append(one)

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> Accounts:
        """Return the accounts as `Accounts`; an instance of `Accounts` is returned unchanged."""
        return accounts if isinstance(accounts, Accounts) else cls(accounts)

    def append(self, one: Account) -> None:
        """Add a request."""
        cells, calls = self.cells, self.calls
        counted: list[tuple[Cell, Calls]] = []
        lengths_ns: list[int] = []
        for (cell, how), (_, took) in zip(one.cell_calls, one.took, strict=True):
            several = took or (NO_CALL,)
            counted += [(cell, how), *[(cell, Calls())] * (len(several) - 1)]  # the first entry has the counts of all
            lengths_ns += several
        self.add(
            one.trace_id,
            self.kinds[
                Kind(one.route, one.function, one.status_code, one.cold_start, one.error, one.timed_out, one.flaws)
            ],
            one.start_ns,
            one.wall_ns,
            {cells[cell]: ns for cell, ns in one.cells},
            [calls[each] for each in counted],
            lengths_ns,
            self.outlines[one.outline],
        )

    def add(
        self,
        trace_id: str,
        kind: int,
        start_ns: int,
        wall_ns: int,
        cells: Mapping[int, int],
        calls: list[int],
        took_ns: list[int],
        outline: int | None = None,
    ) -> None:
        """Add a request by numbers. `trace_id` is hex; `cells` maps numbers of cells to nanoseconds.

        `calls` are numbers in `self.calls`; `took_ns` has the duration of each, or `NO_CALL`. `outline` is a number in
        `self.outlines`.
        """
        self.trace_ids += bytes.fromhex(trace_id)
        self.kind_of.append(kind)
        self.starts_ns.append(start_ns)
        self.walls_ns.append(wall_ns)
        self.cell_of.fromlist([*cells])
        self.cell_ns.fromlist([*cells.values()])
        self.cells_end.append(len(self.cell_of))
        self.call_of.fromlist(calls)
        self.took_ns.fromlist(took_ns)
        self.calls_end.append(len(self.call_of))
        self.outline_of.append(self.outlines[()] if outline is None else outline)

    def __len__(self) -> int:
        return len(self.walls_ns)

    @overload
    def __getitem__(self, at: int) -> Account: ...

    @overload
    def __getitem__(self, at: slice) -> Accounts: ...

    def __getitem__(self, at: int | slice) -> Account | Accounts:
        if isinstance(at, slice):
            return self.take(range(len(self))[at])
        at = range(len(self))[at]
        return next(self.made([at]))

    def __iter__(self) -> Iterator[Account]:
        return self.made(range(len(self)))

    @property
    def parts(self) -> dict[Part, list[int]]:
        """The parts of the cells, and the numbers of the cells of each."""
        found: dict[Part, list[int]] = {}
        for cell, number in self.cells.items():
            found.setdefault(cell.part, []).append(number)
        return found

    def cells_of_each(self) -> Iterator[tuple[int, int]]:
        """For each request: the index of its first entry in `cell_of`, and the index after its last."""
        return pairwise(self.cells_end)

    def calls_of_each(self) -> Iterator[tuple[int, int]]:
        """For each request: the index of its first entry in `call_of`, and the index after its last."""
        return pairwise(self.calls_end)

    def entries_of_cells(self, numbers: Container[int]) -> Iterator[tuple[int, int]]:
        """The index of the request and the nanoseconds of each entry of these cells, given their numbers."""
        entries = zip(members(self.cells_end), self.cell_ns, strict=True)
        return compress(entries, map(numbers.__contains__, self.cell_of))

    def entries_of_calls(self, numbers: Container[int]) -> Iterator[tuple[int, int]]:
        """The index of the request and the number in `calls` of each entry that has one of these numbers."""
        entries = zip(members(self.calls_end), self.call_of, strict=True)
        return compress(entries, map(numbers.__contains__, self.call_of))

    def trace_id(self, at: int) -> str:
        """The trace id of a request, 32 hex digits."""
        return self.trace_ids[at * BYTES : at * BYTES + BYTES].hex()

    def ended(self) -> Sequence[int]:
        """The indices of the requests that did not time out."""
        late = self._late()
        if not late:
            return range(len(self))
        return array("I", [at for at, kind in enumerate(self.kind_of) if kind not in late])

    def timed_out(self) -> list[int]:
        """The indices of the requests that timed out."""
        late = self._late()
        return [at for at, kind in enumerate(self.kind_of) if kind in late] if late else []

    def _late(self) -> set[int]:
        return {number for kind, number in self.kinds.items() if kind.timed_out}

    def slowest(self, count: int) -> list[int]:
        """The indices of the `count` slowest requests, the slowest first; ties are sorted by trace id."""
        walls = self.walls_ns
        least = min(heapq.nlargest(count, walls), default=0)
        found = [at for at, wall in enumerate(walls) if wall >= least]
        return sorted(found, key=lambda at: (-walls[at], self.trace_id(at)))[:count]

    def sums_ns(self, indices: Sequence[int]) -> dict[Part, int]:
        """The total time of these requests by part, in nanoseconds."""
        sums = [0] * len(self.cells)
        seen: set[int] = set()
        for begin in range(0, len(indices), AT_ONCE):
            some = indices[begin : begin + AT_ONCE]
            cells, times = (runs(column, self.cells_end, some) for column in (self.cell_of, self.cell_ns))
            for cell, ns in zip(cells, times, strict=True):
                sums[cell] += ns
            seen.update(cells)
        return {
            part: sum([sums[number] for number in numbers])
            for part, numbers in self.parts.items()
            if not seen.isdisjoint(numbers)
        }

    def made(self, indices: Iterable[int], *, with_calls: bool = True) -> Iterator[Account]:
        """Create the accounts at these indices; without calls they take a fifth of the memory."""
        kinds, cells, every = list(self.kinds), list(self.cells), list(self.calls)
        outlines = list(self.outlines)
        for at in indices:
            inside = slice(self.cells_end[at], self.cells_end[at + 1])
            of_cells = [(-ns, cells[cell]) for cell, ns in zip(self.cell_of[inside], self.cell_ns[inside], strict=True)]
            counted, took = self._calls(at, every) if with_calls else ({}, {})
            kind = kinds[self.kind_of[at]]
            yield Account(
                self.trace_id(at),
                kind.route,
                kind.function,
                kind.status_code,
                self.starts_ns[at],
                self.walls_ns[at],
                tuple([(cell, -ns) for ns, cell in sorted(of_cells)]),
                tuple(sorted(counted.items())),
                tuple([(cell, tuple(sorted(lengths_ns))) for cell, lengths_ns in sorted(took.items())]),
                kind.cold_start,
                kind.error,
                kind.timed_out,
                kind.flaws,
                outlines[self.outline_of[at]] if with_calls else (),
            )

    def _calls(self, at: int, every: Sequence[tuple[Cell, Calls]]) -> tuple[dict[Cell, Calls], dict[Cell, list[int]]]:
        """The call counts and the call durations of a request, by cell."""
        counted: dict[Cell, Calls] = {}
        took: dict[Cell, list[int]] = {}
        inside = slice(self.calls_end[at], self.calls_end[at + 1])
        for number, ns in zip(self.call_of[inside], self.took_ns[inside], strict=True):
            cell, calls = every[number]
            known = counted.get(cell)
            counted[cell] = calls if known is None else known + calls
            if known is None:
                took[cell] = []
            if ns != NO_CALL:
                took[cell].append(ns)
        return counted, took

    def take(self, indices: Sequence[int]) -> Accounts:
        """The accounts at these indices, in the order of the indices, with the same tables of values."""
        found = Accounts()
        found.__dict__.update(self.__dict__)
        found._rearrange(indices)
        return found

    def in_order(self) -> Accounts:
        """All accounts, sorted by start and trace id: the result does not depend on the order of reading."""
        order = self.order()
        return self if all(map(eq, order, count())) else self.take(order)

    def rename(self, renamed: Callable[[Part], Part]) -> None:
        """Replace each part by `renamed(part)`. The function must map different parts to different parts."""

        def moved(cell: Cell) -> Cell:
            return Cell(cell.caller, renamed(cell.part))

        self.cells = Names({moved(cell): number for cell, number in self.cells.items()})
        self.calls = Names({(moved(cell), calls): number for (cell, calls), number in self.calls.items()})

    def named(self, text: Callable[[str], str], part: Callable[[Part], Part]) -> Accounts:
        """The same requests with other names: of routes, functions, callers, operations by `text`, of parts by `part`.

        Both must map different names to different names. The columns are shared, not copied.
        """

        def cell(one: Cell) -> Cell:
            return Cell(text(one.caller), part(one.part))

        found = Accounts()
        found.__dict__.update(self.__dict__)
        found.cells = Names({cell(one): number for one, number in self.cells.items()})
        found.calls = Names({(cell(one), calls): number for (one, calls), number in self.calls.items()})
        found.kinds = Names(
            {
                kind._replace(route=text(kind.route), function=text(kind.function)): number
                for kind, number in self.kinds.items()
            }
        )
        operations = {one for outline in self.outlines for one in outline}
        named = {one: Operation(text(one.service), text(one.name), tuple(map(text, one.callees))) for one in operations}
        found.outlines = Names(
            {tuple(named[one] for one in outline): number for outline, number in self.outlines.items()}
        )
        return found

    def _rearrange(self, indices: Sequence[int]) -> None:
        """Keep the requests at these indices only, in the order of the indices."""
        self._order = array("I")
        self.trace_ids = pieces(self.trace_ids, BYTES, indices)
        for name in ("kind_of", "starts_ns", "walls_ns", "outline_of"):
            setattr(self, name, taken(getattr(self, name), indices))
        for ends, names in SEVERAL.items():
            for name in names:
                setattr(self, name, runs(getattr(self, name), getattr(self, ends), indices))
            setattr(self, ends, summed(taken(lengths(getattr(self, ends)), indices)))

    def order(self) -> array[int]:
        """The indices of all requests, sorted by start and trace id."""
        if len(self._order) < len(self):
            self._order = array("I", self._sorted())
        return self._order

    def _sorted(self) -> list[int]:
        starts_ns = self.starts_ns
        order = sorted(range(len(self)), key=starts_ns.__getitem__)
        if any(starts_ns[one] == starts_ns[other] for one, other in pairwise(order)):
            ids = bytes(self.trace_ids)  # a slice of bytes takes half the memory of a slice of a bytearray
            order.sort(key=lambda at: ids[at * BYTES : at * BYTES + BYTES])
            order.sort(key=starts_ns.__getitem__)
        return order

    def extend(self, other: Accounts) -> None:
        """Append all accounts of `other`."""
        self.receive(other.pieces())

    def pieces(self) -> Iterator[tuple[str, Any]]:
        """All accounts in pieces, each with the name of its table or column: a process sends them one by one."""
        for names in NAMED:
            yield names, list(getattr(self, names))
        for name in (*SINGLE, *(name for ends, names in SEVERAL.items() for name in (*names, ends))):
            column = getattr(self, name)
            for begin in range(int(name in SEVERAL), len(column), LENGTH):
                yield name, column[begin : begin + LENGTH]

    def receive(self, pieces: Iterable[tuple[str, Any]]) -> None:
        """Append the accounts of another instance, given its pieces."""
        numbers: dict[str, list[int]] = {}
        before = {ends: getattr(self, ends)[-1] for ends in SEVERAL}
        for name, values in pieces:
            ours = getattr(self, name)
            if name in NAMED:
                numbers[NAMED[name]] = [ours[value] for value in values]
            elif name in numbers:
                ours.extend(map(numbers[name].__getitem__, values))
            elif name in before:
                ours.extend(map(before[name].__add__, values))
            else:
                ours.extend(values)
