"""What an explanation takes of the deployed function: cold start, time and memory of its built artifact.

The artifact is what `lambda-latency stack alarm --out` writes, under AWS's own runtime client in the laptop's sandbox,
on Python 3.13 without compiled files, as on Lambda. X-Ray is a stand-in with one trace a second, of which an
explanation reads as many as it may; S3 and SNS are moto's. Times are processor times: waiting for AWS comes on top.

Usual time: 1 minute.
"""

import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from moto.server import ThreadedMotoServer

import lambda_latency.local.sandbox.lambda_service
from lab.commands import processor
from lab.faults.box import Box
from lab.faults.scenario import UNSAMPLED
from lab.pythons import find
from lambda_latency.alarm import explain, fetched, page_of, read_event
from lambda_latency.alarm.evidence import recent
from lambda_latency.fetch import Account, Place
from lambda_latency.local.processes import Processes
from lambda_latency.stacks import ALARM, write_stack
from tests.alarm.cloud import change, filled, orders
from tests.fetch.standin import KNOWN, XRay

ROOT = Path(__file__).parents[2]
OUT = ROOT / "docs" / "alarm.json"
PYTHON = "3.13"
COLD_STARTS = 7
MEMORY_MB, TIMEOUT_S, PATIENCE_S = 1024, 90, 120
BEFORE_S = 1_795_560_000
BEGIN_S = BEFORE_S + 1800
USUAL, SLOW, SINCE = [200] * 1800, [200, 1500] * 150, [200] * 300  # half an hour before, the window, and after it


def main(parser: ArgumentParser) -> int:
    """Measure, print, and write docs/alarm.json; status 1 without Python 3.13."""
    parser.parse_args()
    python = find(PYTHON)
    if python is None:
        print(f"the function runs on Python {PYTHON}: install it", file=sys.stderr)
        return 1
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's requests
    os.environ.update(AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="secret", NO_PROXY="*")
    with tempfile.TemporaryDirectory(prefix="alarm-") as folder, Processes() as processes:
        part = Path(folder) / "part"
        write_stack(ALARM, part)
        function = part / "function"
        size = sum(path.stat().st_size for path in function.rglob("*") if path.is_file())
        interpreter = _environment(Path(folder) / "venv", python)
        since = orders(BEGIN_S + 300, SINCE, first=1000)
        xray = filled(XRay, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, SLOW, first=500), *since])
        cloud = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        cloud.start()
        try:
            variables = _variables(xray.url, f"http://127.0.0.1:{cloud.get_host_and_port()[1]}")
            runs = [_cold(interpreter, function, variables, processes, number) for number in range(COLD_STARTS)]
            charged = _charged(xray.url, Path(folder))
        finally:
            cloud.stop()
            xray.close()
    figures = {
        "schema": 1,
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
        "machine": processor(),
        "python": PYTHON,
        "artifact_mb": round(size / 1e6, 1),
        **{
            key: round(statistics.median(run[key] for run in runs))
            for key in ("cold_ms", "ring_ms", "end_ms", "peak_mb")
        },
        **charged,
    }
    OUT.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    return 0


def _charged(url: str, folder: Path) -> dict[str, int]:
    """The traces that X-Ray charges for, at a ring and at its end, and the bytes of the page."""
    account = Account(Place(region="us-east-1", endpoint_url=url))
    alarm = read_event(_ring(0, 0))
    evidence = fetched(account, alarm, folder, lambda: 60.0)
    page = page_of(explain(alarm, evidence))
    ended = recent(account, read_event(_end(0, 0)), folder)
    return {"ring_traces": evidence.traces, "end_traces": ended.traces, "page_bytes": len(page.encode())}


def _ring(number: int, index: int) -> dict[str, object]:
    return change(f"shop-{number}-{index}", at_ns=(BEGIN_S + 300 + index) * 10**9, begin_ns=BEGIN_S * 10**9)


def _end(number: int, index: int) -> dict[str, object]:
    at_ns = (BEGIN_S + 600) * 10**9
    return change(f"shop-{number}-{index}", "OK", "ALARM", at_ns=at_ns, begin_ns=at_ns - 300 * 10**9)


def _environment(folder: Path, python: str) -> Path:
    """An interpreter with what Lambda's runtime has: its client and boto3."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", python, folder], check=True)
    locked = [line.split()[0] for line in (ROOT / "requirements" / "dev.txt").read_text().splitlines() if "==" in line]
    packages = [package for package in locked if package.partition("==")[0] in ("awslambdaric", "boto3")]
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--compile-bytecode", *packages],
        env={**os.environ, "VIRTUAL_ENV": str(folder)},
        check=True,
    )
    return folder / "bin" / "python"


def _variables(xray: str, cloud: str) -> dict[str, str]:
    import boto3

    make: Any = boto3.client
    make("s3", endpoint_url=cloud, region_name="us-east-1").create_bucket(Bucket="pages")
    topic = make("sns", endpoint_url=cloud, region_name="us-east-1").create_topic(Name="alarms")["TopicArn"]
    return {
        "ALARM_BUCKET": "pages",
        "ALARM_TOPIC_ARN": topic,
        "ALARM_THEIRS": "payments.example.com",
        "AWS_ENDPOINT_URL": cloud,
        "AWS_ENDPOINT_URL_XRAY": xray,
        "AWS_ACCESS_KEY_ID": KNOWN,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _cold(python: Path, folder: Path, variables: dict[str, str], processes: Processes, number: int) -> dict[str, float]:
    """A cold start, the explanation of a ring, and that of its end."""
    command = [python, lambda_latency.local.sandbox.lambda_service.BOOTSTRAP]
    box = Box(processes, "lambda_latency.alarm.handler.handle", variables, timeout_s=TIMEOUT_S, command=command,
              task_root=folder, memory_mb=MEMORY_MB, init_s=PATIENCE_S)  # fmt: skip
    try:
        times = [box.cpu_ns() / 1e6]
        for event in (_ring(number, 0), _end(number, 0)):
            run = box.invoke(json.dumps(event).encode(), UNSAMPLED)
            if run.outcome is None or run.outcome.error or b"told" not in run.outcome.payload:
                raise SystemExit(f"{run.outcome}\n" + "\n".join(box.lines[-40:]))
            box.settle(PATIENCE_S)
            times.append(box.cpu_ns() / 1e6)
        peak_mb = box.peak_kb() * 1024 / 1e6
    finally:
        box.close()
    cold, ring, end = times[0], times[1] - times[0], times[2] - times[1]
    print(f"cold start {cold:.0f} ms, ring {ring:.0f} ms, end {end:.0f} ms, {peak_mb:.0f} MB", flush=True)
    return {"cold_ms": cold, "ring_ms": ring, "end_ms": end, "peak_mb": peak_mb}
