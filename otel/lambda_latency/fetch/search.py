"""Transaction Search: Logs Insights lists trace ids from the log group `aws/spans`; a retrieval returns whole traces.

A query returns at most 10,000 rows: a time window with more is split into smaller ones, which are queried again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lambda_latency.fetch.batches import Answer
from lambda_latency.fetch.errors import FetchError, UsageError
from lambda_latency.fetch.expression import METHOD, ROUTE
from lambda_latency.fetch.insights import MOST_ROWS, query
from lambda_latency.fetch.retrieval import retrieve
from lambda_latency.fetch.scanning import GB, ingested
from lambda_latency.fetch.stores import Listed
from lambda_latency.trace import trace_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambda_latency.fetch.asked import Asked
    from lambda_latency.fetch.expression import Choice

GROUP = "aws/spans"
SECOND_NS = 1_000_000_000
LONGEST_S = 15 * 60  # Lambda's longest timeout: a request's last record is at most this much later than its start
DAY_S = 24 * 3600
# A request begins with a SERVER or CONSUMER span, or with a LOCAL_ROOT span; Lambda's init spans are LOCAL_ROOT, too.
BEGINS = '(kind = "SERVER" or kind = "CONSUMER" or attributes.aws.span.kind = "LOCAL_ROOT")'
ERRORS = '(status.code = "ERROR" or attributes.http.response.status_code >= 400 or attributes.http.status_code >= 400)'


class Search:
    """The spans of an account in which Transaction Search is on.

    `most_billed`: the limit of scanned bytes; `whole`: the full selection, where only a part of it is listed (a
    resumed fetch).
    """

    name, at_once = "Transaction Search", 50

    def __init__(
        self,
        clients: Callable[[str], Any],
        *,
        most_billed: int | None = None,
        whole: Asked | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._xray, self._logs = clients("xray"), clients("logs")
        self._clients, self._most, self._sleep = clients, most_billed, sleep
        self._range = _range(whole) if whole is not None and whole.trace_id is None else None
        self.billed = 0

    def listed(self, asked: Asked) -> Iterator[Listed]:
        """As `Store.listed`. Raises UsageError if the selection has an X-Ray filter expression."""
        where = conditions(asked.choice)
        start, end = _range(asked)
        self._range = self._range or (start, end)
        if self._most is not None:
            self._check(ingested(self._clients("cloudwatch"), GROUP, start, end))
        seen: set[str] = set()
        todo = [(start, end)]  # the newest last
        while todo:
            first, last = todo.pop()
            found = query(self._logs, GROUP, _query(where), first, last, self._sleep)
            self.billed += found.scanned
            if len(found.rows) >= MOST_ROWS:
                self._check(found.scanned)
                todo += _cut(first, last, max(2, -(-found.matched // (MOST_ROWS // 2))))
                continue
            rows = [(int(float(row["began"])), _written(row["traceId"])) for row in found.rows]
            fresh = [one for began, one in rows if asked.since_ns <= began < asked.until_ns and one not in seen]
            seen.update(fresh)
            yield Listed(fresh, found.matched, 1 - (first - start) / (end - start), first * SECOND_NS)

    def batch(self, ids: Sequence[str]) -> Answer:
        """As `Store.batch`."""
        start, end = self._range or _around(ids[0])
        answer = retrieve(self._xray, ids, start, end, self._sleep)
        return Answer({one["Id"]: one for one in map(_as_of_xray, answer.traces.values())}, answer.calls)

    def _check(self, more: int) -> None:
        """Raises FetchError if scanning `more` bytes would exceed the limit."""
        if self._most is not None and self.billed + more > self._most:
            most, scanned = f"{self._most / GB:g}", f"{(self.billed + more) / GB:,.2f} GB"
            raise FetchError(
                f"Logs Insights would scan {scanned} of {GROUP}, --max-gb is {most}",
                "choose a shorter period (--since), or allow more (--max-gb)",
            )


def _range(asked: Asked) -> tuple[int, int]:
    """The time range of a selection's records: first and last second."""
    return asked.since_ns // SECOND_NS, -(-asked.until_ns // SECOND_NS) + LONGEST_S


def conditions(choice: Choice) -> list[str]:
    """The options that select traces, as conditions of Logs Insights on the span that a request begins with.

    They may match more than the options: the report filters again. Raises UsageError for an X-Ray filter expression.
    """
    if choice.own is not None:
        raise UsageError(
            "--filter is an X-Ray filter expression, but this account's traces are in CloudWatch (Transaction Search)",
            "use --route, --slower-than, --errors, --since and --until instead",
        )
    found = [BEGINS]
    if choice.slower_ns is not None:
        found.append(f"durationNano > {choice.slower_ns}")
    if choice.errors:
        found.append(ERRORS)
    if choice.route is not None:
        found.append(_of_route(choice.route))
    return found


def _of_route(route: str) -> str:
    match = ROUTE.match(route)
    name = _quoted(route)
    if match is None:
        method, _, rest = route.rpartition(" ")
        last = _quoted(rest if METHOD.match(method) else route)
        return f"(name = {name} or name = {last} or resource.attributes.service.name = {last})"
    return f"(name = {name} or attributes.http.route = {_quoted(match['path'])})"


def _query(where: Sequence[str]) -> str:
    return " | ".join(
        [
            *(f"filter {one}" for one in where),
            "stats min(startTimeUnixNano) as began by traceId",
            "sort began desc",
            f"limit {MOST_ROWS}",
        ]
    )


def _cut(first: int, last: int, parts: int) -> list[tuple[int, int]]:
    """Consecutive windows; each ends in the second in which the next one begins."""
    if last - first < 2:
        raise FetchError(
            f"more than {MOST_ROWS:,} requests began within a second: Logs Insights returns no more rows per query",
            "narrow the selection (--route, --slower-than, --errors)",
        )
    length = -(-(last - first) // parts)
    return [(at, min(at + length, last)) for at in range(first, last, length)]


def _around(trace_id: str) -> tuple[int, int]:
    """The time range of one trace: a day from the time in its id, if that is X-Ray's format; else the retention."""
    began, now = int(trace_id.split("-")[1], 16), int(time.time())
    if now - 400 * DAY_S < began <= now:
        return began - LONGEST_S, min(began + DAY_S, now)
    return now - 30 * DAY_S, now


def _as_of_xray(trace: dict[str, Any]) -> dict[str, Any]:
    return {**trace, "Id": _written(trace["Id"])}


def _written(trace_id: str) -> str:
    """A trace id in X-Ray's format."""
    plain = trace_id_of(trace_id)
    return f"1-{plain[:8]}-{plain[8:]}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
