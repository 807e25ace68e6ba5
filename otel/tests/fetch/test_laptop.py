"""Traces of the laptop in moto's X-Ray, fetched from there by the same commands as from AWS's own."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lambda_latency.local.cloud.clients import clients
from lambda_latency.trace import SERVICE, Span, Trace, dump_line, read_traces
from tests.fetch.conftest import ROOT, Run
from tests.xray.platform import xray_documents
from tests.xray.test_platform import TRACE, invocation, stage

REQUESTS = 20
MS = 1_000_000
MOST_DOCUMENTS = 50  # that X-Ray takes in a call
# Lambda and API Gateway write whole milliseconds; what lies between their spans and others is off by as much.
IN_MILLISECONDS = ("api gateway", "lambda", "laptop", "unknown")


def put(url: str, spans: Iterable[Span]) -> list[dict[str, Any]]:
    """Put the documents of these spans into an X-Ray, and return them."""
    documents = xray_documents(spans, ["http.route"])
    client = clients(url)("xray")
    for begin in range(0, len(documents), MOST_DOCUMENTS):
        texts = [json.dumps(document) for document in documents[begin : begin + MOST_DOCUMENTS]]
        assert client.put_trace_segments(TraceSegmentDocuments=texts)["UnprocessedTraceSegments"] == []
    client.close()
    return documents


def by_id(document: dict[str, Any]) -> str:
    """The key of a sort."""
    return str(document["id"])


def accounts(text: str) -> dict[str, dict[str, Any]]:
    """The requests of a report by their trace ids."""
    return {request["trace_id"]: request for request in json.loads(text)["per_request"]}


def parts(request: dict[str, Any]) -> dict[tuple[str, str], int]:
    """The time in each part of a request."""
    return {(part["bucket"], part["name"]): part["ns"] for part in request["buckets"]}


def allowed_ns(trace: Trace) -> tuple[int, int]:
    """How much longer a cold start, and how much shorter any part, may be by X-Ray than by the spans.

    Lambda's segment begins with the millisecond of the call, and its time before an Initialization is a cold start. It
    ends with the last whole millisecond of the invocation, and a call that runs beyond it is counted up to there.
    """
    (service,) = (span for span in trace.spans if span.origin == SERVICE)
    return service.start_ns % MS, (service.end_ns or 0) % MS


def check_parts(by_file: dict[str, Any], by_xray: dict[str, Any], begin_ns: int, end_ns: int) -> int:
    """Compare the parts of a request that was read from both; the number of parts that are not in milliseconds."""
    rounding_ns = 1000 * len({span["span_id"] for span in by_file["path"]})
    file_parts, xray_parts = parts(by_file), parts(by_xray)
    compared = 0
    for part in file_parts.keys() | xray_parts.keys():
        longer_ns = xray_parts.get(part, 0) - file_parts.get(part, 0)
        if part[0] in IN_MILLISECONDS:
            assert abs(longer_ns) <= 2 * MS, (by_file["trace_id"], part, longer_ns)
            continue
        most_ns = rounding_ns + (begin_ns if part[0] == "cold start" else 0)
        assert -end_ns - rounding_ns <= longer_ns <= most_ns, (by_file["trace_id"], part, longer_ns)
        compared += 1
    return compared


def test_the_demos_traces_have_the_same_parts_when_they_went_through_x_ray(moto: str, run: Run, tmp_path: Path) -> None:
    """To a microsecond a span where spans carry more than milliseconds, but for the milliseconds of Lambda's segment.

    Nothing has to be set up for an X-Ray on this machine.
    """
    options = ["--requests", str(REQUESTS), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "lambda_latency", "demo", *options]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    traces = tmp_path / "out" / "traces.jsonl"
    put(moto, (span for trace in read_traces(traces).traces for span in trace.spans))

    page = ("--html", str(tmp_path / "page.html"))
    unset = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_DEFAULT_REGION": ""}
    fetched = run("report", "--xray", "--all", "--format", "json", *page, AWS_ENDPOINT_URL=moto, **unset)
    assert (fetched.returncode, fetched.stderr) == (0, "")
    written = (tmp_path / "page.html").read_text()
    assert '"sources":["X-Ray ' in written
    assert '"console":null' in written  # of another endpoint than AWS's
    by_file = accounts(run("report", str(traces), "--all", "--format", "json").stdout)
    by_xray = accounts(fetched.stdout)

    assert len(by_file) == REQUESTS
    assert by_file.keys() <= by_xray.keys()
    allowed = {trace.trace_id: allowed_ns(trace) for trace in read_traces(traces).traces}
    compared = 0
    for trace_id, request in by_file.items():
        compared += check_parts(request, by_xray[trace_id], *allowed[trace_id])
        if not request["timeout"]:  # of a killed function X-Ray has Lambda's own segments alone, without a route
            fields = ("route", "status", "error", "cold_start")
            assert [by_xray[trace_id][name] for name in fields] == [request[name] for name in fields]
    assert compared > 2 * REQUESTS


def test_a_cold_start_is_longer_by_the_begin_of_lambdas_segment(run: Run, tmp_path: Path) -> None:
    """By half a millisecond, which X-Ray does not have of the time of the call."""
    spans = [stage(), *invocation()]
    texts = [{"Id": document["id"], "Document": json.dumps(document)} for document in xray_documents(spans)]
    (tmp_path / "spans.jsonl").write_text(dump_line(spans))
    (tmp_path / "xray.json").write_text(json.dumps({"Traces": [{"Id": TRACE, "Segments": texts}]}))

    by_file, by_xray = (
        parts(accounts(run("report", name, "--all", "--format", "json").stdout)[TRACE])["cold start", ""]
        for name in ("spans.jsonl", "xray.json")
    )

    assert (by_file, round(by_xray, -3)) == (7_500_000, 8_000_000)
    assert allowed_ns(Trace(spans)) == (500_000, 500_000)
