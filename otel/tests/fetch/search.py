"""A stand-in for Transaction Search, as strict as AWS documents it: Logs Insights in `aws/spans`, and retrieval.

10,000 rows a query, seconds that both count, answers that are there later, 100 ids a retrieval, five traces a page.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html and
https://docs.aws.amazon.com/xray/latest/api/API_StartTraceRetrieval.html
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

LOGS = "Logs_20140328."
RETRIEVALS = ("/StartTraceRetrieval", "/ListRetrievedTraces")
SPAN_BYTES, SPANS = 1_500, 6
BEGINS = '(kind = "SERVER" or kind = "CONSUMER" or attributes.aws.span.kind = "LOCAL_ROOT")'
QUERY = re.compile(
    r"(?P<filters>filter .+?) \| stats min\(startTimeUnixNano\) as began by traceId \| sort began desc \| limit 10000"
)


class Traces(Protocol):
    """What it takes of the account."""

    def between(self, start_s: int, end_s: int) -> list[tuple[int, str]]: ...

    def whole(self, name: str) -> dict[str, Any] | None: ...


@dataclass
class Search:
    """`matches` tells which ids a condition beside the usual one chooses. `busy`: so many queries are refused first.

    `ends`: the status in which the next queries end, in turn, before they are Complete.
    """

    matches: dict[str, Callable[[str], bool]] = field(default_factory=dict)
    busy: int = 0
    ends: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    scanned: int = 0
    queries: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._answers: dict[str, list[dict[str, Any]]] = {}
        self._retrieved: dict[str, list[dict[str, Any]]] = {}
        self._looked: Counter[str] = Counter()

    def answer(self, traces: Traces, what: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        with self._lock:
            self.calls[what] += 1
            answers = {
                "StartQuery": self._start,
                "GetQueryResults": self._results,
                "/StartTraceRetrieval": self._retrieve,
                "/ListRetrievedTraces": self._list,
            }
            return answers[what](traces, body)

    def _start(self, traces: Traces, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.busy:
            self.busy -= 1
            return _refused("LimitExceededException", "too many queries run at once")
        match = QUERY.fullmatch(body["queryString"])
        if match is None or body["logGroupNames"] != ["aws/spans"] or body["endTime"] < body["startTime"]:
            return _refused("MalformedQueryException", body["queryString"])
        conditions = match["filters"].removeprefix("filter ").split(" | filter ")
        unknown = [one for one in conditions if one != BEGINS and one not in self.matches]
        if unknown:
            return _refused("MalformedQueryException", unknown[0])
        everything = traces.between(body["startTime"], body["endTime"])
        found = [
            (at, name) for at, name in everything if all(self.matches[one](name) for one in conditions if one != BEGINS)
        ]
        scanned = len(everything) * SPANS * SPAN_BYTES
        self.scanned += scanned
        self.queries.append((body["startTime"], body["endTime"]))
        rows = [
            [{"field": "began", "value": f"{at * 10**9}"}, {"field": "traceId", "value": name[2:].replace("-", "")}]
            for at, name in reversed(found)
        ]
        done = {
            "status": self.ends.pop(0) if self.ends else "Complete",
            "results": rows[:10_000],
            "statistics": {"recordsMatched": float(len(found)), "bytesScanned": float(scanned)},
        }
        number = f"query-{next(self._numbers)}"
        self._answers[number] = [{"status": "Scheduled", "results": []}, {"status": "Running", "results": []}, done]
        return 200, {"queryId": number}

    def _results(self, _: Traces, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        left = self._answers[body["queryId"]]
        return 200, left.pop(0) if len(left) > 1 else left[0]

    def _retrieve(self, traces: Traces, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ids = body["TraceIds"]
        if len(ids) > 100 or any(re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", one) is None for one in ids):
            return _refused("InvalidRequestException", "TraceIds")
        found = []
        for name in ids:
            whole = traces.whole(name)
            if whole is not None and body["StartTime"] <= int(name.split("-")[1], 16) <= body["EndTime"]:
                found.append({"Id": name, "Duration": whole["Duration"], "Spans": whole["Segments"]})
        token = f"token-{next(self._numbers)}"
        self._retrieved[token] = found
        return 200, {"RetrievalToken": token}

    def _list(self, _: Traces, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        token, page = body["RetrievalToken"], int(body.get("NextToken", "0"))
        self._looked[token] += 1
        if self._looked[token] == 1:
            return 200, {"RetrievalStatus": "RUNNING", "TraceFormat": "XRAY", "Traces": []}
        some = self._retrieved[token][page : page + 5]
        more = {"NextToken": str(page + 5)} if page + 5 < len(self._retrieved[token]) else {}
        return 200, {"RetrievalStatus": "COMPLETE", "TraceFormat": "XRAY", "Traces": some, **more}


def _refused(kind: str, message: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": kind, "message": message}
