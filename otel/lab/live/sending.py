"""A sender of its own process: requests of nine spans that end now, posted as a batching exporter does.

`python -m lab.live.sending ENDPOINT RATE SECONDS` prints the number of requests that were taken.
"""

import json
import random
import re
import subprocess
import sys
import time

from lambda_latency.http import Client
from lambda_latency.trace import Span, SpanKind, to_otlp

MS = 1_000_000
TICK_S = 0.01
DELAY_S, BATCH = 0.1, 50  # an export is due after so long, or with so many requests
TIME = re.compile(r'"(1[0-9]{18})"')
ID = re.compile(r'"traceId":"([0-9a-f]{32})"')
MADE = 500


class Requests:
    """Requests by number: one of the made ones, with an id of its own, that ends now. One in 25 is slow."""

    def __init__(self, seed: int = 7) -> None:
        pick = random.Random(seed)  # noqa: S311 - ids of requests, no secrets
        self._texts = [json.dumps(to_otlp(_spans(number, pick)), separators=(",", ":")) for number in range(MADE)]
        self._ends = [max(map(int, TIME.findall(text))) for text in self._texts]
        self._first = pick.getrandbits(64) << 64

    def export(self, numbers: range) -> bytes:
        """An export with these requests."""
        groups = ",".join(self._text(number)[len('{"resourceSpans":[') : -len("]}")] for number in numbers)
        return f'{{"resourceSpans":[{groups}]}}'.encode()

    def _text(self, number: int) -> str:
        text, shift = self._texts[number % MADE], time.time_ns() - self._ends[number % MADE]
        moved = TIME.sub(lambda match: f'"{int(match[1]) + shift}"', text)
        return ID.sub(f'"traceId":"{self._first + number:032x}"', moved)


def send(endpoint: str, rate: float, seconds: float) -> int:
    """The number of requests that were taken."""
    requests, client, sent, taken = Requests(time.time_ns()), Client(endpoint), 0, 0
    start_s = posted = time.monotonic()
    while (now_s := time.monotonic()) < start_s + seconds:
        due = int((now_s - start_s) * rate)
        if due - sent >= BATCH or (due > sent and now_s - posted >= DELAY_S):
            posted = now_s
            answer = client.request(
                "POST", "/v1/traces", requests.export(range(sent, due)), {"Content-Type": "application/json"}
            )
            taken += due - sent if answer.status == 200 else 0
            sent = due
        time.sleep(TICK_S)
    client.close()
    return taken


def sender(endpoint: str, rate: int, seconds: int) -> subprocess.Popen[str]:
    """This module as a process of its own, which prints the number."""
    command = [sys.executable, "-m", "lab.live.sending", endpoint, str(rate), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _spans(number: int, pick: random.Random) -> list[Span]:
    end = time.time_ns()
    took = (1_200 if number % 25 == 0 else 40 + number % 30) * MS
    trace_id, resource = f"{pick.getrandbits(128):032x}", {"service.name": "shop"}
    root = Span(
        trace_id=trace_id,
        span_id=f"{1:016x}",
        parent_id=None,
        name="POST /orders",
        kind=SpanKind.SERVER,
        start_ns=end - took,
        end_ns=end,
        attributes={"http.route": "/orders", "http.request.method": "POST", "http.response.status_code": 201},
        resource=resource,
    )
    piece = took // 9
    return [root] + [
        Span(
            trace_id=trace_id,
            span_id=f"{2 + index:016x}",
            parent_id=root.span_id,
            name="GET",
            kind=SpanKind.CLIENT,
            start_ns=end - took + index * piece,
            end_ns=end - took + (index + 1) * piece,
            attributes={"server.address": f"host{index}.example.com", "http.request.method": "GET"},
            resource=resource,
        )
        for index in range(8)
    ]


if __name__ == "__main__":
    print(send(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
