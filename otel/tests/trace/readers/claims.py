"""A document of each recorder, with the format that has to read it, and which documents two formats claim."""

import json
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import msgspec

from lambda_latency.trace.readers.formats import Format
from tests.trace.writers import MS, T0, TRACE_ID, WRITERS

GOLDEN = Path(__file__).parents[2] / "golden" / "xray"
MOST_LEFT_OUT = 3
IDS = {"trace_id": TRACE_ID, "span_id": "00000000000000a1", "parent_id": None}
TIMES = {"start_time": T0, "end_time": T0 + MS}
CLOUD_TRACE = {"spanId": "17", "kind": "RPC_SERVER", "name": "GET /", "startTime": "2026-01-01T00:00:00Z",
               "endTime": "2026-01-01T00:00:01Z", "labels": {"n": "7"}}  # fmt: skip
CLAIMS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "OTLP/JSON": ("OTLP", WRITERS["OTLP/JSON"]),
    "OTLP of old exporters": ("OTLP", WRITERS["OTLP of old exporters"]),
    "OTLP of the golden documents": ("OTLP", (GOLDEN / "spans.jsonl").read_bytes),
    "OTLP in snake_case": ("OTLP of other writers", WRITERS["OTLP in snake_case"]),
    "Tempo": ("OTLP of other writers", WRITERS["Tempo"]),
    "Jaeger v3": ("OTLP of other writers", WRITERS["Jaeger v3"]),
    "Java's logging-otlp": ("OTLP of other writers", WRITERS["Java's logging-otlp"]),
    "X-Ray": ("X-Ray", WRITERS["X-Ray"]),
    "X-Ray's golden segments": ("X-Ray", (GOLDEN / "segments.jsonl").read_bytes),
    "Cloud Trace": (
        "a list of bare spans",
        lambda: json.dumps({"projectId": "p", "traceId": TRACE_ID, "spans": [CLOUD_TRACE]}).encode(),
    ),
    "a list of bare spans": (
        "a list of bare spans",
        lambda: json.dumps({"count": 1, "spans": [{**IDS, **TIMES, "name": "GET /"}]}).encode(),
    ),
    "Jaeger": ("Jaeger", WRITERS["Jaeger"]),
    "a trace of Jaeger": ("Jaeger", lambda: json.dumps(json.loads(WRITERS["Jaeger"]())["data"]).encode()),
    "Python's console": ("Python's console", WRITERS["Python's console"]),
    "Go's console": ("Go's console", WRITERS["Go's console"]),
    "Phoenix": (
        "Python's console",
        lambda: json.dumps([{"id": "U3Bhbjox", "context": IDS, **TIMES, "name": "m", "span_kind": "LLM"}]).encode(),
    ),
    "a function's log": ("a function's log", WRITERS["a function's log"]),
    "Zipkin": ("Zipkin", WRITERS["Zipkin"]),
    "CloudWatch records": ("CloudWatch", WRITERS["CloudWatch records"]),
    "CloudWatch records with dots": ("CloudWatch", WRITERS["CloudWatch records with dots"]),
    "bare spans": ("bare spans", lambda: json.dumps({**IDS, **TIMES, "name": "GET /", "kind": "SERVER"}).encode()),
    "Logs Insights": ("an answer of CloudWatch", WRITERS["Logs Insights"]),
    "filter-log-events": ("an answer of CloudWatch", WRITERS["filter-log-events"]),
}


def objects(name: str) -> Iterator[dict[str, msgspec.Raw]]:
    """The members of each object of a recorder's text, which holds objects, lists of them, or lists of lists."""
    text, decoder = CLAIMS[name][1]().decode().strip(), json.JSONDecoder()
    while text:
        document, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        todo = [document]
        for member in todo:
            if isinstance(member, dict):
                yield {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in member.items()}
            else:
                todo += member


def both_claim(upper: Format, lower: Format) -> set[str]:
    """The recorders of which both formats claim an object, whole or without some of its members: most are optional."""
    return {
        name
        for name in CLAIMS
        for members in objects(name)
        for part in _with_members_left_out(members)
        if upper.fits(part) and lower.fits(part)
    }


def _with_members_left_out(members: dict[str, msgspec.Raw]) -> Iterator[dict[str, msgspec.Raw]]:
    for count in range(MOST_LEFT_OUT + 1):
        for left_out in combinations(members, count):
            yield {key: value for key, value in members.items() if key not in left_out}
