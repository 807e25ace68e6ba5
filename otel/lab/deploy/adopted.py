"""Two apps of our own, one with the X-Ray SDK and one with Powertools, adopted, deployed to the emulator and called.

Their spans are then those of OpenTelemetry, under the names that the SDK gave its subsegments.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from lab.commands import ROOT
from lab.deploy.bed import Bed, expect, step
from lab.deploy.translation import translate
from lambda_latency.adopt import AdoptOptions, make_plan, write

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


def deploy_each(bed: Bed) -> None:
    """All of it, app by app."""
    for name, *call in CALLS:
        _deploy(bed, name, call)


def copy_app(folder: Path, name: str) -> Path:
    """Copy an app into a folder of its name, for the Python that runs here; return its template."""
    shutil.copytree(APPS / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    template = folder / name / "template.yaml"
    template.write_text(template.read_text().replace("python3.13", VERSION))
    return template


def _deploy(bed: Bed, name: str, call: list[Any]) -> None:
    small, method, path, body, status, spans_of = call
    cloud, template = bed.cloud, copy_app(bed.folder, name)
    with step(f"{name}: adopt"):
        plan = make_plan(template, AdoptOptions())
        expected_findings = [f"{small}: with so little memory a cold start takes seconds"]
        expect("left", ([finding.problem for finding in plan.findings], plan.skipped), (expected_findings, 0))
        write(plan)
    with step(f"{name}: sam build"):
        built = template.parent / "built"
        cloud.sam("build", "--template", str(template), "--build-dir", str(built))
        local = translate(built / "template.yaml", bed.spans, "LambdaLatency")
    with step(f"{name}: sam deploy"):
        cloud.deploy(name, local)
    with step(f"{name}: {method} {path}"):
        earlier = bed.trace_ids()
        answer = cloud.call(cloud.outputs(name)["ApiUrl"], method, path, body)
        expect("status", answer[0], status, answer[1])
        expect("trace", bed.new_trace(earlier, spans_of), spans_of)
