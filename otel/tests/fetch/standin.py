"""A fake of X-Ray's API that is as strict as AWS documents it, and fails as it is told to.

https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSummaries.html and API_BatchGetTraces.html: six hours, five ids,
page tokens, unprocessed ids, throttles; and who is not allowed to ask.
"""

import bisect
import http.client
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lambda_latency.http import Handler, Server, reset
from tests.fetch.search import LOGS, RETRIEVALS, Search

SIX_HOURS = 6 * 3600
# Access keys, and what becomes of those who sign with them.
KNOWN, DENIED, EXPIRED = "AKIAKNOWN", "AKIADENIED", "AKIAEXPIRED"
Segments = Callable[[str, int], list[dict[str, Any]]]


def trace_id(start_s: int, number: int) -> str:
    """An id as X-Ray makes them: it begins with the second."""
    return f"1-{start_s:08x}-{number:024x}"


@dataclass
class XRay:
    """X-Ray with some traces in it, on a port of 127.0.0.1, from the moment it is made until `close`.

    `segments` makes the documents of a trace out of its id and its start. Shares are of calls or ids, by chance with a
    seed. A trace in `in_progress` is so the first so many times that it is asked for; one in `absent` is unprocessed so
    many times. `matches` tells which ids a filter expression chooses.
    """

    segments: Segments
    page: int = 100
    batch_page: int = 4
    failing: float = 0.0
    a_second: float | None = None
    unprocessed: float = 0.0
    in_progress: dict[str, int] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    matches: dict[str, Callable[[str], bool]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    on_call: Callable[[int], None] = lambda _: None
    denied_after: int | None = None  # calls for traces
    cloudwatch: str | None = None
    search: Search | None = None  # Transaction Search is on
    may_ask_where: bool = True
    only_search: set[str] = field(default_factory=set)  # traces that X-Ray's own API does not know
    only_xray: set[str] = field(default_factory=set)  # traces that Transaction Search does not know

    def __post_init__(self) -> None:
        self._ids: list[tuple[int, str]] = []
        self._tokens: dict[str, tuple[str, list[str], int]] = {}
        self._random = random.Random(6)  # noqa: S311 - a seed that can be repeated
        self._lock = threading.Lock()
        self._allowed, self._filled = self.a_second or 0.0, time.monotonic()
        self._server = Server(type("Bound", (_Handler,), {"xray": self}))
        self.url = f"http://{self._server.address}"

    def put(self, start_s: int, name: str) -> None:
        """A trace that began in that second."""
        bisect.insort(self._ids, (start_s, name))

    def close(self) -> None:
        self._server.close()

    def answer(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """Status and body; None for a connection that is to break."""
        with self._lock:
            self.calls[path] += 1
            number, of_path = sum(self.calls.values()), self.calls[path]
        lot = self.lot()
        self.on_call(number)
        if key == DENIED or (path == "/Traces" and of_path > (self.denied_after or sys.maxsize)):
            who = "User: arn:aws:sts::123456789012:assumed-role/dev/me is not authorized to perform: xray:" + (
                "GetTraceSummaries" if path == "/TraceSummaries" else "BatchGetTraces"
            )
            return _refused(403, "AccessDeniedException", who)
        if key != KNOWN:
            return _unknown(key)
        if lot < self.failing / 2:
            return None if lot < self.failing / 4 else _refused(500, "InternalFailure", "")
        if lot < self.failing:
            return _refused(503, "ServiceUnavailable", "")
        if self._is_too_fast():
            return _refused(429, "ThrottledException", "Rate exceeded")
        with self._lock:
            if path == "/TraceSummaries":
                return self._summaries(body)
            return self._traces(body)

    def lot(self) -> float:
        """A number from 0 to 1 that decides whether a call fails."""
        with self._lock:
            return self._random.random()

    def kept(self, key: str) -> tuple[int, dict[str, Any]]:
        """Where the account's traces go."""
        if key not in (KNOWN, DENIED):
            return _unknown(key)
        if key == DENIED or not self.may_ask_where:
            return _refused(403, "AccessDeniedException", "not authorized to perform: xray:GetTraceSegmentDestination")
        return 200, {"Destination": "XRay" if self.search is None else "CloudWatchLogs", "Status": "ACTIVE"}

    def between(self, start_s: int, end_s: int) -> list[tuple[int, str]]:
        """The traces that began from one second to another, both included."""
        return [trace for trace in self._began(start_s, end_s) if trace[1] not in self.only_xray]

    def _began(self, start_s: int, end_s: int) -> list[tuple[int, str]]:
        low, high = bisect.bisect_left(self._ids, (start_s, "")), bisect.bisect_right(self._ids, (end_s, "~"))
        return self._ids[low:high]

    def whole(self, name: str) -> dict[str, Any] | None:
        """A trace as X-Ray stores it; None where there is none."""
        return self._trace(name) if self._is_known(name) and name not in self.only_xray else None

    def _is_too_fast(self) -> bool:
        """A bucket with a second's calls in it, filled as time goes by."""
        if self.a_second is None:
            return False
        with self._lock:
            now_s = time.monotonic()
            self._allowed = min(self.a_second, self._allowed + (now_s - self._filled) * self.a_second)
            self._filled = now_s
            if self._allowed < 1:
                self.calls["throttled"] += 1
                return True
            self._allowed -= 1
            return False

    def _summaries(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        start, end, expression = body["StartTime"], body["EndTime"], body.get("FilterExpression")
        if end <= start:
            return _refused(400, "InvalidRequestException", "Start time must be before end time")
        if end - start > SIX_HOURS:
            return _refused(400, "InvalidRequestException", "Time range cannot be longer than 6 hours")
        if body.get("TimeRangeType") != "TraceId":
            return _refused(400, "InvalidRequestException", "not what this stand-in knows")
        if expression is not None and expression not in self.matches:
            return _refused(400, "InvalidRequestException", "Invalid filter expression")
        query = json.dumps([start, end, expression])
        if "NextToken" not in body:
            # Both ends count, so a trace of the second between two windows is listed in both; the newest come first.
            names = [name for _, name in reversed(self._began(start, end)) if name not in self.only_search]
            offset = 0
        else:
            token = self._tokens.pop(body["NextToken"], None)
            if token is None or token[0] != query:
                return _refused(400, "InvalidRequestException", "Invalid NextToken")
            _, names, offset = token
        page = names[offset : offset + self.page]
        chosen = page if expression is None else [name for name in page if self.matches[expression](name)]
        response: dict[str, Any] = {
            "TraceSummaries": [{"Id": name, "Duration": 0.1} for name in chosen],
            "TracesProcessedCount": len(page),
            "ApproximateTime": start,
        }
        if offset + self.page < len(names):
            response["NextToken"] = self._token(query, names, offset + self.page)
        return 200, response

    def _traces(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ids = body["TraceIds"]
        if len(ids) > 5:
            return _refused(400, "InvalidRequestException", "TraceIds must not be longer than 5")
        if any(re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", name) is None for name in ids):
            return _refused(400, "InvalidRequestException", "Invalid trace id")
        query = json.dumps(ids)
        if "NextToken" not in body:
            processed = [name for name in ids if self._is_processed(name)]
            absent = [name for name in ids if name not in processed]
        else:
            token = self._tokens.pop(body["NextToken"], None)
            if token is None or token[0] != query:
                return _refused(400, "InvalidRequestException", "Invalid NextToken")
            processed, absent = token[1], []
        response: dict[str, Any] = {
            "Traces": [self._trace(name) for name in processed[: self.batch_page]],
            "UnprocessedTraceIds": absent,
        }
        if len(processed) > self.batch_page:
            response["NextToken"] = self._token(query, processed[self.batch_page :], 0)
        return 200, response

    def _is_processed(self, name: str) -> bool:
        if self.absent.get(name, 0) > 0:
            self.absent[name] -= 1
            return False
        return self._is_known(name) and name not in self.only_search and self._random.random() >= self.unprocessed

    def _is_known(self, name: str) -> bool:
        index = bisect.bisect_left(self._ids, (int(name.split("-")[1], 16), name))
        return index < len(self._ids) and self._ids[index][1] == name

    def _trace(self, name: str) -> dict[str, Any]:
        segments = self.segments(name, int(name.split("-")[1], 16))
        if self.in_progress.get(name, 0) > 0:
            self.in_progress[name] -= 1
            newest = {key: value for key, value in segments[-1].items() if key != "end_time"}
            segments = [*segments[:-1], {**newest, "in_progress": True}]
        return {
            "Id": name,
            "Duration": 0.1,
            "LimitExceeded": False,
            "Segments": [{"Id": segment["id"], "Document": json.dumps(segment)} for segment in segments],
        }

    def _token(self, query: str, names: list[str], offset: int) -> str:
        token = f"token-{len(self._tokens)}-{self._random.random()}"
        self._tokens[token] = (query, names, offset)
        return token


class _Handler(Handler):
    xray: XRay

    def do_POST(self) -> None:
        body = self.body()
        signed = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        key = signed[1] if signed else ""
        target = self.headers.get("X-Amz-Target", "")
        if self.path == "/GetTraceSegmentDestination":
            self._answer(*self.xray.kept(key))
            return
        if self.xray.search is not None and (self.path in RETRIEVALS or target.startswith(LOGS)):
            operation = target.removeprefix(LOGS) or self.path
            self.xray.on_call(sum(self.xray.search.calls.values()) + 1)
            lot = self.xray.lot()
            if lot < self.xray.failing / 4:
                self._break()
                return
            if lot < self.xray.failing:
                self._answer(*_refused(503, "ServiceUnavailableException", ""))
                return
            self._answer(*self.xray.search.answer(self.xray, operation, json.loads(body)))
            return
        if self.path not in ("/TraceSummaries", "/Traces"):
            self._forward(body)
            return
        answer = self.xray.answer(self.path, key, json.loads(body))
        if answer is None:
            self._break()
            return
        self._answer(*answer)

    def _break(self) -> None:
        reset(self.connection)
        self.close_connection = True

    def _answer(self, status: int, response: dict[str, Any]) -> None:
        kind = {"x-amzn-ErrorType": response["__type"]} if "__type" in response else {}
        self.answer(status, json.dumps(response).encode(), {"Content-Type": "application/json", **kind})

    def _forward(self, body: bytes) -> None:
        """CloudWatch is somebody else's."""
        if self.xray.cloudwatch is None:
            refused = json.dumps({"__type": "AccessDeniedException", "message": "not you"}).encode()
            self.answer(400, refused, {"Content-Type": "application/x-amz-json-1.0"})
            return
        connection = http.client.HTTPConnection(urlsplit(self.xray.cloudwatch).netloc, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        connection.request("POST", self.path, body, headers)
        answer = connection.getresponse()
        passed = ("content-type", "smithy-protocol", "x-amzn-requestid")
        self.answer(answer.status, answer.read(), [h for h in answer.getheaders() if h[0].lower() in passed])
        connection.close()


def _unknown(key: str) -> tuple[int, dict[str, Any]]:
    if key == EXPIRED:
        return _refused(403, "ExpiredTokenException", "The security token included in the request is expired")
    return _refused(403, "UnrecognizedClientException", "The security token included in the request is invalid.")


def _refused(status: int, kind: str, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"__type": kind, "message": message}
