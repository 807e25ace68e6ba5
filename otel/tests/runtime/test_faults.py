"""A small run over every fault, as `python -m lab faults` does a large one."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from lab.faults.account import Account
from lab.faults.collector import Collector
from lab.faults.journal import Life
from lab.faults.lane import Lane, Process
from lambda_latency.local.processes import Processes

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("export", "invocations"), [("collector", 300), ("otlp", 100)])
def test_every_span_of_a_run_over_all_faults_is_accounted_for(export: str, invocations: int) -> None:
    """Exported, rejected by X-Ray, or in memory at a kill; no orphan, no secret, and each trace where Lambda said."""
    command = [sys.executable, "-m", "lab.faults", "--invocations", str(invocations), "--outage", "3"]
    command += ["--export", export]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, "WRONG" in done.stdout) == (0, False), done.stdout + done.stderr
    sums = {
        what: int(number.replace(",", ""))
        for what, number in re.findall(r"(lost|orphans|secrets) ([\d,]+)", done.stdout)
    }
    assert sums == {"lost": 0, "orphans": 0, "secrets": 0}
    assert len(re.findall(r"^  (?:collector|otlp|handler|header|freeze|event|daemon)", done.stdout, re.MULTILINE)) >= 20


def test_a_collector_that_refuses_keeps_its_port() -> None:
    """Nobody can connect, another process cannot bind the port, and the collector listens there again."""
    collector = Collector()
    address = ("127.0.0.1", collector.port)
    try:
        collector.set("refused")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)
        with socket.socket() as other, pytest.raises(OSError, match="Address already in use"):
            other.bind(address)
        collector.set("healthy")
        socket.create_connection(address, timeout=5).close()
    finally:
        collector.close()


@pytest.mark.parametrize(
    ("end", "ended", "sums"),
    [
        ("_exit", ["child", "parent"], (1, 0, 0, 1)),  # it ended after the delivery that took its child
        ("kill", ["child"], (1, 0, 0, 1)),  # it was open
        ("exit", ["child", "parent"], (0, 1, 1, 0)),
        ("exit", ["child"], (1, 0, 0, 1)),  # it was open in a daemon thread
        ("_exit", ["parent", "child", "last"], (1, 1, 1, 0)),  # what ended before the others was to leave before them
    ],
)
def test_a_parent_that_a_kill_took_with_it_is_no_fault(
    tmp_path: Path, end: str, ended: list[str], sums: tuple[int, int, int, int]
) -> None:
    """In memory at the kill, lost, orphans, below what was in memory; the child has arrived."""
    ids = {name: f"{number:016x}" for number, name in enumerate(("child", "parent", "last"), 1)}
    started = {ids["parent"]: "-", ids["child"]: ids["parent"]} | ({ids["last"]: "-"} if "last" in ended else {})
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.add(span_id=bytes.fromhex(ids["child"]))
    with Processes() as processes:
        lane = Lane("extension", "collector", tmp_path, processes, {})
        lane.collector.bodies.append(message.SerializeToString())
        lane.past.append(Process(Life(started, set(), [ids[name] for name in ended]), end, []))
        account = Account()
        account.add(lane)
        lane.close()
    assert (account.in_memory, account.lost, account.orphans, account.cut_off) == sums
