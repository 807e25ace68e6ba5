"""The requests of a run of the demo's plan of faults."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lab.planted import REQUESTS, Cause, run_cause
from lambda_latency.latency import Accounts
from lambda_latency.local.app.serve.loads import demo_plan
from lambda_latency.local.load import plan_calls
from tests.latency.system import account


def demo(seed: int) -> Accounts:
    """Run the laptop's system with the plan of this seed."""
    reads = sum(call.method == "GET" and "?" not in call.path for call in plan_calls(REQUESTS, seed))
    rules = demo_plan(seed, reads).rules
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        traces = run_cause(Cause("the demo", rules, named=lambda _: True), seed, Path(folder))
    return Accounts.of([account(trace) for trace in traces])
