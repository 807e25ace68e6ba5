"""Two apps of our own, one with the X-Ray SDK and one with Powertools, adopted, deployed to the emulator and called.

Their spans are then those of OpenTelemetry, under the names that the SDK gave its subsegments.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lab.commands import ROOT
from lab.deploy.cloud import Cloud
from lab.deploy.example import expect, joined, step
from lab.deploy.translation import translate
from lambda_latency.adopt import Wanted, make_plan, write
from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Processes
from lambda_latency.local.xray.receiver import serve_receiver
from lambda_latency.local.xray.store import Store

__all__ = ["main"]

APPS = ROOT / "otel" / "tests" / "adopt"
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
# Each app with its functions, for their 128 MB are told, and one request: its body, the status, and the trace.
CALLS: list[tuple[str, str, str, str, Any, int, Any]] = [
    (
        "orders", "Order (128 MB), Notify (128 MB)", "POST", "/orders", {"id": "o-1", "items": [1]}, 201,
        ("POST /orders SERVER", "check order INTERNAL", ("store order INTERNAL", "DynamoDB.PutItem CLIENT")),
    ),
    (
        "shop", "Price (128 MB)", "GET", "/price/tea", None, 200,
        ("GET /price/{sku} SERVER", ("## handler INTERNAL", "## app.price INTERNAL")),
    ),
]  # fmt: skip


def main() -> int:
    """Run it; 0 if every step went as it should."""
    log: list[str] = []
    with tempfile.TemporaryDirectory(prefix="lambda-latency-adopted-") as folder, ExitStack() as stack:
        try:
            processes = stack.enter_context(Processes())
            with step("the emulator is up"):
                cloud = Cloud(processes, log.append)
                stack.callback(cloud.close)
            for name, *call in CALLS:
                _deploy(stack, cloud, Path(folder, name), name, call)
        except (AssertionError, LocalError) as error:
            print(f"FAILED: {error}", *(f"  {line}" for line in log[-20:]), sep="\n", file=sys.stderr)
            return 1
    return 0


def _deploy(stack: ExitStack, cloud: Cloud, folder: Path, name: str, call: list[Any]) -> None:
    small, method, path, body, status, spans_of = call
    shutil.copytree(APPS / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    template = folder / "template.yaml"
    template.write_text(template.read_text().replace("python3.13", VERSION))
    store = Store(folder / "traces.jsonl")
    stack.callback(store.close)
    receiver = serve_receiver(store.add_otlp)
    stack.callback(receiver.close)
    with step(f"{name}: adopt"):
        plan = make_plan(template, Wanted())
        told = [f"{small}: with so little memory a cold start takes seconds"]
        expect("left", ([one.what for one in plan.left], plan.skipped), (told, 0))
        write(plan)
    with step(f"{name}: sam build"):
        built = folder / "built"
        cloud.sam("build", "--template", str(template), "--build-dir", str(built))
        local = translate(built / "template.yaml", f"http://{receiver.address}/v1/traces", "LambdaLatency")
    with step(f"{name}: sam deploy"):
        cloud.sam("deploy", "--template", str(local), "--stack-name", name, "--resolve-s3", "--capabilities",
                  "CAPABILITY_IAM")  # fmt: skip
    with step(f"{name}: {method} {path}"):
        answer = cloud.call(cloud.outputs(name)["ApiUrl"], method, path, body)
        expect("status", answer[0], status, answer[1])
        expect("trace", joined(store.path, set(), spans_of), spans_of)
