"""The same requests from X-Ray's API, from aws/spans and as OTLP: the same parts, in a report and in an archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.generate import realistic_traces
from lab.report_speed.formats import xray_answers
from lab.report_speed.variations import spans_of
from lambda_latency.archive import add, read_kept
from lambda_latency.latency import load
from lambda_latency.trace import Source
from tests.fetch.test_laptop import IN_MILLISECONDS

if TYPE_CHECKING:
    from lambda_latency.latency import Account

COUNT = 60
KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
CODES = {0: "UNSET", 1: "OK", 2: "ERROR"}


def value_of(value: dict[str, Any]) -> Any:
    """A value of OTLP/JSON as CloudWatch writes it."""
    ((kind, found),) = value.items()
    if kind == "arrayValue":
        return [value_of(one) for one in found["values"]]
    return int(found) if kind == "intValue" else found


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
    return "".join(json.dumps(one) + "\n" for one in lines)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same requests in each form."""
    folder = tmp_path_factory.mktemp("sources")
    texts = {
        "OTLP": "".join(json.dumps(one) + "\n" for trace in realistic_traces(COUNT) for one in trace),
        "aws/spans": records(realistic_traces(COUNT)),
        "X-Ray": "".join(xray_answers(realistic_traces(COUNT))),
    }
    for name, text in texts.items():
        (folder / f"{name.replace('/', '-')}.jsonl").write_text(text)
    return {name: folder / f"{name.replace('/', '-')}.jsonl" for name in texts}


def parts(one: Account) -> dict[tuple[str, str], int]:
    return {(part.bucket, part.name): ns for part, ns in one.parts}


def judged(path: Path) -> dict[str, Account]:
    return {one.trace_id: one for one in load([Source(path.name, path)], [])}


@pytest.mark.parametrize("name", ["aws/spans", "X-Ray"])
def test_the_parts_are_the_same_from_each_source(files: dict[str, Path], name: str) -> None:
    """To the nanosecond from aws/spans; X-Ray keeps microseconds of a span, and Lambda's milliseconds."""
    ours, theirs = judged(files["OTLP"]), judged(files[name])
    assert ours.keys() == theirs.keys()
    spans = {next(spans_of(trace))["traceId"]: len(list(spans_of(trace))) for trace in realistic_traces(COUNT)}
    for trace_id, one in ours.items():
        other = theirs[trace_id]
        assert (one.route, one.status_code, one.cold_start, one.error) == (
            other.route, other.status_code, other.cold_start, other.error)  # fmt: skip
        before, after = parts(one), parts(other)
        for part in before.keys() | after.keys():
            allowed_ns = 0
            if name == "X-Ray":
                allowed_ns = 2_000_000 if part[0] in IN_MILLISECONDS else 2_000 * spans[trace_id]
            assert abs(before.get(part, 0) - after.get(part, 0)) <= allowed_ns, (trace_id, part)


@pytest.mark.parametrize("name", ["OTLP", "aws/spans", "X-Ray"])
def test_an_archive_keeps_what_each_source_says(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    """As OTLP: judged again, its spans have the same account."""
    add(str(tmp_path / "archive"), [files[name]])
    kept = read_kept(str(tmp_path / "archive"))
    wanted = judged(files[name])
    assert {one.trace_id: one for one in kept.accounts} == wanted
    (tmp_path / "spans").mkdir()
    paths = sorted((tmp_path / "archive" / "spans").rglob("*.gz"))
    again = {one.trace_id: one for one in load([Source(path.name, path) for path in paths], [])}
    assert {key: parts(one) for key, one in again.items()} == {key: parts(one) for key, one in wanted.items()}
