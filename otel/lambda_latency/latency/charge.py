"""What the own time of each span of a request is charged to, and which calls there were."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lambda_latency.latency.buckets import Position, part_of
from lambda_latency.latency.calls import Calls, calls_of, retries_of
from lambda_latency.latency.owners import NOBODY, Owners
from lambda_latency.latency.part import Part, resource_of
from lambda_latency.latency.services import Code, code_of
from lambda_latency.trace import ATTEMPTS, CONTAINER, GATEWAY, SERVES

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from lambda_latency.trace import Row, Shape, Tree

__all__ = ["Charge", "Charges"]

CALLS = ("aws", "external", "database", "messaging", "retries")
Value: TypeAlias = "tuple[Part, Calls | None, bool, Code | None]"
ANSWERED = ("external", "unknown")  # calls whose other side is a service, if that has spans
OUTSIDE = ("api gateway", "lambda")
MOST = 200_000  # charges that are remembered by shape


@dataclass(frozen=True, slots=True, eq=False)
class Charge:
    """What a span's own time is charged to, the call that it is (if any), and whose code it belongs to.

    `foreign`: another party recorded it, inside of the call to that party. There is one object for each value, so that
    charges can be looked up by what they are, not by what they hold.
    """

    part: Part
    call: Calls | None
    foreign: bool
    code: Code | None


class Charges:
    """Finds the charges of rows. The answer for a row depends on its shape, and on the row that waits for it."""

    def __init__(self, owners: Owners = NOBODY) -> None:
        self._owners = owners
        self._known: dict[tuple[object, ...], Charge] = {}
        # By the charge and the shape of a row the charges of its children, by their shapes.
        self._below: defaultdict[tuple[Charge | None, Shape | None], dict[Hashable, Charge]] = defaultdict(dict)
        self._count = 0

    def of(self, tree: Tree, parents: Sequence[Row]) -> dict[str, Charge]:
        """The charges of a request by span id, parents before children. `parents` are its rows with children."""
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
        """A call whose other side is in the trace is no call to somebody else: between both lies the network."""
        for row in tree.marked:
            charge = charged.get(row.span_id) if row.shape.roles & SERVES else None
            if charge is not None and charge.code is not None:
                at = tree.parent(row)
                while at is not None and self._put(tree, charged, at, charge, charge.code):
                    at = tree.parent(at)

    def _put(self, tree: Tree, charged: dict[str, Charge], at: Row, answer: Charge, code: Code) -> bool:
        """Charge the caller's side of a call that `code` answers; whether what it is below may be the same call."""
        call = charged.get(at.span_id)
        if call is None or call.part.bucket not in ANSWERED or call.code is None or call.code.name == code.name:
            return False
        part = answer.part if answer.foreign else self._owners.of(Part("network", code.name))
        counted = calls_of(at.shape) if at.shape.is_call and call.part.bucket == "unknown" else None
        charged[at.span_id] = self._one_of((part, call.call or counted, call.foreign, call.code))
        todo = [at]
        for row in todo:  # what the caller does beside the call, or tries again
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
                    charged[child.span_id] = self._one_of((beside, None, below.foreign, below.code))
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
        """The charge of a row below `above`; `known` are those below such a row that were asked for before."""
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


def _value_of(shape: Shape, position: Position, above: Shape | None, outer: Charge | None, owners: Owners) -> Value:
    """The charge of a span below `above`, which waits for it and has the charge `outer`."""
    if outer is None:
        return _judged(shape, position, above, None, code_of(shape, None, None, ""), owners)
    if outer.foreign:
        return outer.part, None, True, outer.code  # inside of whom we called: still the time of that call
    callee = outer.part.name if outer.part.bucket == "external" else ""
    code = code_of(shape, above, outer.code, callee)
    if code is not None and outer.code is not None and code.name != outer.code.name:
        if owners.whose(callee) == "theirs":
            return outer.part, None, True, code
        if owners.whose(code.name) == "theirs":
            return Part("external", code.name), None, True, code
        if shape.is_call:
            above = None  # of another service than the call that it is below
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
        if outer is None or entered or outer.part.bucket in OUTSIDE:
            return Part("own code", service), None, False, code
        return outer.part, None, False, code
    if entered and part.bucket == "unknown":
        part = Part("own code", service)
    if outer is not None and calling and outer.part.bucket in CALLS and shape.is_call:
        return outer.part, None, False, code  # the HTTP client under the SDK: one call, not two
    if part.bucket == "connect" and not part.name and outer is not None:
        part = Part("connect", outer.part.name)
    if part.bucket == "aws" and retries_of(shape) and not shape.roles & ATTEMPTS:
        part = Part("retries", resource_of(part.name))  # all of the call, for nothing tells its attempts apart
    # The kit's init inside Lambda's Initialization is the same cold start.
    counted = part.bucket in CALLS or (part.bucket == "cold start" and (outer is None or outer.part != part))
    return owners.of(part), calls_of(shape) if counted else None, False, code
