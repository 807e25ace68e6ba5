"""Retrieves whole traces from Transaction Search: StartTraceRetrieval, ListRetrievedTraces until they are complete.

https://docs.aws.amazon.com/xray/latest/api/API_StartTraceRetrieval.html and API_ListRetrievedTraces.html
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lambda_latency.fetch.batches import Answer
from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.insights import PAUSES_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_S = 60 * 60  # AWS's limit for one retrieval
RUNNING = ("SCHEDULED", "RUNNING")


def retrieve(
    xray: Any, ids: Sequence[str], start_s: int, end_s: int, sleep: Callable[[float], None] = time.sleep
) -> Answer:
    """Traces by id with spans from `start_s` to `end_s` (seconds since 1970), as X-Ray's segments.

    Traces that are not found are absent. Raises boto3's errors, and FetchError if AWS ends the retrieval early.
    """
    token = xray.start_trace_retrieval(
        TraceIds=list(ids),
        StartTime=datetime.fromtimestamp(start_s, timezone.utc),
        EndTime=datetime.fromtimestamp(end_s, timezone.utc),
    )["RetrievalToken"]
    calls, waited, page = 1, 0.0, ""
    found: dict[str, dict[str, Any]] = {}
    while True:
        more = {"NextToken": page} if page else {}
        answer = xray.list_retrieved_traces(RetrievalToken=token, TraceFormat="XRAY", **more)
        calls += 1
        status = answer.get("RetrievalStatus", "COMPLETE")
        if status in RUNNING and waited < LONGEST_S:
            pause = PAUSES_S[min(calls - 2, len(PAUSES_S) - 1)]
            sleep(pause)
            waited += pause
            continue
        if status != "COMPLETE":
            raise FetchError(
                f"X-Ray ended a retrieval of {len(ids)} traces with status {status}", "try again later", passing=True
            )
        for one in answer.get("Traces", ()):
            trace = found.setdefault(one["Id"], {"Id": one["Id"], "Duration": one.get("Duration"), "Segments": []})
            trace["Segments"] += one.get("Spans", ())
        page = answer.get("NextToken", "")
        if not page:
            return Answer(found, calls)
