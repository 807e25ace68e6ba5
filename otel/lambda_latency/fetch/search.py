"""Transaction Search: Logs Insights lists trace ids from the log group `aws/spans`; a retrieval returns whole traces.

A query returns at most 10,000 rows: a time window with more is split into smaller ones, which are queried again.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html,
https://docs.aws.amazon.com/xray/latest/api/API_StartTraceRetrieval.html and API_ListRetrievedTraces.html
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from lambda_latency.fetch.errors import FetchError, SelectionError
from lambda_latency.fetch.selection import METHOD, ROUTE, SECOND_NS, Choice, Selection, quoted
from lambda_latency.fetch.stores import AT_ONCE, SAME_PAGE, Listed, TraceBatch, XRay
from lambda_latency.fetch.traffic import GB, ingested
from lambda_latency.trace import trace_id_of

GROUP = "aws/spans"
LONGEST_S = 15 * 60  # Lambda's longest timeout
DAY_S = 24 * 3600
MOST_ROWS = 10_000  # the limit of rows per query
PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)  # the last one repeats
BUSY_TRIES = 8  # AWS limits concurrent queries
RUNNING = ("Scheduled", "Running")
LONGEST_RETRIEVAL_S = 60 * 60  # AWS's limit
RETRIEVING = ("SCHEDULED", "RUNNING")
# A request begins with a SERVER or CONSUMER span, or with a LOCAL_ROOT span; Lambda's init spans are LOCAL_ROOT, too.
BEGINS = '(kind = "SERVER" or kind = "CONSUMER" or attributes.aws.span.kind = "LOCAL_ROOT")'
ERRORS = '(status.code = "ERROR" or attributes.http.response.status_code >= 400 or attributes.http.status_code >= 400)'


class Search:
    """The spans of an account in which Transaction Search is on.

    `clients` makes boto3's client of a service. `selection` is the full one: a resumed fetch lists only a part of it.
    """

    name, at_once = "Transaction Search", 50

    def __init__(self, clients: Callable[[str], Any], selection: Selection) -> None:
        self._xray, self._logs = clients("xray"), clients("logs")
        self._clients, self._limit = clients, selection.most_billed
        self._range = _range(selection) if selection.trace_id is None else None
        self.billed = 0

    def listed(self, selection: Selection) -> Iterator[Listed]:
        """List ids as `TraceStore.listed`. Raises SelectionError if the selection has an X-Ray filter expression."""
        filters = [f"filter {condition}" for condition in conditions(selection.choice)]
        statistics = "stats min(startTimeUnixNano) as began by traceId"
        text = " | ".join([*filters, statistics, "sort began desc", f"limit {MOST_ROWS}"])
        start_s, end_s = _range(selection)
        if self._limit is not None:
            self._check(ingested(self._clients("cloudwatch"), GROUP, start_s, end_s))
        listed_ids: set[str] = set()
        windows = [(start_s, end_s)]  # the newest last
        while windows:
            first_s, last_s = windows.pop()
            result = query(self._logs, GROUP, text, first_s, last_s)
            self.billed += result.scanned
            if len(result.rows) >= MOST_ROWS:
                self._check(result.scanned)
                windows += _cut(first_s, last_s, max(2, -(-result.matched // (MOST_ROWS // 2))))
                continue
            fresh = []
            for row in result.rows:
                trace_id = _written(row["traceId"])
                if selection.since_ns <= int(float(row["began"])) < selection.until_ns and trace_id not in listed_ids:
                    fresh.append(trace_id)
            listed_ids.update(fresh)
            yield Listed(fresh, result.matched, 1 - (first_s - start_s) / (end_s - start_s), first_s * SECOND_NS)

    def batch(self, ids: Sequence[str]) -> TraceBatch:
        """Return traces as `TraceStore.batch`."""
        start_s, end_s = self._range or _around(ids[0])
        answer = retrieve(self._xray, ids, start_s, end_s)
        traces = {_written(trace_id): trace for trace_id, trace in answer.traces.items()}
        return TraceBatch({name: {**trace, "Id": name} for name, trace in traces.items()}, answer.calls)

    def _check(self, more: int) -> None:
        """Raise FetchError if scanning `more` bytes would exceed the limit."""
        if self._limit is not None and self.billed + more > self._limit:
            limit, scanned = f"{self._limit / GB:g}", f"{(self.billed + more) / GB:,.2f} GB"
            raise FetchError(
                f"Logs Insights would scan {scanned} of {GROUP}, --max-gb is {limit}",
                "choose a shorter period (--since), or allow more (--max-gb)",
            )


def _range(selection: Selection) -> tuple[int, int]:
    """Return the time range of a selection's records: first and last second."""
    return selection.since_ns // SECOND_NS, -(-selection.until_ns // SECOND_NS) + LONGEST_S


