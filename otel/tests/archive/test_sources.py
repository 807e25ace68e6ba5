"""The same requests from X-Ray's API, from aws/spans and as OTLP: the same parts, in a report and in an archive."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.generate import realistic_traces, spans_of
from lab.report_speed.formats import xray_answers
from lambda_latency.archive import add, read_requests
from lambda_latency.latency import Breakdown, load
from lambda_latency.trace import Source
from tests.fetch.test_laptop import IN_MILLISECONDS

COUNT = 60
KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
CODES = {0: "UNSET", 1: "OK", 2: "ERROR"}


def value_of(value: dict[str, Any]) -> Any:
    """A value of OTLP/JSON as CloudWatch writes it."""
    ((kind, content),) = value.items()
    if kind == "arrayValue":
        return [value_of(member) for member in content["values"]]
    return int(content) if kind == "intValue" else content


def attributes_of(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: value_of(pair["value"]) for pair in pairs}


def records(traces: Any) -> str:
    """The lines of the log group."""
    lines = []
    for trace in traces:
        for document in trace:
            for group in document["resourceSpans"]:
                resource = {"attributes": attributes_of(group["resource"]["attributes"])}
                for members in group["scopeSpans"]:
                    for span in members["spans"]:
                        start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
                        lines.append({
                            "resource": resource, "scope": members["scope"], "traceId": span["traceId"],
                            "spanId": span["spanId"], "name": span["name"], "kind": KINDS[span["kind"]],
                            **({"parentSpanId": span["parentSpanId"]} if span.get("parentSpanId") else {}),
                            **({"flags": span["flags"]} if "flags" in span else {}),
                            "startTimeUnixNano": start, "endTimeUnixNano": end, "durationNano": end - start,
                            "attributes": attributes_of(span.get("attributes", [])),
                            "status": {"code": CODES[span.get("status", {}).get("code", 0)]},
                        })  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same requests in each form."""
    folder = tmp_path_factory.mktemp("sources")
    texts = {
        "OTLP": "".join(json.dumps(document) + "\n" for trace in realistic_traces(COUNT) for document in trace),
        "aws/spans": records(realistic_traces(COUNT)),
        "X-Ray": "".join(xray_answers(realistic_traces(COUNT))),
    }
    for name, text in texts.items():
        (folder / f"{name.replace('/', '-')}.jsonl").write_text(text)
    return {name: folder / f"{name.replace('/', '-')}.jsonl" for name in texts}


def parts(breakdown: Breakdown) -> dict[tuple[str, str], int]:
    return {(part.category, part.name): ns for part, ns in breakdown.components}


def judged(path: Path) -> dict[str, Breakdown]:
    return {a.trace_id: a for a in load([Source(path.name, path)], [])}


@pytest.mark.parametrize("name", ["aws/spans", "X-Ray"])
def test_the_parts_are_the_same_from_each_source(files: dict[str, Path], name: str) -> None:
    """To the nanosecond from aws/spans; X-Ray keeps microseconds of a span, and Lambda's milliseconds."""
    by_otlp, by_source = judged(files["OTLP"]), judged(files[name])
    assert by_otlp.keys() == by_source.keys()
    spans = {next(spans_of(trace))["traceId"]: len(list(spans_of(trace))) for trace in realistic_traces(COUNT)}
    for trace_id, breakdown in by_otlp.items():
        counterpart = by_source[trace_id]
        assert (breakdown.route, breakdown.status_code, breakdown.cold_start, breakdown.error) == (
            counterpart.route, counterpart.status_code, counterpart.cold_start, counterpart.error)  # fmt: skip
        expected, actual = parts(breakdown), parts(counterpart)
        for part in expected.keys() | actual.keys():
            allowed_ns = 0
            if name == "X-Ray":
                allowed_ns = 2_000_000 if part[0] in IN_MILLISECONDS else 2_000 * spans[trace_id]
            assert abs(expected.get(part, 0) - actual.get(part, 0)) <= allowed_ns, (trace_id, part)


@pytest.mark.parametrize("name", ["OTLP", "aws/spans", "X-Ray"])
def test_an_archive_keeps_what_each_source_says(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    """As OTLP: judged again, its spans have the same account."""
    add(str(tmp_path / "archive"), [files[name]])
    archive = read_requests(str(tmp_path / "archive"))
    expected = judged(files[name])
    assert {a.trace_id: a for a in archive.breakdowns} == expected
    (tmp_path / "spans").mkdir()
    paths = sorted((tmp_path / "archive" / "spans").rglob("*.gz"))
    rejudged = {a.trace_id: a for a in load([Source(path.name, path) for path in paths], [])}
    assert {key: parts(a) for key, a in rejudged.items()} == {key: parts(a) for key, a in expected.items()}
