"""A fake of Transaction Search, as strict as AWS documents it: Logs Insights in `aws/spans`, and retrieval.

10,000 rows a query, seconds that both count, answers that are there later, 100 ids a retrieval, five traces a page.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html and
https://docs.aws.amazon.com/xray/latest/api/API_StartTraceRetrieval.html
"""

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

    def answer(self, traces: Traces, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        with self._lock:
            self.calls[operation] += 1
            answers = {
                "StartQuery": self._start,
                "GetQueryResults": self._results,
                "/StartTraceRetrieval": self._retrieve,
                "/ListRetrievedTraces": self._list,
            }
            return answers[operation](traces, body)

    def _start(self, traces: Traces, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.busy:
            self.busy -= 1
            return _refused("LimitExceededException", "too many queries run at once")
        match = QUERY.fullmatch(body["queryString"])
        if match is None or body["logGroupNames"] != ["aws/spans"] or body["endTime"] < body["startTime"]:
            return _refused("MalformedQueryException", body["queryString"])
        conditions = match["filters"].removeprefix("filter ").split(" | filter ")
        narrowing = [condition for condition in conditions if condition != BEGINS]
        unknown = [condition for condition in narrowing if condition not in self.matches]
        if unknown:
            return _refused("MalformedQueryException", unknown[0])
        everything = traces.between(body["startTime"], body["endTime"])
        matching = [(second, name) for second, name in everything if all(self.matches[c](name) for c in narrowing)]
        scanned = len(everything) * SPANS * SPAN_BYTES
        self.scanned += scanned
        self.queries.append((body["startTime"], body["endTime"]))
        rows = [
            [{"field": "began", "value": f"{second * 10**9}"}, {"field": "traceId", "value": name[2:].replace("-", "")}]
            for second, name in reversed(matching)
        ]
        done = {
            "status": self.ends.pop(0) if self.ends else "Complete",
            "results": rows[:10_000],
            "statistics": {"recordsMatched": float(len(matching)), "bytesScanned": float(scanned)},
        }
        number = f"query-{next(self._numbers)}"
        self._answers[number] = [{"status": "Scheduled", "results": []}, {"status": "Running", "results": []}, done]
        return 200, {"queryId": number}

    def _results(self, _: Traces, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        pending = self._answers[body["queryId"]]
        return 200, pending.pop(0) if len(pending) > 1 else pending[0]

    def _retrieve(self, traces: Traces, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ids = body["TraceIds"]
        if len(ids) > 100 or any(re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", name) is None for name in ids):
            return _refused("InvalidRequestException", "TraceIds")
        retrieved = []
        for name in ids:
            whole = traces.whole(name)
            if whole is not None and body["StartTime"] <= int(name.split("-")[1], 16) <= body["EndTime"]:
                retrieved.append({"Id": name, "Duration": whole["Duration"], "Spans": whole["Segments"]})
        token = f"token-{next(self._numbers)}"
        self._retrieved[token] = retrieved
        return 200, {"RetrievalToken": token}

    def _list(self, _: Traces, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        token, page = body["RetrievalToken"], int(body.get("NextToken", "0"))
        self._looked[token] += 1
        if self._looked[token] == 1:
            return 200, {"RetrievalStatus": "RUNNING", "TraceFormat": "XRAY", "Traces": []}
        chunk = self._retrieved[token][page : page + 5]
        more = {"NextToken": str(page + 5)} if page + 5 < len(self._retrieved[token]) else {}
        return 200, {"RetrievalStatus": "COMPLETE", "TraceFormat": "XRAY", "Traces": chunk, **more}


def _refused(kind: str, message: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": kind, "message": message}
