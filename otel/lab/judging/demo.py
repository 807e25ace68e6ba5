"""The requests of a run of the demo's plan of faults."""

import tempfile
from pathlib import Path

from lab.planted import REQUESTS, Injection, run_cause
from lambda_latency.latency import Breakdowns
from lambda_latency.local.app.serve.demo import demo_plan
from lambda_latency.local.load import plan_calls
from tests.latency.system import breakdown_of


def demo(seed: int) -> Breakdowns:
    """Run the laptop's system with the plan of this seed."""
    reads = sum(call.method == "GET" and "?" not in call.path for call in plan_calls(REQUESTS, seed))
    rules = demo_plan(seed, reads).rules
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        traces = run_cause(Injection("the demo", rules, named=lambda _: True), seed, Path(folder))
    return Breakdowns.from_breakdowns([breakdown_of(trace) for trace in traces])
