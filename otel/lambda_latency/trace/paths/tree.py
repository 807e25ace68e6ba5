"""A trace as a tree of rows: which row waits for which, and which row is the request.

It differs from the recorded tree of parents around Lambda's own spans: Initialization is a child of the function
segment but precedes it, and the calls of the handler are often recorded beside Invocation instead of below it.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from lambda_latency.trace.model.platform import GATEWAY, RUNTIME_SCOPES, SERVICE
from lambda_latency.trace.model.request import PLAIN
from lambda_latency.trace.model.shape import (
    ASIDE,
    COLD,
    EXECUTION,
    FUNCTION_SEGMENT,
    HANDLES,
    INIT,
    LAMBDA_SEGMENT,
    OUTERMOST,
    SERVES,
)
from lambda_latency.trace.model.span import SpanKind
from lambda_latency.trace.paths.consistency import CUT
from lambda_latency.trace.paths.links import Links
from lambda_latency.trace.paths.moves import above, begins_with_init, beside_calls, moves
from lambda_latency.trace.paths.skew import correct_clocks, service_of

if TYPE_CHECKING:
    from lambda_latency.trace.model.request import View
    from lambda_latency.trace.model.row import Row

# An environment that was ready for longer than this before its first request was started in advance (provisioned
# concurrency, proactive init): no request waited for it. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
READY_BEFORE_NS = 1_000_000_000

# The end of a route that matches all paths, of an API (`/{proxy+}`) or of a framework (`/*`).
ALL_PATHS = ("+}", "*")

_start = attrgetter("start_ns", "span_id")
_end = attrgetter("end_ns")


class Tree(Links):
    """The rows of one trace id, as the tree of a request. Times are nanoseconds since 1970.

    - `outermost`: the row of the request, which lasts from `start_ns` to `end_ns`.
    - `before`: the init that the request began with, if no outer span encloses it; else None.
    - `starting`: the instant at which an environment began to start, by the span id of the Lambda service's segment.
    - `aside`: the rows that nothing waits for; their descendants stay below them.
    - `skewed`: whether clocks were corrected.
    - `cut`: whether the request begins below the top of its tree.
    """

    __slots__ = ("aside", "before", "cut", "end_ns", "outermost", "skewed", "start_ns", "starting")

    def __init__(self, rows: list[Row], view: View = PLAIN) -> None:
        super().__init__(rows)
        self.starting: dict[str, int] = {}
        self.aside = self._leave_aside() if self.roles & (ASIDE | SERVES) else []
        for row, call in beside_calls(self.marked, self.rows, self.children) if self.roles & SERVES else ():
            self.put_below(row, call)
        if self.roles & EXECUTION:
            self._wait_for_executions()
        self.skewed = bool(view.skew and self.roles & SERVES) and self._correct_clocks()
        found = self.highest(OUTERMOST)
        self.outermost = self._best_top() if found is None else found
        self.cut = self.outermost.parent_id in self.rows
        if self.cut and not view.from_lambda:
            *_, self.outermost = above(self.rows, self.outermost)
            self.cut = False
        self.before = self._move() if self.roles & (FUNCTION_SEGMENT | INIT) else None
        self.start_ns = self.outermost.start_ns if self.before is None else self.before.start_ns
        self.end_ns = self._last_end()

    @property
    def segment(self) -> Row | None:
        """The segment of the Lambda service, or else of the function, that the request reached first.

        None if the request reached another service first, which called the function.
        """
        return self._if_entry(self.highest(LAMBDA_SEGMENT))

    @property
    def handler(self) -> Row | None:
        """The function's own SERVER or CONSUMER span; None if it was lost, never created, or is not the request's."""
        below = self.highest(SERVES, self._is_in_lambda) if self.roles & LAMBDA_SEGMENT else None
        found = self._if_entry(below or self.highest(SERVES, self._is_inside if self.cut else None))
        return None if found is not None and self._is_another_service(found) else found

    def router(self, handler: Row | None) -> Row | None:
        """The row that names the route: the handler's, or a framework's inside it if the handler serves all paths."""
        if handler is None or _is_specific(handler.route):
            return handler
        inside = [row for row in self.rows.values() if _is_specific(row.route) and self._is_framework(row, handler)]
        return min(inside, key=_start, default=handler)

    @property
    def runs_on(self) -> bool:
        """Whether work that the request does not wait for ends later after it than the request is long.

        What Lambda and the runtime do after a response is no such work.
        """
        last = 2 * self.end_ns - self.start_ns
        if next(iter(self.rows.values())).end_ns <= last:  # the row that ends last
            return False
        todo = [self.outermost]
        for row in todo:
            shape = row.shape
            if row.end_ns > last and not (shape.origin or shape.phase or shape.scope in RUNTIME_SCOPES):
                return True
            todo += self.children.get(row.span_id, ())
        return False

    def by_depth(self) -> list[tuple[Row, int]]:
        """Every row of the request with its depth, parents before children, siblings in the order of their start."""
        found: list[tuple[Row, int]] = []
        todo = [(row, 0) for row in (self.outermost, self.before) if row is not None]
        while todo:
            row, depth = todo.pop()
            found.append((row, depth))
            below = sorted(self.children.get(row.span_id, ()), key=_start, reverse=True)
            todo += [(child, depth + 1) for child in below]
        return found

    def waits_for(self) -> dict[str, Row]:
        """The row that waits for a span, by span id. No row waits for the outermost one."""
        return {
            child.span_id: self.rows[span_id]
            for span_id, below in self.children.items()
            for child in below
            if child is not self.outermost
        }

    def is_phase(self, row: Row) -> bool:
        """Whether a row is a phase of a function segment, recorded by Lambda itself."""
        parent = self.parent(row) if row.shape.phase else None
        return parent is not None and bool(parent.shape.roles & FUNCTION_SEGMENT)

    def is_init(self, row: Row) -> bool:
        """Whether a row is the start of an environment: the kit's own init, or a phase of a function segment."""
        return bool(row.shape.roles & INIT) and (not row.shape.phase or self.is_phase(row))

    @property
    def is_cold(self) -> bool:
        """Whether an environment started for the request, as far as its spans show."""
        if self.roles & COLD:
            return True
        return bool(self.roles & INIT) and any(map(self.is_init, self.marked))

    def inside(self, row: Row) -> str:
        """The most that is recorded inside a `CONTAINER`.

        Inside a function segment or an Invocation: `invocation` (only inside a function segment), `handler` (the span
        of an instrumentation), `calls` (other spans of the user's code), or empty if there is nothing. Inside an
        INTERNAL span of a database: `calls` if a call is recorded there. Empty for any other row.
        """
        function = bool(row.shape.roles & FUNCTION_SEGMENT)
        if not function and not (row.shape.phase == "Invocation" and self.is_phase(row)):
            return "calls" if any(child.shape.is_call for child in self.children.get(row.span_id, ())) else ""
        found = ""
        for child in self.children.get(row.span_id, ()):
            if function and child.shape.phase and child.parent_id == row.span_id:
                if child.shape.phase == "Invocation":
                    return "invocation"
            elif child.shape.roles & HANDLES:
                found = "handler"
            else:
                found = found or "calls"
        return found

    def _if_entry(self, row: Row | None) -> Row | None:
        """The row, if the request reaches it without a call by another service; else None."""
        at, outermost = row, self.outermost
        while at is not None and at is not outermost:
            at = self.rows.get(at.parent_id)
            if at is not None and at.shape.origin is None and at.shape.is_call:
                caller = self.parent(at)
                if caller is None or caller.shape.origin != GATEWAY:  # a stage of API Gateway calls its function
                    return None
        return row

    def _is_another_service(self, row: Row) -> bool:
        """Whether the span of the request names another service, which reached this one without the span of a call."""
        first, service = self.outermost, service_of(row)
        return bool(first.shape.origin is None and service and service_of(first) not in ("", service))

    def _is_framework(self, row: Row, handler: Row) -> bool:
        """Whether the service of the handler recorded a row inside the handler's, without a call between them."""
        at, service = row, service_of(handler)
        while at is not handler:
            parent = self.parent(at)
            if parent is None or at.shape.is_call or service_of(at) != service:
                return False
            at = parent
        return row is not handler

    def _is_inside(self, row: Row) -> bool:
        """Whether a row is the outermost one or a descendant of it."""
        return row is self.outermost or self.outermost in above(self.rows, row)

    def _leave_aside(self) -> list[Row]:
        """Remove from `children` what nothing waits for: consumers of a producer, and rows that follow from others."""
        found: dict[str, Row] = {}
        for row in self.marked:
            if row.shape.roles & ASIDE or row.shape.kind is SpanKind.CONSUMER:
                parent = self.parent(row)
                if parent is not None and (row.shape.roles & ASIDE or parent.shape.kind is SpanKind.PRODUCER):
                    found[row.span_id] = row
        for span_id in {row.parent_id for row in found.values()}:
            self.children[span_id] = [row for row in self.children[span_id] if row.span_id not in found]
        return [*found.values()]

    def _wait_for_executions(self) -> None:
        """Move each execution that outlives its parent to the nearest ancestor that does not end before it, if any."""
        for row in self.marked:
            if row.shape.roles & EXECUTION and row not in self.aside:
                waiting = next(
                    (ancestor for ancestor in above(self.rows, row) if not 0 < ancestor.end_ns < row.end_ns), None
                )
                if waiting is not None and waiting.span_id != row.parent_id:
                    self.put_below(row, waiting)

    def _correct_clocks(self) -> bool:
        servers = [row for row in self.marked if row.shape.roles & SERVES and row.parent_id in self.rows]
        moved = correct_clocks(servers, self.rows, self.children)
        for row, by in moved:
            self.children[row.parent_id].sort(key=_end, reverse=True)
            who, ms = service_of(row) or row.name, abs(by) / 1_000_000
            how = "behind" if by > 0 else "ahead of"
            self.problems.append(
                f"the clock of {who} is {ms:,.3f} ms {how} its caller's: corrected (--no-skew leaves it)"
            )
        self.in_order = self.in_order and not moved
        return bool(moved)

    def _best_top(self) -> Row:
        """A root, else a top whose parent is in another process, else one with an unknown parent, else an orphan."""

        def order(row: Row) -> tuple[int, int, str]:
            if not row.parent_id:
                return 0, row.start_ns, row.span_id
            lost = 3 if row.parent_id == CUT or row.shape.remote is False else 1 if row.shape.remote else 2
            return lost, row.start_ns, row.span_id

        return min(self.tops, key=order)

    def _is_in_lambda(self, row: Row) -> bool:
        """Whether a row lies below a segment of Lambda, with only INTERNAL rows without an origin between them."""
        for ancestor in above(self.rows, row):
            if ancestor.shape.origin is not None or ancestor.shape.kind is not SpanKind.INTERNAL:
                return bool(ancestor.shape.roles & LAMBDA_SEGMENT)
        return False

    def _last_end(self) -> int:
        """The end of the request. For an open one, the last start or end of it and its descendants."""
        outermost = self.outermost
        if outermost.end_ns:
            return max(outermost.end_ns, outermost.start_ns)
        todo = [outermost]
        for row in todo:
            todo += self.children.get(row.span_id, ())
        return max(max(row.start_ns, row.end_ns) for row in todo)

    def _move(self) -> Row | None:
        """Move each init to the span that waits for it, and calls beside an Invocation into it.

        Returns the init before the outermost row that the request began with; None without one.
        """
        before: list[Row] = []
        for row, waiting in moves(self.marked, self.outermost, self.rows, self.children):
            init = bool(row.shape.roles & INIT)
            if init and row in self.aside:
                continue
            if waiting is None:
                before.append(row)
            elif init and waiting.shape.origin == SERVICE:
                self.starting[waiting.span_id] = min(row.start_ns, self.starting.get(waiting.span_id, row.start_ns))
            if waiting is None or waiting.span_id != row.parent_id:
                self.put_below(row, waiting)
        if not begins_with_init(self.outermost):
            return None
        start = self.outermost.start_ns
        waited = [row for row in before if row.end_ns and start - row.end_ns <= READY_BEFORE_NS]
        return min(waited, key=_start, default=None)


def _is_specific(route: str) -> bool:
    return bool(route) and not route.endswith(ALL_PATHS)
