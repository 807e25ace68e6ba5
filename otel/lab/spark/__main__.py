"""Accounts of an archive's spans on Spark in local mode: are they those of the report, and of DuckDB?

From a folder and from a bucket (moto stands in for S3), in one partition and in several. With --spans: what a span
costs, in archives of so many spans. Java or PySpark missing: skipped with the reason; where CI is set, status 1.

Usual time: 1 minute.
"""

import gzip
import io
import json
import logging
import os
import pickle
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.generate import realistic, realistic_traces
from lab.spark.environment import MissingError, interpreter, run_job, submit_job
from lab.spark.job import PARTITIONS
from lambda_latency.archive import add, query, read_requests
from lambda_latency.archive.layout import MARK, spans_path
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency import Breakdowns, report_of
from lambda_latency.text import Style, document

BUCKET = "lambda-latency-spark"
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
P95 = "select route, quantile_disc(wall_ns, 0.95), count(*) from accounts group by 1"
PARTS = "select bucket, name, sum(ns)::bigint, count(*) from parts group by 1, 2"
TRACES = 10_000  # in one file
PREFIX = b"6b05a667"  # of the trace ids of `realistic_traces`
HOUR_NS = 3600 * 1_000_000_000
T0 = 1_795_560_000_000_000_000


def main(parser: ArgumentParser) -> int:
    """Compare or measure; status 1 if anything differs."""
    parser.add_argument("--requests", type=int, default=2_000, metavar="N", help="in the archive that is compared")
    parser.add_argument("--spans", type=int, nargs="+", metavar="N", help="measure archives of so many spans instead")
    options = parser.parse_args()
    try:
        python = interpreter()
    except MissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return int(bool(os.environ.get("CI")))
    with tempfile.TemporaryDirectory(prefix="lambda-latency-spark-") as folder:
        try:
            if options.spans:
                return measure(python, Path(folder), options.spans)
            wrong = list(compared(python, Path(folder), options.requests))
        except subprocess.CalledProcessError as error:
            print(f"NOT run: Spark's job ended with status {error.returncode}")
            return 1
    print("".join(f"NOT {line}\n" for line in wrong), end="")
    return int(bool(wrong))


def compared(python: Path, folder: Path, requests: int) -> list[str]:
    """What differs; a line for each thing that does not is printed."""
    archive = write_archive(folder, requests)
    bucket = f"s3://{BUCKET}/traces"
    with aws() as endpoint:
        run_job(python, "lab.spark.job", [str(folder), archive, bucket], {**KEYS, "AWS_ENDPOINT_URL": endpoint})
    (folder / "job.py").write_text(ran("archive", "spark-job"))
    submit_job(python, folder / "job.py", [archive, str(folder / "report.json")])
    job: dict[str, Any] = pickle.loads((folder / "spark.pickle").read_bytes())  # noqa: S301 - of our own job
    expected = said(read_requests(archive).breakdowns.in_order(), archive)
    out = io.StringIO()
    run_report(Request([archive], json="-"), Style(), out)
    checks = {"the report of accounts from its spans": without_sources(json.loads(out.getvalue())) == expected}
    submitted = json.loads((folder / "report.json").read_text())
    checks["the report of the submitted job, on two executors"] = without_sources(submitted) == expected
    for where, accounts in job["accounts"].items():
        name = f"{where} of {PARTITIONS} partitions" if isinstance(where, int) else where.partition("://")[0]
        checks[f"accounts on Spark, {name if '/' not in name else 'folder'}"] = said(accounts, archive) == expected
    sql = {"p95": sorted(query(archive, P95).rows), "parts": sorted(query(archive, PARTS).rows)}
    for where, answers in job["sql"].items():
        name = where.partition("://")[0] if "://" in where else where.rpartition("/")[2]
        checks[f"p95 and parts: Spark SQL ({name}) and DuckDB"] = answers == sql
    checks["the columns of a frame are those of the table"] = sorted(job["columns"][0]) == sorted(job["columns"][1])
    for name, is_same in checks.items():
        print(f"{'same' if is_same else 'DIFFERENT'}: {name}", flush=True)
    return [name for name, is_same in checks.items() if not is_same]


def ran(*arguments: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "lambda_latency", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def write_archive(folder: Path, requests: int) -> str:
    """Write requests into traces.jsonl and, half by half, into an archive; returns the archive's folder."""
    (folder / "traces.jsonl").write_text("".join(realistic(requests)))
    archive = str(folder / "archive")
    lines = (folder / "traces.jsonl").read_text().splitlines(keepends=True)
    middle = len(lines) // 2
    for number, half in enumerate((lines[:middle], lines[middle:]), 1):
        path = folder / f"{number}.jsonl"
        path.write_text("".join(half))
        add(archive, [path])  # some traces are in both: the archive has two versions of them
    return archive


def said(accounts: Breakdowns, archive: str) -> dict[str, Any]:
    """The report's JSON of some accounts."""
    report = report_of(accounts, read_requests(archive).find)
    return without_sources(json.loads(json.dumps(document(report, command="", version=""))))


def without_sources(values: dict[str, Any]) -> dict[str, Any]:
    """What does not name the command or the archive, and does not come from spans that are read again."""
    return {name: value for name, value in values.items() if name not in ("command", "version", "sources", "depends")}


@contextmanager
def aws() -> Iterator[str]:
    """The address of an S3 with the bucket, by moto."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        endpoint = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
        session = boto3.Session("x", "x", region_name="us-east-1")  # keys that open nothing: moto takes any
        session.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        server.stop()


def measure(python: Path, folder: Path, sizes: list[int]) -> int:
    """Print the seconds, and the microseconds a span, of each size; 0."""
    lines, spans = file_of(TRACES)
    print(f"{'spans':>12}  {'seconds':>8}  {'us/span':>8}", flush=True)
    for size in [spans, *sizes]:
        archive = folder / f"archive{size}"
        count = max(1, round(size / spans))
        write(archive, lines, count)
        out = folder / "seconds.json"
        run_job(python, "lab.spark.timed", [str(folder / "spark"), str(archive), str(out)], {})
        seconds, requests = json.loads(out.read_text())
        assert requests == count * TRACES, requests
        print(f"{count * spans:>12,}  {seconds:>8.1f}  {seconds / count / spans * 1e6:>8.2f}", flush=True)
        for path in archive.rglob("*.gz"):
            path.unlink()
    return 0


def file_of(traces: int) -> tuple[bytes, int]:
    """The lines of a spans file, a trace a line, and the number of its spans."""
    texts, spans = [], 0
    for trace in realistic_traces(traces):
        groups = [group for part in trace for group in part["resourceSpans"]]
        spans += sum(len(scope["spans"]) for group in groups for scope in group["scopeSpans"])
        texts.append(json.dumps({"resourceSpans": groups}, separators=(",", ":")))
    return ("\n".join(texts) + "\n").encode(), spans


def write(archive: Path, lines: bytes, count: int) -> None:
    """An archive of spans: the same lines, so many times, with other trace ids."""
    archive.mkdir()
    (archive / MARK).write_text('{"archive": 1}\n')
    for number in range(count):
        path = archive / spans_path(T0 + number * HOUR_NS)
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(lines.replace(b'"traceId":"' + PREFIX, b'"traceId":"%08x' % number), 1))