def conditions(choice: Choice) -> list[str]:
    """Return the options that select traces as conditions of Logs Insights on the span that a request begins with.

    They may match more than the options: the report filters again. Raises SelectionError for X-Ray's expressions.
    """
    if choice.xray_filter is not None:
        raise SelectionError(
            "--filter is an X-Ray filter expression, but this account's traces are in CloudWatch (Transaction Search)",
            "use --route, --slower-than, --errors, --since and --until instead",
        )
    filters = [BEGINS]
    if choice.slower_ns is not None:
        filters.append(f"durationNano > {choice.slower_ns}")
    if choice.errors:
        filters.append(ERRORS)
    if choice.route is not None:
        filters.append(_of_route(choice.route))
    return filters


def _of_route(route: str) -> str:
    match = ROUTE.match(route)
    name = quoted(route)
    if match is None:
        method, _, name_part = route.rpartition(" ")
        service = quoted(name_part if METHOD.match(method) else route)
        return f"(name = {name} or name = {service} or resource.attributes.service.name = {service})"
    return f"(name = {name} or attributes.http.route = {quoted(match['path'])})"


def _cut(first_s: int, last_s: int, parts: int) -> list[tuple[int, int]]:
    """Cut a window into consecutive ones; each ends in the second in which the next one begins."""
    if last_s - first_s < 2:
        raise FetchError(
            f"more than {MOST_ROWS:,} requests began within a second: Logs Insights returns no more rows per query",
            "narrow the selection (--route, --slower-than, --errors)",
        )
    length_s = -(-(last_s - first_s) // parts)
    return [(begin_s, min(begin_s + length_s, last_s)) for begin_s in range(first_s, last_s, length_s)]


def _around(trace_id: str) -> tuple[int, int]:
    """Return the time range of a trace: a day from the time in its id, if that is X-Ray's; else the retention."""
    began_s, now_s = int(trace_id.split("-")[1], 16), int(time.time())
    if now_s - 400 * DAY_S < began_s <= now_s:
        return began_s - LONGEST_S, min(began_s + DAY_S, now_s)
    return now_s - 30 * DAY_S, now_s


def _written(trace_id: str) -> str:
    """Write a trace id in X-Ray's format."""
    plain = trace_id_of(trace_id)
    return f"1-{plain[:8]}-{plain[8:]}"


class QueryRows(NamedTuple):
    """Rows by field, the number of records that matched, and the bytes that were scanned for them."""

    rows: list[dict[str, str]]
    matched: int
    scanned: int


def query(logs: Any, group: str, text: str, start_s: int, end_s: int) -> QueryRows:
    """Run one query over the records from `start_s` to `end_s` (seconds since 1970, both included).

    Raises boto3's errors, and FetchError if CloudWatch ends the query without a result.
    """
    arguments = {
        "logGroupNames": [group],
        "queryString": text,
        "startTime": start_s,
        "endTime": end_s,
        "limit": MOST_ROWS,
    }
    query_id = _begin(logs, arguments)
    looks = 0
    try:
        while (answer := logs.get_query_results(queryId=query_id))["status"] in RUNNING:
            time.sleep(PAUSES_S[min(looks, len(PAUSES_S) - 1)])
            looks += 1
    except KeyboardInterrupt:
        with contextlib.suppress(Exception):
            logs.stop_query(queryId=query_id)
        raise
    if answer["status"] != "Complete":
        raise FetchError(
            f"CloudWatch ended a query of {group} with status {answer['status']}",
            "try again later, or choose a shorter period (--since)",
            passing=True,
        )
    rows = [{column["field"]: column.get("value", "") for column in row} for row in answer.get("results", ())]
    counted = answer.get("statistics", {})
    return QueryRows(rows, round(counted.get("recordsMatched", 0)), round(counted.get("bytesScanned", 0)))


def _begin(logs: Any, arguments: dict[str, Any]) -> str:
    for _ in range(BUSY_TRIES - 1):
        try:
            return str(logs.start_query(**arguments)["queryId"])
        except logs.exceptions.LimitExceededException:
            time.sleep(PAUSES_S[-1])
    return str(logs.start_query(**arguments)["queryId"])


def retrieve(xray: Any, ids: Sequence[str], start_s: int, end_s: int) -> TraceBatch:
    """Retrieve traces by id with spans from `start_s` to `end_s` (seconds since 1970), as X-Ray's segments.

    Traces that are not found are absent. Raises boto3's errors, and FetchError if AWS ends the retrieval early.
    """
    token = xray.start_trace_retrieval(
        TraceIds=list(ids),
        StartTime=datetime.fromtimestamp(start_s, timezone.utc),
        EndTime=datetime.fromtimestamp(end_s, timezone.utc),
    )["RetrievalToken"]
    calls, waited, page, pages = 1, 0.0, "", set[str]()
    traces: dict[str, dict[str, Any]] = {}
    while True:
        more = {"NextToken": page} if page else {}
        answer = xray.list_retrieved_traces(RetrievalToken=token, TraceFormat="XRAY", **more)
        calls += 1
        status = answer.get("RetrievalStatus", "COMPLETE")
        if status in RETRIEVING and waited < LONGEST_RETRIEVAL_S:
            pause = PAUSES_S[min(calls - 2, len(PAUSES_S) - 1)]
            time.sleep(pause)
            waited += pause
            continue
        if status != "COMPLETE":
            message = f"X-Ray ended a retrieval of {len(ids)} traces with status {status}"
            raise FetchError(message, "try again later", passing=True)
        for retrieved in answer.get("Traces", ()):
            trace_id = retrieved["Id"]
            empty = {"Id": trace_id, "Duration": retrieved.get("Duration"), "Segments": []}
            trace = traces.setdefault(trace_id, empty)
            trace["Segments"] += retrieved.get("Spans", ())
        page = answer.get("NextToken", "")
        if not page:
            return TraceBatch(traces, calls)
        if page in pages:
            raise FetchError(SAME_PAGE, "try again later", passing=True)
        pages.add(page)


class Both:
    """Transaction Search and X-Ray's own API: each trace is requested from the store that listed it.

    For a period in which Transaction Search was switched on or off, and for accounts whose functions send to either. If
    both stores have a trace, each segment is returned once.
    """

    name = "Transaction Search and X-Ray"

    def __init__(self, search: Search, xray: XRay) -> None:
        self._search, self._xray = search, xray
        self.at_once = search.at_once
        self.billed = 0
        self._in_search: set[str] = set()
        self._in_xray: set[str] = set()

    def listed(self, selection: Selection) -> Iterator[Listed]:
        """List all pages of Transaction Search, then all of X-Ray, as `TraceStore.listed`. `down_to_ns` is None."""
        for page in self._search.listed(selection):
            self.billed = self._search.billed
            self._in_search.update(page.ids)
            yield Listed(page.ids, page.scanned, page.share / 2)
        for page in self._xray.listed(selection):
            self._in_xray.update(page.ids)
            fresh = [trace_id for trace_id in page.ids if trace_id not in self._in_search]
            yield Listed(fresh, page.scanned, (1 + page.share) / 2)

    def batch(self, ids: Sequence[str]) -> TraceBatch:
        """Return traces as `TraceStore.batch`. Both get an id that neither listed (typed, or of a stopped fetch)."""
        of_search = [trace_id for trace_id in ids if not _is_elsewhere(trace_id, self._in_search, self._in_xray)]
        of_xray = [trace_id for trace_id in ids if not _is_elsewhere(trace_id, self._in_xray, self._in_search)]
        traces: dict[str, dict[str, Any]] = {}
        answers = [self._search.batch(of_search)] if of_search else []
        batches = [of_xray[start : start + AT_ONCE] for start in range(0, len(of_xray), AT_ONCE)]
        answers += map(self._xray.batch, batches)
        for answer in answers:
            for trace_id, trace in answer.traces.items():
                traces[trace_id] = _merged(traces.get(trace_id), trace)
        return TraceBatch(traces, sum(answer.calls for answer in answers))


def _is_elsewhere(trace_id: str, in_store: set[str], in_other_store: set[str]) -> bool:
    return trace_id in in_other_store and trace_id not in in_store


def _merged(trace: dict[str, Any] | None, later: dict[str, Any]) -> dict[str, Any]:
    """Return the segments of both versions of a trace, each id once."""
    if trace is None:
        return later
    segments: dict[str, Any] = {}
    for version in (later, trace):
        segments |= {segment["Id"]: segment for segment in version.get("Segments", ())}
    return {**later, **trace, "Segments": list(segments.values())}
