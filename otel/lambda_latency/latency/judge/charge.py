"""Charges: the part that each span's self time goes to, and the calls of a request."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lambda_latency.latency.accounts.calls import Calls, calls_of, retries_of
from lambda_latency.latency.accounts.owners import NOBODY, Owners
from lambda_latency.latency.accounts.part import Cell, Part, resource_of
from lambda_latency.latency.judge.buckets import Position, part_of
from lambda_latency.latency.judge.services import Code, code_of
from lambda_latency.trace import ATTEMPTS, CONTAINER, GATEWAY, SERVES

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from lambda_latency.trace import Row, Shape, Tree

CALLS = ("aws", "external", "database", "messaging", "queue", "retries")
Value: TypeAlias = "tuple[Part, Calls | None, bool, Code | None, str]"
ANSWERED = ("external", "unknown")  # buckets of calls whose callee may be a service with spans
OUTSIDE = ("api gateway", "lambda", "laptop")
MOST = 200_000  # charges in the cache, by shape


@dataclass(frozen=True, slots=True, eq=False)
class Charge:
    """What a span's self time is charged to, the call that the span is (if any), and the service whose code it runs.

    `foreign`: another party recorded the span, inside a call to that party. `caller` is the service that waits: that of
    the code, or outside of foreign spans the one that called them. `Charges` creates one object per value: charges are
    compared and hashed by identity.
    """

    part: Part
    call: Calls | None
    foreign: bool
    code: Code | None
    caller: str

    @property
    def cell(self) -> Cell:
        """The part and the service that waits for it."""
        return Cell(self.caller, self.part)


class Charges:
    """Finds the charges of rows. The charge of a row depends on its shape, and on the row that waits for it."""

    def __init__(self, owners: Owners = NOBODY) -> None:
        self._owners = owners
        self._known: dict[tuple[object, ...], Charge] = {}
        # By charge and shape of a row: the charges of its children, by shape.
        self._below: defaultdict[tuple[Charge | None, Shape | None], dict[Hashable, Charge]] = defaultdict(dict)
        self._count = 0

    def of(self, tree: Tree, parents: Sequence[Row]) -> dict[str, Charge]:
        """The charges of a request by span id. `parents` are its rows with children; parents come before children."""
        if self._count > MOST:
            self._below.clear()
            self._count = 0
        charged: dict[str, Charge] = {}
        below, children, moved = self._below, tree.children, tree.moved
        for top in (tree.outermost, tree.before):
            if top is not None:
                charged[top.span_id] = self._charge(tree, top, None, None, below[None, None])
        for row in parents:
            outer = charged[row.span_id]
            known = below[outer, row.shape]
            for child in children.get(row.span_id, ()):
                charge = known.get(child.shape)
                if charge is None or (moved and child.parent_id != row.span_id):
                    charge = self._charge(tree, child, row, outer, known)
                charged[child.span_id] = charge
        if tree.roles & SERVES:
            self._answer(tree, charged)
        return charged

    def _answer(self, tree: Tree, charged: dict[str, Charge]) -> None:
        """Charge the rest of a call to the network if its callee recorded spans in the trace."""
        for row in tree.marked:
            charge = charged.get(row.span_id) if row.shape.roles & SERVES else None
            if charge is not None and charge.code is not None:
                at = tree.rows.get(tree.moved.get(row.span_id, row.parent_id))
                while at is not None and self._put(tree, charged, at, charge, charge.code):
                    at = tree.parent(at)

    def _put(self, tree: Tree, charged: dict[str, Charge], at: Row, answer: Charge, code: Code) -> bool:
        """Charge the caller's side of a call that `code` answers; return whether the span above may belong to it."""
        call = charged.get(at.span_id)
        if call is None or call.part.bucket not in ANSWERED or call.code is None:
            return False
        if call.code.name == code.name and not at.shape.is_call:  # a service may call itself
            return False
        part = answer.part if answer.foreign else self._owners.of(Part("network", code.name))
        counted = calls_of(at.shape) if at.shape.is_call and call.part.bucket == "unknown" else None
        charged[at.span_id] = self._one_of((part, call.call or counted, call.foreign, call.code, call.caller))
        todo = [at]
        for row in todo:  # the caller's own work during the call, and further attempts
            for child in tree.children.get(row.span_id, ()):
                below = charged[child.span_id]
                again = child.shape.is_call and call.part.bucket != "unknown"
                if (
                    below.call is None
                    and below.part == call.part
                    and below.code == call.code
                    and (again or not child.shape.is_call)
                ):
                    beside = part if again else Part("own code", call.code.name)
                    charged[child.span_id] = self._one_of((beside, None, below.foreign, below.code, below.caller))
                    todo.append(child)
        return call.call is None

    def _one_of(self, value: Value) -> Charge:
        found = self._known.get(value)
        if found is None:
            found = self._known[value] = Charge(*value)
        return found

    def _charge(
        self, tree: Tree, row: Row, above: Row | None, outer: Charge | None, known: dict[Hashable, Charge]
    ) -> Charge:
        """The charge of a row below `above`; `known` caches the charges of rows below such a row."""
        shape, parent = row.shape, tree.rows.get(row.parent_id)
        origin, inside = parent.shape.origin if parent is not None else None, ""
        key: Hashable = shape
        if shape.roles & CONTAINER:
            inside = tree.inside(row)
            key = (shape, origin, inside)
        elif parent is not above:
            key = (shape, origin)
        elif origin == GATEWAY:
            inside = "answered" if tree.children.get(row.span_id) else ""
            key = (shape, origin, inside)
        found = known.get(key)
        if found is None:
            self._count += 1
            value = _value_of(
                shape, Position(origin, inside), above.shape if above is not None else None, outer, self._owners
            )
            found = known[key] = self._one_of(value)
        return found


