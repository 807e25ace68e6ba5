"""Handlers of the corpus under AWS's emulator and in the laptop's sandbox: the same answers and the same spans?"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from lab.faults.collector import Collector
from lab.rie.emulator import Emulator
from lab.rie.scene import Scene, wait_until
from lab.same.case import Case
from lab.same.corpus import CORPUS
from lab.same.difference import answer_of
from lab.same.peer import Peer
from lab.same.run import HANDLERS, Children, Observed, run
from lab.same.tree import names
from lambda_latency.local.sandbox.function import Outcome

__all__ = ["our_sandbox"]

SHARED = (
    "plain.ok", "plain.text", "plain.number", "plain.an_enum", "plain.decimals", "plain.streamed", "plain.echo",
    "plain.counting", "errors.plain", "errors.own", "errors.chained", "errors.recursion",
    "errors.long", "errors.unprintable", "aws.twice", "calls.get", "concurrency.pool", "databases.cursor",
    "own/api.spans", "starts/seeded.handler", "logs.many_lines",
)  # fmt: skip


def our_sandbox(scene: Scene) -> None:
    """Handlers of the corpus answer as they do in the laptop's sandbox, with the spans that they leave there."""
    cases = [case for case in CORPUS if case.name in SHARED]
    with Children() as processes:
        for case in cases:
            here = run(case, Path(sys.executable), processes, kit=True)
            there = emulated(case, len(here.spans))
            report = scene.report
            report.expect(f"answers of {case.name}", [*map(answer, there.outcomes)], [*map(answer, here.outcomes)])
            report.expect(f"spans of {case.name}", names(there), names(here))
    scene.report.facts.append(f"{len(cases)} handlers")


def emulated(case: Case, spans: int) -> Observed:
    """The case under AWS's emulator, with the kit; waits for so many spans."""
    peer, collector, seen = Peer(), Collector(), Observed()
    variables = {"_HANDLER": case.handler, "RIE_TASK_ROOT": str(HANDLERS), "AWS_ENDPOINT_URL": peer.url}
    try:
        with Emulator(peer.url, collector.url, timeout_s=20, variables=variables) as emulator:
            seen.outcomes = [Outcome(emulator.invoke(event).body) for event in case.events]
            wait_until(lambda: len(collector.spans()) >= spans)
    finally:
        collector.close()
        peer.close()
    seen.spans = collector.spans()
    return seen


def answer(outcome: Outcome) -> str:
    """The payload without what the two never have in common: ids of requests."""
    text = answer_of(outcome).partition(" ")[2]
    return re.sub(r"UUID|0{8}-0{4}-4000-8000-\d{12}", "ID", text)
