"""Outlines of requests: each operation (a service and the name of its span) with the set of what it calls."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.account import Operation
from lambda_latency.trace import without_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.judge.charge import Charge
    from lambda_latency.trace import Row, Tree

__all__ = ["Outlines"]

# Limits for systems whose span names are all different: what is new beyond them is left out of outlines.
MOST_NAMES = 4_000
MOST_OPERATIONS = 20_000
MOST_OUTLINES = 10_000
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
        self._numbers: defaultdict[Charge, dict[str, int]] = defaultdict(dict)  # by the span's own name
        self._named: dict[_Named, int] = {}
        self._names: list[_Named] = []
        self._operations: dict[tuple[int, frozenset[int | None]], int] = {}
        self._values: list[Operation] = []
        self._outlines: dict[tuple[int, ...], int] = {}

    def number(self, tree: Tree, charged: Mapping[str, Charge], parents: Sequence[Row]) -> int:
        """The number of a request's outline. `parents` are its rows with children."""
        rows, children, numbers = tree.rows, tree.children, self._numbers
        named: dict[str, int] = {}
        for span_id, charge in charged.items():  # the hot loop: a known name calls none of our functions
            known, row = numbers[charge], rows[span_id]
            name = row.name
            number = known.get(name)
            if number is None:  # the names of one operation's spans may all differ
                number = known.get(name.rstrip(DIGITS))
            named[span_id] = self._number(charge, row, known) if number is None else number
        get = named.get
        found = {
            (named[row.span_id], frozenset(map(get, map(ID_OF, children.get(row.span_id, ()))))) for row in parents
        }
        leaves = set(map(named.__getitem__, named.keys() - children.keys()))
        found |= {(number, NOTHING) for number in leaves if not self._names[number].is_call}
        operations = self._operations
        every = tuple(sorted([operations.get(one) or self._operation(*one) for one in found]))
        return self._outlines.get(every) or self._outline(every)

    def _number(self, charge: Charge, row: Row, known: dict[str, int]) -> int:
        head = row.name.rstrip(DIGITS)
        name = head if len(row.name) - len(head) >= LEAST_OF_ID else row.name
        service = charge.code.name if charge.code is not None else ""
        one = _Named(service, _name(charge, row, name)[:LONGEST], row.shape.is_call)
        number = self._named.get(one)
        if number is None:
            if len(self._named) >= MOST_NAMES:
                one = one._replace(name="")
            number = self._named.setdefault(one, len(self._names))
            if number == len(self._names):
                self._names.append(one)
        if len(known) < MOST_NAMES:
            known[name] = number
        return number

    def _operation(self, number: int, below: frozenset[int | None]) -> int:
        """The number of an operation, from 1; 0 beyond the limit."""
        if len(self._operations) >= MOST_OPERATIONS:
            return 0
        one = self._names[number]
        callees = tuple(sorted({self._label(one, self._names[each]) for each in below if each is not None}))
        self._values.append(Operation(one.service, one.name, callees))
        self._operations[number, below] = len(self._values)
        return len(self._values)

    def _outline(self, every: tuple[int, ...]) -> int:
        if len(self._outlines) >= MOST_OUTLINES:
            return self._known[()]
        outline = tuple(sorted({self._values[number - 1] for number in every if number}))
        self._outlines[every] = number = self._known[outline]
        return number

    def _label(self, caller: _Named, callee: _Named) -> str:
        return callee.name if callee.service in ("", caller.service) else f"{callee.service} {callee.name}"


NOTHING: frozenset[int | None] = frozenset()
ID_OF = attrgetter("span_id")
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
