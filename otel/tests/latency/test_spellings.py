"""The report is the same byte for byte for any spelling of an OTLP/JSON file."""

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.generate import realistic_traces
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.text import Style
from lambda_latency.trace import Event, Scope, Span, SpanKind, Status, read_traces, to_otlp
from tests.draws import draws
from tests.latency.generated import hundred
from tests.latency.generated import load as every_kind
from tests.latency.rewriting import WAYS, rewrite
from tests.latency.system import attempts, put_item, request
from tests.trace.build import MS, T0, tree

# Attributes that rules read, a resource, a scope and events, with values that have many spellings.
ODD = Span(
    trace_id="6b05a667affeb9dbb0aa7f2b00000abc",
    span_id="00f067aa0ba902b7",
    name='größe "日本" 🚀 a/b\\c',
    kind=SpanKind.CLIENT,
    start_ns=T0 + 5 * MS,
    end_ns=T0 + 90 * MS,
    status=Status.ERROR,
    status_message="An error occurred (ThrottlingException) when calling\tthe Query operation: ü",
    attributes={
        "http.method": "GET",
        "http.url": "https://shop.example:8443/größe/🚀?x=1",
        "http.status_code": 503,
        "server.port": 8443,
        "app.ratio": 0.5,
        "app.tags": ("a/b", "日本"),
        "app.map": {"x": 1, "y": ("z", 2.25)},
        "app.raw": b"\x00\x01",
        "retry_attempts": 1,
    },
    events=(Event("exception", T0 + 89 * MS, {"exception.type": "Größe/Error", "exception.message": 'a "b"'}),),
    resource={"service.name": "größe/🚀", "faas.name": "größe"},
    scope=Scope("scope/日本", "1.0"),
)


def _documents() -> list[dict[str, Any]]:
    call = put_item(20, 120, more={"retry_attempts": 1}, events=attempts((30, 50), (118, None)))
    retried = tree(request(call, end=200), unit=MS, trace_id="6b05a667affeb9dbb0aa7f2b000000ff")
    made: list[dict[str, Any]] = [to_otlp(trace.spans) for trace in [*every_kind()[::4], *hundred()[108:112], retried]]
    return [*made, to_otlp([ODD]), *(document for trace in realistic_traces(4) for document in trace)]


DOCUMENTS = _documents()


def _report(path: Path) -> tuple[int, str]:
    out = io.StringIO()
    return run_report(Request([path], json="-", everything=True), Style(), out), out.getvalue()


@cache
def _plain_report(path: Path) -> tuple[int, str]:
    path.write_text("".join(rewrite(document, 0, frozenset()) for document in DOCUMENTS), encoding="utf-8")
    return _report(path)


@pytest.mark.parametrize("way", WAYS)
def test_each_spelling_has_the_same_spans(way: str, tmp_path: Path) -> None:
    """Otherwise the property below would compare different spans."""
    path = tmp_path / "traces.jsonl"
    path.write_text("".join(rewrite(document, 0, frozenset()) for document in DOCUMENTS), encoding="utf-8")
    expected = read_traces(path)
    assert json.loads(rewrite(DOCUMENTS[0], 1, frozenset())) == DOCUMENTS[0]
    text = "".join(rewrite(document, number, frozenset([way])) for number, document in enumerate(DOCUMENTS))
    assert text != path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    assert read_traces(path) == expected


@settings(max_examples=draws(40, 8), deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.sets(st.sampled_from(WAYS), min_size=1))
def test_any_spelling_has_the_same_report(tmp_path_factory: pytest.TempPathFactory, seed: int, ways: set[str]) -> None:
    """The spelling of each value is random, so that no two documents are alike."""
    path = tmp_path_factory.getbasetemp() / "spellings.jsonl"
    expected = _plain_report(path)
    assert (expected[0], json.loads(expected[1])["requests"]) == (0, 20)
    lines = [rewrite(document, seed + number, frozenset(ways)) for number, document in enumerate(DOCUMENTS)]
    path.write_text("".join(lines), encoding="utf-8")
    assert _report(path) == expected


def test_an_attribute_may_have_its_value_before_its_key(tmp_path: Path) -> None:
    """The value is not read as one of the previous attribute: of six calls, three are attributed to each host."""
    path = tmp_path / "traces.jsonl"
    hosts = ("ship.example", "pay.example")
    lines = []
    for number in range(6):
        pairs = [
            f'{{"key":"app.id","value":{{"intValue":"{number}"}}}}',
            f'{{"value":{{"stringValue":"{hosts[number % 2]}"}},"key":"peer.service"}}',
        ]
        span = (
            f'{{"traceId":"{number + 1:032x}","spanId":"{number + 1:016x}","name":"GET /","kind":3,'
            f'"startTimeUnixNano":"1000","endTimeUnixNano":"2000","attributes":[{",".join(pairs)}],"status":{{}}}}'
        )
        scope = f'{{"scope":{{"name":"s"}},"spans":[{span}]}}'
        lines.append(f'{{"resourceSpans":[{{"resource":{{"attributes":[]}},"scopeSpans":[{scope}]}}]}}\n')
    path.write_text("".join(lines))
    status, text = _report(path)
    charged = {(bucket["bucket"], bucket["name"]): bucket["total_ns"] for bucket in json.loads(text)["buckets"]}
    assert (status, charged) == (0, {("external", host): 3000 for host in hosts})
