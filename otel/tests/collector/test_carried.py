"""10,000 spans from the real runtime through the laptop's system and the real collector: none lost, none changed."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import Options, System
from lambda_latency.local.load import Call, send
from lambda_latency.local.xray.collector import Choice
from lambda_latency.local.xray.receiver import serve_receiver
from tests.collector.conftest import ROOT
from tests.runtime.conftest import STEPS

TASK = Path(__file__).parent / "task"
REQUESTS = 100


def test_spans_arrive_through_the_collector_as_they_were_sent(program: Path, tmp_path: Path) -> None:
    """Every span of 100 invocations, with resource, scope, attributes, events, links, status and flags."""
    task = tmp_path / "task"
    shutil.copytree(TASK, task)
    (task / "tee").mkdir()
    (task / "collector.yaml").symlink_to(ROOT / "collector.yaml")
    printed: list[str] = []
    app = read_app(task / "template.yaml", {})
    app.is_example = True  # a collector is one of the example's stand-ins
    options = Options(tmp_path / "out", sampler=lambda: True, collector=Choice("program", "", program))
    system = System(app, options, log=lambda name, line: printed.append(f"{name}: {line}"))
    try:
        answers = send(system.url, [Call("GET", "/many")] * REQUESTS, 2, lambda _: None)
        assert system.finish(60)
    finally:
        system.close()

    assert [answer.status for answer in answers] == [200] * REQUESTS
    assert printed == []  # neither the runtime nor the collector had anything to complain of
    sent = spans_in(as_documents(task / "tee"))
    lines = system.store.path.read_text(encoding="utf-8").splitlines()
    arrived = [span for span in spans_in(map(json.loads, lines)) if span["scope"]["name"] != "lambda_latency.local"]
    # Each environment adds its init.
    assert len([span for span in sent if span["span"]["name"] not in STEPS]) == REQUESTS * 100
    assert sorted(arrived, key=span_id) == sorted(sent, key=span_id)


def as_documents(folder: Path) -> list[dict[str, Any]]:
    """The bodies that were sent, read by the same receiver, but without a collector before it."""
    documents: list[dict[str, Any]] = []
    receiver = serve_receiver(documents.append)
    for body in folder.iterdir():
        headers = {"Content-Type": "application/x-protobuf"}
        request = urllib.request.Request(f"http://{receiver.address}/v1/traces", body.read_bytes(), headers)
        urllib.request.urlopen(request, timeout=20).close()
    receiver.close()
    return documents


def spans_in(documents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each span with the resource and the scope that it came with."""
    return [
        {"resource": group["resource"], "scope": scope["scope"], "span": span}
        for document in documents
        for group in document["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    ]


def span_id(span: dict[str, Any]) -> str:
    """What a span can be found by."""
    found: str = span["span"]["spanId"]
    return found
