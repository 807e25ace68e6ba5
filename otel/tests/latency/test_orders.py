"""The report is the same byte for byte, for any order of spans and any number of processes."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.generate import realistic_traces
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.text import Style
from lambda_latency.trace import to_otlp
from tests.draws import draws
from tests.latency.generated import hundred
from tests.latency.generated import load as every_kind

FILES = ("a.jsonl", "b.jsonl", "c.jsonl")


def _groups() -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """The resource, the scope and the span of each span of about fifty requests."""
    made: list[Any] = [to_otlp(trace.spans) for trace in [*every_kind()[::2], *hundred()[100:114]]]
    made += [document for trace in realistic_traces(12) for document in trace]
    return [
        (group["resource"], members["scope"], span)
        for document in made
        for group in document["resourceSpans"]
        for members in group["scopeSpans"]
        for span in members["spans"]
    ]


SPANS = _groups()


def _write(folder: Path, draw: random.Random) -> list[Path]:
    """Write all spans to files of many lines; the order of spans, lines, attributes and keys is random."""
    spans = draw.sample(SPANS, len(SPANS))
    lines: dict[str, list[str]] = {name: [] for name in FILES}
    while spans:
        batch = [spans.pop() for _ in range(min(draw.randrange(1, 9), len(spans)))]
        groups = [
            {"resource": resource, "scopeSpans": [{"scope": scope, "spans": [span]}]} for resource, scope, span in batch
        ]
        lines[draw.choice(FILES)].append(json.dumps(_mixed({"resourceSpans": groups}, draw)) + "\n")
    for name, written in lines.items():
        (folder / name).write_text("".join(written))
    return [folder / name for name in draw.sample(FILES, len(FILES))]


def _mixed(value: Any, draw: random.Random) -> Any:
    """The value with keys and attributes in random order; lists of values keep their order."""
    if isinstance(value, dict):
        mixed = {key: _mixed(inner, draw) for key, inner in draw.sample(list(value.items()), len(value))}
        if "attributes" in mixed:
            draw.shuffle(mixed["attributes"])
        return mixed
    return [_mixed(member, draw) for member in value] if isinstance(value, list) else value


def _report(paths: list[Path], processes: int | None = None) -> tuple[int, str]:
    out = io.StringIO()
    request = Request([*paths], json="-", everything=True, processes=processes)
    return run_report(request, Style(), out), out.getvalue()


@settings(max_examples=draws(8, 2), deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 2**32))
def test_no_order_and_no_number_of_processes_changes_a_byte(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Files, lines, spans, attributes and keys are shuffled; one, two and three processes read them."""
    folder = tmp_path_factory.getbasetemp()
    expected = _report(_write(folder, random.Random(0)))  # noqa: S311 - a repeatable seed
    assert (expected[0], json.loads(expected[1])["requests"]) == (0, 46)
    paths = _write(folder, random.Random(seed))  # noqa: S311
    reports = {processes: _report(paths, processes) for processes in (None, 1, 2, 3)}
    assert {processes: report == expected for processes, report in reports.items()} == dict.fromkeys(reports, True)


def test_whether_a_span_can_be_read_does_not_depend_on_the_one_before(tmp_path: Path) -> None:
    """An invalid list is handled alike in either order of the files: the report has what each file has."""
    for name, values in (("a.jsonl", []), ("b.jsonl", 7)):
        number = ord(name[0])
        span = {
            "traceId": f"{number:032x}",
            "spanId": f"{number:016x}",
            "name": "GET /",
            "kind": 2,
            "startTimeUnixNano": "1000",
            "endTimeUnixNano": "2000",
            "attributes": [{"key": "app.list", "value": {"arrayValue": {"values": values}}}],
            "status": {},
        }
        group = {"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "s"}, "spans": [span]}]}
        (tmp_path / name).write_text(json.dumps({"resourceSpans": [group]}, separators=(",", ":")) + "\n")
    a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    assert _report([a, b]) == _report([b, a])
    alone = [json.loads(_report([path])[1]) for path in (a, b)]
    both = json.loads(_report([a, b])[1])
    assert both["requests"] == sum(report["requests"] for report in alone)
    assert both["problems"] == [problem for report in alone for problem in report["problems"]]