def _have_one_callee(outer: Shape, inner: Shape) -> bool:
    """Whether two calls name the same callee: the call of an SDK, and that of a proxy which forwards it."""
    long, short = sorted((outer.host, inner.host), key=len, reverse=True)
    return outer.is_call and bool(short) and f"{long}.".startswith(f"{short}.")


def _value_of(shape: Shape, position: Position, above: Shape | None, outer: Charge | None, owners: Owners) -> Value:
    """The charge of a span below `above`; `above` waits for the span and has the charge `outer`."""
    if outer is None:
        return _judged(shape, position, above, None, code_of(shape, None, None, ""), owners)
    if outer.foreign:
        return (
            outer.part,
            None,
            True,
            outer.code,
            outer.caller,
        )  # inside another party's service: still the time of the call
    callee = outer.part.name if outer.part.bucket == "external" else ""
    code = code_of(shape, above, outer.code, callee)
    if code is not None and outer.code is not None and code.name != outer.code.name:
        if owners.whose(callee) == "theirs":
            return outer.part, None, True, code, outer.caller
        if owners.whose(code.name) == "theirs":
            return Part("external", code.name), None, True, code, outer.caller
        if above is not None and shape.is_call and not _have_one_callee(above, shape):
            above = None  # the call above belongs to another service
    return _judged(shape, position, above, outer, code, owners)


def _judged(
    shape: Shape, position: Position, above: Shape | None, outer: Charge | None, code: Code | None, owners: Owners
) -> Value:
    service = code.name if code is not None else ""
    calling = outer is not None and above is not None and above.is_call
    in_call = outer is not None and (outer.part.bucket in CALLS or (calling and outer.part.bucket == "unknown"))
    part = part_of(shape, position._replace(service=service, in_call=in_call))
    entered = outer is not None and outer.code is not None and code is not None and code.name != outer.code.name
    if part is None:
        if outer is None or entered or outer.code is None or outer.part.bucket in OUTSIDE:
            return Part("own code", service), None, False, code, service
        return outer.part, None, False, code, service
    if entered and part.bucket == "unknown":
        part = Part("own code", service)
    if outer is not None and calling and outer.part.bucket in CALLS and shape.is_call:
        return outer.part, None, False, code, service  # the HTTP client under the SDK: one call, not two
    if part.bucket == "connect" and not part.name and outer is not None and outer.part.bucket != "unknown":
        part = Part("connect", outer.part.name)
    if part.bucket == "aws" and retries_of(shape) and not shape.roles & ATTEMPTS:
        part = Part("retries", resource_of(part.name))  # the whole call: its attempts are not recorded one by one
    # The kit's init inside Lambda's Initialization is the same cold start.
    counted = part.bucket in CALLS or (part.bucket == "cold start" and (outer is None or outer.part != part))
    return owners.of(part), calls_of(shape) if counted else None, False, code, service
