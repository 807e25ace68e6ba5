"""Outlines of requests: each operation (a service and the name of its span) with the set of what it calls."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.account import Operation
from lambda_latency.trace import without_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.judge.charge import Charge
    from lambda_latency.trace import Row, Tree

# Limits for systems whose span names are all different: what is new beyond them is left out of outlines.
MOST_NAMES = 4_000
MOST_OPERATIONS = 20_000
MOST_OUTLINES = 10_000
MOST_OF_WALK = 32  # names of one walk that is remembered
LONGEST = 120  # characters of a name
LEAST_OF_ID, DIGITS = 12, "0123456789abcdef-"  # of an id that a name ends with


class _Named(NamedTuple):
    service: str
    name: str
    is_call: bool


class Outlines:
    """Finds the outline of each request; equal outlines are one in `accounts`."""

    def __init__(self, accounts: Accounts) -> None:
        self._known = accounts.outlines
        # Names and operations have numbers from 1.
        self._numbers: defaultdict[Charge, dict[str, int]] = defaultdict(dict)  # by the span's own name
        self._named: dict[_Named, int] = {}
        self._names: list[_Named] = []
        self._calls: set[int] = set()  # the names of calls
        self._operations: dict[tuple[int, int | frozenset[int]], int] = {}
        self._walked: dict[tuple[int, ...], int] = {}  # operations by a name and those of its children, in order
        self._values: list[Operation] = []
        self._numbered: dict[Operation, int] = {}
        self._outlines: dict[tuple[int, ...], int] = {}

    def number(self, tree: Tree, charged: Mapping[str, Charge], parents: Sequence[Row]) -> int:
        """The number of a request's outline. `parents` are its rows with children, each after the one above it."""
        children, known = tree.children, self._numbers
        tops = [row for row in (tree.outermost, tree.before) if row is not None]
        named = {row.span_id: self._number(charged[row.span_id], row) for row in tops}
        walked = self._walked
        found: set[int] = set()
        leaves: set[int] = set()
        for row in parents:
            numbers = [named[row.span_id]]
            for child in children.get(row.span_id, ()):  # the hot loop: a known name calls none of our functions
                at = child.span_id
                charge = charged[at]
                number = known[charge].get(child.name)
                if number is None:
                    number = self._number(charge, child)
                numbers.append(number)
                if at in children:
                    named[at] = number
                else:
                    leaves.add(number)
            walk = tuple(numbers)
            found.add(walked.get(walk) or self._walk(walk))
        for number in leaves - self._calls:
            found.add(walked.get((number,)) or self._walk((number,)))
        every = tuple(sorted(found))
        outline = self._outlines.get(every)
        return self._outline(every) if outline is None else outline

    def _number(self, charge: Charge, row: Row) -> int:
        """The number of a name that is not known as it is: the names of one operation's spans may all differ."""
        known, name = self._numbers[charge], row.name
        head = name.rstrip(DIGITS)
        if len(name) - len(head) >= LEAST_OF_ID:
            name = head
        number = known.get(name)
        if number is not None:
            return number
        service = charge.code.name if charge.code is not None else ""
        one = _Named(service, _name(charge, row, name)[:LONGEST], row.shape.is_call)
        if one not in self._named and len(self._named) >= MOST_NAMES:
            one = one._replace(name="")
        number = self._named.get(one)
        if number is None:
            self._names.append(one)
            number = self._named[one] = len(self._names)
            if one.is_call:
                self._calls.add(number)
        if len(known) < MOST_NAMES:
            known[name] = number
        return number

    def _walk(self, walk: tuple[int, ...]) -> int:
        """The number of the operation of a name and, in any order, those of its children; 0 beyond the limit."""
        number, *below = walk
        one = number, below[0] if len(below) == 1 else frozenset(below)
        found = self._operations.get(one) or self._operation(*one)
        if len(walk) <= MOST_OF_WALK and len(self._walked) < MOST_OPERATIONS:
            self._walked[walk] = found
        return found

    def _operation(self, number: int, below: int | frozenset[int]) -> int:
        """The number of an operation; 0 beyond the limit."""
        if len(self._operations) >= MOST_OPERATIONS:
            return 0
        service, name, _ = self._names[number - 1]
        callees = [self._names[each - 1] for each in ((below,) if isinstance(below, int) else below)]
        labels = {its if whose in ("", service) else f"{whose} {its}" for whose, its, _ in callees}
        value = Operation(service, name, tuple(sorted(labels)))
        found = self._numbered.get(value)
        if found is None:
            self._values.append(value)
            found = self._numbered[value] = len(self._values)
        self._operations[number, below] = found
        return found

    def _outline(self, every: tuple[int, ...]) -> int:
        if len(self._outlines) >= MOST_OUTLINES:
            return self._known[()]
        outline = tuple(sorted([self._values[number - 1] for number in every if number]))
        self._outlines[every] = number = self._known[outline]
        return number


NAMED = ("aws", "database", "messaging", "queue", "retries")  # buckets whose names say what is called


def _name(charge: Charge, row: Row, own: str) -> str:
    """The name of a span; of a call that of its callee, because many clients call all of their spans `GET`.

    `own` is the span's own name.
    """
    name, part = without_ids(own), charge.part
    if not row.shape.is_call or not part.name:
        return name
    if part.bucket in NAMED:
        return part.name
    if part.bucket in ("network", "external") and part.name not in name:
        return f"{part.name} {name}"
    return name
