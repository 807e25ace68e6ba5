"""What the own time of each span of a request is charged to, and which calls there were."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.latency.buckets import Position, part_of
from lambda_latency.latency.calls import Calls, calls_of, retries_of
from lambda_latency.latency.part import COLD_START, OWN_CODE, Part, resource_of
from lambda_latency.trace import ATTEMPTS, CONTAINER, SpanKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from lambda_latency.trace import Row, Shape, Tree

__all__ = ["Charge", "Charges"]

CALLS = ("aws", "external", "database", "retries")
OUTSIDE = ("api gateway", "lambda")
MOST = 200_000  # charges that are remembered by shape


@dataclass(frozen=True, slots=True, eq=False)
class Charge:
    """What a span's own time is charged to, the call that it is (if any), and whether another party recorded it.

    There is one object for each value, so that charges can be looked up by what they are, not by what they hold.
    """

    part: Part
    call: Calls | None
    foreign: bool


class Charges:
    """Finds the charges of rows. The answer for a row depends on its shape, and on the row that waits for it."""

    def __init__(self) -> None:
        self._known: dict[tuple[Part, Calls | None, bool], Charge] = {}
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
        return charged

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
        found = known.get(key)
        if found is None:
            self._count += 1
            value = _charge_of(shape, Position(origin, inside), above.shape if above is not None else None, outer)
            found = self._known.get(value)
            if found is None:
                found = self._known[value] = Charge(*value)
            known[key] = found
        return found


def _charge_of(
    shape: Shape, position: Position, above: Shape | None, outer: Charge | None
) -> tuple[Part, Calls | None, bool]:
    """Part, call and foreignness of a span below `above`, which waits for it and has the charge `outer`."""
    if outer is not None and outer.part.bucket == "external" and (outer.foreign or shape.kind is SpanKind.SERVER):
        return outer.part, None, True  # inside of whom we called: still the time of that call
    part = part_of(shape, position)
    if part is None:
        return OWN_CODE if outer is None or outer.part.bucket in OUTSIDE else outer.part, None, False
    if outer is not None and above is not None and outer.part.bucket in CALLS and shape.is_call and above.is_call:
        return outer.part, None, False  # the HTTP client under the SDK: one call, not two
    if part.bucket == "connect" and not part.name and outer is not None:
        part = Part("connect", outer.part.name)
    if part.bucket == "aws" and retries_of(shape) and not shape.roles & ATTEMPTS:
        part = Part("retries", resource_of(part.name))  # all of the call, for nothing tells its attempts apart
    # The kit's init inside Lambda's Initialization is the same cold start.
    counted = part.bucket in CALLS or (part == COLD_START and (outer is None or outer.part != COLD_START))
    return part, calls_of(shape) if counted else None, False
