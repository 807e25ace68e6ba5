"""The judge: charges the critical path of each trace to parts, and adds the sums up to the account of its request."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.account import (
    ABSENT_PARENT,
    CLIENT_TIMEOUTS,
    FLOW,
    LEFT_OUT,
    OPEN,
    RUNS_ON,
    SKEWED,
    Kind,
)
from lambda_latency.latency.accounts.calls import Calls
from lambda_latency.latency.accounts.columns import NO_CALL, Accounts
from lambda_latency.latency.accounts.owners import USUAL, Terms
from lambda_latency.latency.accounts.part import UNKNOWN, Cell, Part, resource_of
from lambda_latency.latency.judge.charge import Charge, Charges
from lambda_latency.latency.judge.outlining import Outlines
from lambda_latency.trace import (
    ATTEMPTS,
    GAVE_UP,
    TIMED_OUT,
    Problem,
    SpanKind,
    Tree,
    function_of,
    is_error,
    route_of,
    service_of,
    status_code_of,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lambda_latency.latency.accounts.account import Account
    from lambda_latency.trace import Row, Rows, Stretch, Trace

BACKWARDS = "all spans of the trace end before they start"
MOST_KINDS = 20_000  # in the cache, by the shapes of a request's rows


class Spent(NamedTuple):
    """A stretch of the critical path: the row that owns it, start and end in nanoseconds since 1970, and its part."""

    row: Row
    start_ns: int
    end_ns: int
    part: Part


def spent(tree: Tree, path: Iterable[Stretch], charged: Mapping[str, Charge]) -> Iterator[Spent]:
    """The stretches of a critical path with their parts; a stretch with retries is split.

    Time of the Lambda service before the init is charged to the cold start.
    """
    retries = _retries(tree, charged)
    for row, start, end in path:
        charge = charged[row.span_id]
        part = charge.part
        if end <= tree.starting.get(row.span_id, 0):
            yield Spent(row, start, end, Part("cold start", charge.code.name if charge.code is not None else ""))
        elif row.span_id in retries:
            for first, last, one in retries[row.span_id].divide(start, end, part):
                yield Spent(row, first, last, one)
        else:
            yield Spent(row, start, end, part)


def _retries(tree: Tree, charged: Mapping[str, Charge]) -> dict[str, Retrying]:
    return retrying(tree, charged) if tree.roles & ATTEMPTS else {}


def _leaves_out(tree: Tree) -> bool:
    """Whether the trace has spans outside the request whose parent, not known to be remote, was not recorded."""
    if len(tree.absent) > 1:
        return True
    inside = tree.outermost
    while (above := tree.parent(inside)) is not None:
        inside = above
    return any(
        len(row.parent_id) == len(row.span_id) and row.shape.remote is not True
        for row in tree.tops
        if row is not inside and row is not tree.before
    )


def _is_consumed_later(tree: Tree, row: Row) -> bool:
    """Whether a consumer worked on after the end of the request."""
    return row.shape.kind is SpanKind.CONSUMER and row.end_ns > tree.end_ns


class Judge:
    """Adds the accounts of traces to `accounts`. The account of a trace does not depend on other traces."""

    def __init__(self, accounts: Accounts, terms: Terms = USUAL) -> None:
        self._accounts, self._charges, self._view = accounts, Charges(terms.owners), terms.view
        self._outlines = Outlines(accounts)
        self._kinds: dict[tuple[object, ...], int] = {}
        # The numbers of each charge in the columns of `accounts`.
        self._cells: dict[Charge, int] = {}
        self._counted: dict[Charge, int] = {}

    def add(self, trace_id: str, rows: list[Row], problems: list[Problem]) -> None:
        """Add the account of a trace with these rows; inconsistencies are added to `problems`."""
        tree = Tree(rows, self._view)
        problems += [Problem(trace_id, None, reason, "counted") for reason in tree.problems]
        if tree.problems and all(0 < row.end_ns < row.start_ns for row in rows):
            problems.append(Problem(trace_id, None, BACKWARDS))
        self.add_tree(trace_id, tree)

    def take(self, traces: Rows, problems: list[Problem]) -> None:
        """Add the accounts of traces, and remove the traces from `traces` to release their rows."""
        while traces:
            self.add(*traces.popitem(), problems)

    def add_tree(self, trace_id: str, tree: Tree) -> None:
        """Add the account of a trace."""
        path, parents = walk(tree)
        charged = self._charges.of(tree, parents)
        accounts, retries = self._accounts, _retries(tree, charged)
        sums, of_charges = defaultdict[int, int](int), defaultdict[Charge, int](int)
        divided = {*tree.starting, *retries}
        if divided:
            for one in spent(tree, [stretch for stretch in path if stretch[0].span_id in divided], charged):
                caller = charged[one.row.span_id].caller
                sums[accounts.cells[Cell(caller, one.part)]] += one.end_ns - one.start_ns
            path = [stretch for stretch in path if stretch[0].span_id not in divided]
        for row, start, end in path:
            of_charges[charged[row.span_id]] += end - start
        for charge, ns in of_charges.items():
            number = self._cells.get(charge)
            if number is None:
                number = self._cells[charge] = accounts.cells[charge.cell]
            sums[number] += ns
        if len(charged) < len(tree.rows):
            self._see(row for span_id, row in tree.rows.items() if span_id not in charged)
        calls, took = self._calls(tree, charged, retries)
        wall_ns = tree.end_ns - tree.start_ns
        outline = self._outlines.number(tree, charged, parents)
        accounts.add(trace_id, self._kind(tree), tree.start_ns, wall_ns, sums, calls, took, outline)

    def _see(self, outside: Iterable[Row]) -> None:
        """Note the services of spans outside a request as parts of no time: calls to them are internal."""
        for name in sorted({service_of(row) for row in outside} - {""}):
            self._accounts.cells[Cell(name, Part("own code", name))]  # a look-up adds the name

    def _calls(
        self, tree: Tree, charged: Mapping[str, Charge], retries: Mapping[str, Retrying]
    ) -> tuple[list[int], list[int]]:
        """The numbers in `accounts.calls` that the calls of a request count for, and the durations in nanoseconds."""
        counted, rows, last = self._counted, tree.rows, tree.end_ns
        calls: list[int] = []
        took: list[int] = []
        for span_id, charge in charged.items():
            if charge.call is None:
                continue
            row = rows[span_id]
            took.append(max((row.end_ns or last) - row.start_ns, 0))
            if span_id in retries:  # the call counts for one part, its retries for another
                calls += self._tried_again(charge.cell, charge.call, retries[span_id].part)
                took.append(NO_CALL)
                continue
            number = counted.get(charge)
            if number is None:
                number = counted[charge] = self._accounts.calls[charge.cell, charge.call]
            calls.append(number)
        return calls, took

    def _tried_again(self, cell: Cell, call: Calls, again: Part) -> tuple[int, int]:
        numbers = self._accounts.calls
        return numbers[cell, replace(call, retries=0)], numbers[cell._replace(part=again), Calls(retries=call.retries)]

    def _kind(self, tree: Tree) -> int:
        """The number of the request's `Kind`: everything that an account holds besides its times."""
        outermost, handler, segment = tree.outermost, tree.handler, tree.segment
        router = tree.router(handler)
        cold, late = tree.is_cold, bool(tree.roles & TIMED_OUT)
        flaws = SKEWED * tree.skewed | ABSENT_PARENT * bool(tree.absent) | RUNS_ON * tree.runs_on
        flaws |= OPEN * (not outermost.end_ns and not late) | CLIENT_TIMEOUTS * bool(tree.roles & GAVE_UP)
        flaws |= FLOW * any(_is_consumed_later(tree, row) for row in tree.aside)
        if len(tree.tops) > 1:
            flaws |= LEFT_OUT * _leaves_out(tree)
        key = (
            *(outermost.shape, outermost.route, outermost.name),
            *((handler.shape, router.shape, router.route, router.name) if handler and router else ()),
            segment.name if segment is not None else None,
            *(cold, late, flaws),
        )
        number = self._kinds.get(key)
        if number is None:
            if len(self._kinds) >= MOST_KINDS:
                self._kinds.clear()
            function = function_of(segment, handler)
            route, status = route_of(outermost, router, function), status_code_of(outermost, handler)
            kind = Kind(route, function, status, cold, is_error(outermost, handler), late, flaws)
            number = self._kinds[key] = self._accounts.kinds[kind]
        return number


