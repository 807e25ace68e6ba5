"""Queries of CloudWatch Logs Insights: started, awaited, and stopped if they are abandoned.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.fetch.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_ROWS = 10_000  # the limit of rows per query
PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between polls; the last one repeats
BUSY_TRIES = 8  # an account may run a limited number of queries at once
RUNNING = ("Scheduled", "Running")


class Found(NamedTuple):
    """Rows by field, the number of records that matched, and the bytes that were scanned for them."""

    rows: list[dict[str, str]]
    matched: int
    scanned: int


def query(
    logs: Any, group: str, text: str, start_s: int, end_s: int, sleep: Callable[[float], None] = time.sleep
) -> Found:
    """Runs one query over the records from `start_s` to `end_s` (seconds since 1970, both included).

    Raises boto3's errors, and FetchError if CloudWatch ends the query without a result.
    """
    asked = {"logGroupNames": [group], "queryString": text, "startTime": start_s, "endTime": end_s, "limit": MOST_ROWS}
    query_id = _begin(logs, asked, sleep)
    looks = 0
    try:
        while (answer := logs.get_query_results(queryId=query_id))["status"] in RUNNING:
            sleep(PAUSES_S[min(looks, len(PAUSES_S) - 1)])
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
    rows = [{one["field"]: one.get("value", "") for one in row} for row in answer.get("results", ())]
    counted = answer.get("statistics", {})
    return Found(rows, round(counted.get("recordsMatched", 0)), round(counted.get("bytesScanned", 0)))


def _begin(logs: Any, asked: dict[str, Any], sleep: Callable[[float], None]) -> str:
    for _ in range(BUSY_TRIES - 1):
        try:
            return str(logs.start_query(**asked)["queryId"])
        except logs.exceptions.LimitExceededException:
            sleep(PAUSES_S[-1])
    return str(logs.start_query(**asked)["queryId"])
