"""Many accounts in columns: 80,000 requests take 20 MB, where as many tuples take 200."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar, overload

from otel.latency.account import Account
from otel.latency.columns import ends_of, inside, pieces, taken

if TYPE_CHECKING:
    from otel.latency.calls import Calls
    from otel.latency.part import Part

__all__ = ["COLD", "ERROR", "TIMED_OUT", "Accounts"]

COLD, ERROR, TIMED_OUT = 1, 2, 4
BYTES = 16  # of a trace id

Name = TypeVar("Name")


class Names(dict[Name, int]):
    """Values by number, in the order in which they came."""

    def __missing__(self, name: Name) -> int:
        self[name] = number = len(self)
        return number


class Accounts(Sequence[Account]):
    """Accounts, each made when it is asked for. `walls_ns`, `starts_ns` and the like have one value for each.

    The parts of request `at` are those from `parts_end[at - 1]` up to `parts_end[at]`: the number of the part in
    `parts`, and its nanoseconds. Calls in the same way, and for each of these the lengths of its calls.
    """

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self.parts: Names[Part] = Names()
        self.routes: Names[str] = Names()
        self.functions: Names[str] = Names()
        self.statuses: Names[int | None] = Names()
        self.kinds: Names[Calls] = Names()
        self.trace_ids = bytearray()
        self.route_of, self.function_of, self.status_of = array("I"), array("I"), array("I")
        self.starts_ns, self.walls_ns, self.flags = array("q"), array("q"), array("B")
        self.part_of, self.part_ns, self.parts_end = array("I"), array("q"), array("I", [0])
        self.called, self.call_kind, self.calls_end = array("I"), array("I"), array("I", [0])
        self.took_ns, self.took_end = array("q"), array("I", [0])
        for one in accounts:
            self.append(one)

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> Accounts:
        """These accounts in columns, if they are not yet."""
        return accounts if isinstance(accounts, Accounts) else cls(accounts)

    def append(self, one: Account) -> None:
        """Add a request."""
        parts, kinds = self.parts, self.kinds
        self.add(
            one.trace_id,
            (self.routes[one.route], self.functions[one.function], self.statuses[one.status_code]),
            one.start_ns,
            one.wall_ns,
            COLD * one.cold_start | ERROR * one.error | TIMED_OUT * one.timed_out,
            [(parts[part], ns) for part, ns in one.parts],
            [(parts[part], kinds[calls], took) for (part, calls), (_, took) in zip(one.calls, one.took, strict=True)],
        )

    def add(
        self,
        trace_id: str,
        told: tuple[int, int, int],
        start_ns: int,
        wall_ns: int,
        flags: int,
        parts: Iterable[tuple[int, int]],
        calls: Iterable[tuple[int, int, Sequence[int]]],
    ) -> None:
        """Add a request in numbers: `told` are route, function and status code, of calls each has a part and a kind.

        Parts and calls are in the order that an `Account` has them in.
        """
        self.trace_ids += bytes.fromhex(trace_id)
        route, function, status = told
        self.route_of.append(route)
        self.function_of.append(function)
        self.status_of.append(status)
        self.starts_ns.append(start_ns)
        self.walls_ns.append(wall_ns)
        self.flags.append(flags)
        part_of, part_ns = self.part_of, self.part_ns
        for part, ns in parts:
            part_of.append(part)
            part_ns.append(ns)
        self.parts_end.append(len(part_of))
        called, call_kind, took_ns, took_end = self.called, self.call_kind, self.took_ns, self.took_end
        for part, kind, took in calls:
            called.append(part)
            call_kind.append(kind)
            took_ns.extend(took)
            took_end.append(len(took_ns))
        self.calls_end.append(len(called))

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

    def trace_id(self, at: int) -> str:
        """That of one request."""
        return self.trace_ids[at * BYTES : at * BYTES + BYTES].hex()

    def ended(self) -> list[int]:
        """The places of the requests that did not time out."""
        return [at for at, flags in enumerate(self.flags) if not flags & TIMED_OUT]

    def timed_out(self) -> list[int]:
        """The places of those that did."""
        return [at for at, flags in enumerate(self.flags) if flags & TIMED_OUT]

    def slowest(self, count: int) -> list[int]:
        """The places of the requests that took longest, of the same length the smaller trace id first."""
        walls = self.walls_ns
        return heapq.nsmallest(count, range(len(self)), key=lambda at: (-walls[at], self.trace_id(at)))

    def sums_ns(self, places: Iterable[int]) -> dict[Part, int]:
        """The time of these requests together, by part."""
        sums = [0] * len(self.parts)
        part_of, part_ns, ends = self.part_of, self.part_ns, self.parts_end
        seen: set[int] = set()
        for at in places:
            for one in range(ends[at], ends[at + 1]):
                sums[part_of[one]] += part_ns[one]
            seen.update(part_of[ends[at] : ends[at + 1]])
        return {part: sums[number] for part, number in self.parts.items() if number in seen}

    def made(self, places: Iterable[int], *, with_calls: bool = True) -> Iterator[Account]:
        """The accounts at these places; without their calls they take a fifth of the room."""
        parts, kinds = list(self.parts), list(self.kinds)
        routes, functions, statuses = list(self.routes), list(self.functions), list(self.statuses)
        for at in places:
            inside = range(self.parts_end[at], self.parts_end[at + 1])
            calls = range(self.calls_end[at], self.calls_end[at + 1] if with_calls else self.calls_end[at])
            flags = self.flags[at]
            yield Account(
                self.trace_id(at),
                routes[self.route_of[at]],
                functions[self.function_of[at]],
                statuses[self.status_of[at]],
                self.starts_ns[at],
                self.walls_ns[at],
                tuple([(parts[self.part_of[one]], self.part_ns[one]) for one in inside]),
                tuple([(parts[self.called[one]], kinds[self.call_kind[one]]) for one in calls]),
                tuple(
                    [
                        (parts[self.called[one]], tuple(self.took_ns[self.took_end[one] : self.took_end[one + 1]]))
                        for one in calls
                    ]
                ),
                bool(flags & COLD),
                bool(flags & ERROR),
                bool(flags & TIMED_OUT),
            )

    def take(self, places: Iterable[int]) -> Accounts:
        """Those at these places, in their order."""
        found = Accounts()
        for name in ("parts", "routes", "functions", "statuses", "kinds"):
            setattr(found, name, getattr(self, name))
        for at in places:
            found._copy(self, at)
        return found

    def in_order(self) -> Accounts:
        """All of them by the start of the request, then by trace id: what came first to the reader changes nothing."""
        order = self._order()
        return self if order == list(range(len(self))) else self.take(order)

    def sort(self) -> None:
        """Bring them into that order in place: a column at a time, for there may be no room for all of them twice."""
        order = self._order()
        self.trace_ids = pieces(self.trace_ids, BYTES, order)
        for name in ("route_of", "function_of", "status_of", "starts_ns", "walls_ns", "flags"):
            setattr(self, name, taken(getattr(self, name), order))
        self.part_of = inside(self.parts_end, order, self.part_of)
        self.part_ns = inside(self.parts_end, order, self.part_ns)
        self.parts_end = ends_of(self.parts_end, order)
        calls = inside(self.calls_end, order)
        self.took_ns = inside(self.took_end, calls, self.took_ns)
        self.took_end = ends_of(self.took_end, calls)
        self.called = taken(self.called, calls)
        self.call_kind = taken(self.call_kind, calls)
        self.calls_end = ends_of(self.calls_end, order)

    def _order(self) -> list[int]:
        starts_ns = self.starts_ns
        order = sorted(range(len(self)), key=starts_ns.__getitem__)
        if any(starts_ns[one] == starts_ns[after] for one, after in pairwise(order)):
            ids = bytes(self.trace_ids)  # whose parts take half as much as a bytearray's
            order.sort(key=lambda at: ids[at * BYTES : at * BYTES + BYTES])
            order.sort(key=starts_ns.__getitem__)
        return order

    def extend(self, other: Accounts) -> None:
        """Add accounts that were made elsewhere."""
        routes = [self.routes[route] for route in other.routes]
        functions = [self.functions[function] for function in other.functions]
        parts = [self.parts[part] for part in other.parts]
        kinds = [self.kinds[kind] for kind in other.kinds]
        self.trace_ids += other.trace_ids
        self.route_of.extend(routes[one] for one in other.route_of)
        self.function_of.extend(functions[one] for one in other.function_of)
        statuses = [self.statuses[status] for status in other.statuses]
        self.status_of.extend(statuses[one] for one in other.status_of)
        for name in ("starts_ns", "walls_ns", "flags"):
            getattr(self, name).extend(getattr(other, name))
        for ends, base in (("parts_end", len(self.part_of)), ("calls_end", len(self.called))):
            getattr(self, ends).extend(base + end for end in getattr(other, ends)[1:])
        base = len(self.took_ns)
        self.took_end.extend(base + end for end in other.took_end[1:])
        self.part_of.extend(parts[one] for one in other.part_of)
        self.part_ns.extend(other.part_ns)
        self.called.extend(parts[one] for one in other.called)
        self.call_kind.extend(kinds[one] for one in other.call_kind)
        self.took_ns.extend(other.took_ns)

    def _copy(self, other: Accounts, at: int) -> None:
        """One request of accounts that number their names as these do."""
        self.trace_ids += other.trace_ids[at * BYTES : at * BYTES + BYTES]
        self.route_of.append(other.route_of[at])
        self.function_of.append(other.function_of[at])
        self.status_of.append(other.status_of[at])
        self.starts_ns.append(other.starts_ns[at])
        self.walls_ns.append(other.walls_ns[at])
        self.flags.append(other.flags[at])
        first, last = other.parts_end[at], other.parts_end[at + 1]
        self.part_of.extend(other.part_of[first:last])
        self.part_ns.extend(other.part_ns[first:last])
        self.parts_end.append(len(self.part_of))
        first, last = other.calls_end[at], other.calls_end[at + 1]
        shift = len(self.took_ns) - other.took_end[first]
        self.called.extend(other.called[first:last])
        self.call_kind.extend(other.call_kind[first:last])
        self.took_ns.extend(other.took_ns[other.took_end[first] : other.took_end[last]])
        self.took_end.extend(end + shift for end in other.took_end[first + 1 : last + 1])
        self.calls_end.append(len(self.called))