def account(trace: Trace, terms: Terms = USUAL) -> Account:
    """The account of a trace."""
    accounts = Accounts()
    Judge(accounts, terms).add_tree(trace.trace_id, trace.tree)
    return accounts[0]


def largest_part(trace: Trace, terms: Terms = USUAL) -> tuple[str, int]:
    """The part that the request waited for longest: its label and its nanoseconds."""
    parts = account(trace, terms).parts
    part, ns = parts[0] if parts else (UNKNOWN, 0)
    return part.label, ns


class Retrying(NamedTuple):
    """The time from the end of the first attempt of a call to the start of the last (ns since 1970), and its part."""

    start_ns: int
    end_ns: int
    part: Part

    def divide(self, start_ns: int, end_ns: int, part: Part) -> Iterator[tuple[int, int, Part]]:
        """Split a stretch of the call; `part` owns the time outside the retries."""
        first, last = (min(max(instant, start_ns), end_ns) for instant in self[:2])
        for begin, end, one in ((start_ns, first, part), (first, last, self.part), (last, end_ns, part)):
            if begin < end:
                yield begin, end, one


def retrying(tree: Tree, charged: Mapping[str, Charge]) -> dict[str, Retrying]:
    """The retries by span id: of each call with recorded attempts, and of the spans below it with the same part."""
    found: dict[str, Retrying] = {}
    for span_id, charge in charged.items():  # parents before children
        attempts = tree.rows[span_id].attempts
        if attempts is not None and charge.call is not None and charge.part.bucket == "aws":
            found[span_id] = Retrying(*attempts, Part("retries", resource_of(charge.part.name)))
        if span_id in found:
            for child in tree.children.get(span_id, ()):
                inner = charged[child.span_id]
                if inner.call is None and inner.part == charge.part:
                    found[child.span_id] = found[span_id]
    return found
