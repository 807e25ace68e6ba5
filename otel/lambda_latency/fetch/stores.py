"""The trace stores of an account: X-Ray's API, and the spans of Transaction Search in CloudWatch.

Where Transaction Search is on, X-Ray's own API finds only the indexed traces, by default one in a hundred.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple, Protocol

from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.selection import SECOND_NS, Selection

AT_ONCE = 5  # ids that BatchGetTraces accepts
SAME_PAGE = "AWS returns the same page again and again"
LONGEST_S = 6 * 3600  # that GetTraceSummaries accepts


class TraceBatch(NamedTuple):
    """The traces that were returned, by id, and the number of calls."""

    traces: dict[str, dict[str, Any]]
    calls: int


class Listed(NamedTuple):
    """Ids of traces, each once; how many traces were scanned for them; the share of the time range that is listed.

    All traces that began at `down_to_ns` or later are listed; None if that is unknown.
    """

    ids: list[str]
    scanned: int
    share: float
    down_to_ns: int | None = None


class TraceStore(Protocol):
    """Lists traces, and returns them in X-Ray's format. Its calls raise boto3's errors and FetchError.

    `at_once` is the limit of traces per batch; `billed` counts the bytes that listing has scanned and AWS charges for.
    """

    name: str
    at_once: int
    billed: int

    def listed(self, selection: Selection) -> Iterator[Listed]:
        """List the ids of a selection, the newest first."""

    def batch(self, ids: Sequence[str]) -> TraceBatch:
        """Return traces by id, without those that are not ready. Several threads call it at once."""


class XRay:
    """X-Ray's own API: GetTraceSummaries and BatchGetTraces."""

    name, at_once, billed = "X-Ray", AT_ONCE, 0

    def __init__(self, xray: Any) -> None:
        self._xray = xray

    def listed(self, selection: Selection) -> Iterator[Listed]:
        """List ids as `TraceStore.listed`."""
        previous_ids: set[str] = set()
        windows_ = windows(selection.since_ns, selection.until_ns)
        for number, window in enumerate(windows_):
            ids_: set[str] = set()
            for page in pages(self._xray, window, selection.expression):
                # A trace is listed twice if it is on two pages of a window, or in the second that two windows share.
                fresh = [
                    trace_id
                    for trace_id in dict.fromkeys(page.ids)
                    if trace_id not in ids_ and trace_id not in previous_ids
                ]
                ids_.update(fresh)
                down_to = window.start_s * SECOND_NS if page.is_last else None
                yield Listed(fresh, page.scanned, (number + page.is_last) / len(windows_), down_to)
            previous_ids = ids_

    def batch(self, ids: Sequence[str]) -> TraceBatch:
        """Return traces as `TraceStore.batch`."""
        return batch(self._xray, ids)


class TimeWindow(NamedTuple):
    """A window between two whole seconds, as X-Ray needs them."""

    start_s: int
    end_s: int


def windows(since_ns: int, until_ns: int, longest_s: int = LONGEST_S) -> list[TimeWindow]:
    """Cut a time range into windows, the newest first; each ends in the second in which the one before it begins.

    They overlap by a second so that no trace is missed, whichever window X-Ray assigns that second to.
    """
    start, end = since_ns // SECOND_NS, -(-until_ns // SECOND_NS)
    parts: list[TimeWindow] = []
    while end > start:
        parts.append(TimeWindow(max(start, end - longest_s), end))
        end = parts[-1].start_s
    return parts


class Page(NamedTuple):
    """Ids of traces, the number of scanned traces, and whether it is the last page of the window."""

    ids: list[str]
    scanned: int
    is_last: bool


def pages(xray: Any, window: TimeWindow, expression: str | None) -> Iterator[Page]:
    """Yield the pages of one window, the newest first.

    Traces are selected by their start (TraceId): each trace is in exactly one window, however long it takes.
    """
    arguments: dict[str, Any] = {
        "StartTime": instant(window.start_s),
        "EndTime": instant(window.end_s),
        "TimeRangeType": "TraceId",
    }
    if expression is not None:
        arguments["FilterExpression"] = expression
    for answer in answers(xray.get_trace_summaries, arguments):
        ids = [summary["Id"] for summary in answer.get("TraceSummaries", ()) if summary.get("Id")]
        scanned = max(len(ids), answer.get("TracesProcessedCount") or 0)
        yield Page(ids, scanned, not answer.get("NextToken"))


def batch(xray: Any, ids: Sequence[str]) -> TraceBatch:
    """Return up to five traces with all their pages, as X-Ray stores them; unprocessed traces are absent."""
    traces: dict[str, dict[str, Any]] = {}
    calls = 0
    for answer in answers(xray.batch_get_traces, {"TraceIds": list(ids)}):
        calls += 1
        for trace in answer.get("Traces", ()):
            earlier = traces.setdefault(trace["Id"], trace)
            if earlier is not trace:  # it began on an earlier page
                earlier["Segments"] = [*earlier.get("Segments", ()), *trace.get("Segments", ())]
    return TraceBatch(traces, calls)


def answers(call: Callable[..., dict[str, Any]], arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the answers of AWS to a call, one for each page. Raises FetchError if a page comes again."""
    answer = call(**arguments)
    yield answer
    tokens: set[str] = set()
    while token := answer.get("NextToken"):
        if token in tokens:
            raise FetchError(SAME_PAGE, "try again later", passing=True)
        tokens.add(token)
        answer = call(**arguments, NextToken=token)
        yield answer


def instant(seconds: int) -> datetime:
    """Return a time (seconds since 1970) as boto3 takes it."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def is_in_progress(trace: dict[str, Any]) -> bool:
    """Return whether a segment of the trace is in progress."""
    documents = (segment["Document"] for segment in trace.get("Segments", ()))
    return any('"in_progress"' in document and _is_open(json.loads(document)) for document in documents)


def _is_open(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    is_open = document.get("in_progress") is True and "end_time" not in document
    return is_open or any(map(_is_open, document.get("subsegments") or ()))
