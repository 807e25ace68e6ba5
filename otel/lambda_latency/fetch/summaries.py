"""The ids of traces: GetTraceSummaries, window by window and page by page."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.fetch.windows import Window


class Page(NamedTuple):
    """Ids of traces, the number of scanned traces, and whether it is the last page of the window."""

    ids: list[str]
    scanned: int
    last: bool


def pages(xray: Any, window: Window, expression: str | None) -> Iterator[Page]:
    """The pages of one window, the newest first.

    Traces are selected by their start (TraceId): each trace is in exactly one window, however long it takes.
    """
    asked: dict[str, Any] = {
        "StartTime": datetime.fromtimestamp(window.start_s, timezone.utc),
        "EndTime": datetime.fromtimestamp(window.end_s, timezone.utc),
        "TimeRangeType": "TraceId",
    }
    if expression is not None:
        asked["FilterExpression"] = expression
    while True:
        answer = xray.get_trace_summaries(**asked)
        ids = [one["Id"] for one in answer.get("TraceSummaries", ()) if one.get("Id")]
        token = answer.get("NextToken")
        yield Page(ids, max(len(ids), answer.get("TracesProcessedCount") or 0), not token)
        if not token:
            return
        asked["NextToken"] = token
