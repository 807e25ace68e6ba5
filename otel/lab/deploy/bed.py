"""What every deployment to the emulator needs: the emulator, a payments API, and a receiver of spans."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from lab.deploy.cloud import Cloud
from lambda_latency.local.errors import LocalError
from lambda_latency.local.faults import FaultPlan
from lambda_latency.local.processes import Processes, Service
from lambda_latency.local.spans.receiver import Daemon, serve_receiver
from lambda_latency.local.spans.store import Store
from lambda_latency.trace import Trace, read_traces
from tests.sandbox.state import until
from tests.system.conftest import tree


class Bed:
    """`spans` and `daemon` are addresses, `payments` is a parameter of the template, `folder` is for files."""

    def __init__(self, stack: ExitStack, folder: Path, log: list[str]) -> None:
        self.folder = folder
        store = Store(folder / "traces.jsonl")
        stack.callback(store.close)
        self.traces = store.path
        processes = stack.enter_context(Processes())
        receiver, daemon = serve_receiver(store.add_otlp), Daemon(store.add_otlp, log.append)
        stack.callback(receiver.close)
        stack.callback(daemon.close)
        self.spans, self.daemon = f"http://{receiver.address}/v1/traces", daemon.address
        arguments = ["--spans", self.spans, "--faults", FaultPlan().to_json()]
        provider = Service("lambda_latency.local.provider", arguments, processes, log.append)
        stack.callback(provider.stop)
        with step("the emulator is up"):
            self.cloud = Cloud(processes, log.append)
            stack.callback(self.cloud.close)
        self.payments = f"http://127.0.0.1:{provider.wait_until_ready()}"

    def trace_ids(self) -> set[str]:
        """The traces that have arrived."""
        return {trace.trace_id for trace in read_traces(self.traces).traces}

    def new_trace(self, earlier: set[str], expected: Any) -> Any:
        """The one trace that is not among the earlier ones, as a tree, when it is as expected or after some time."""
        new_traces: list[Trace] = []

        def complete() -> bool:
            new_traces[:] = [trace for trace in read_traces(self.traces).traces if trace.trace_id not in earlier]
            return len(new_traces) == 1 and tree(new_traces[0]) == expected

        until(complete, 15)
        return tree(new_traces[0]) if len(new_traces) == 1 else [tree(trace) for trace in new_traces]


def run(use: Callable[[Bed], None], title: str) -> int:
    """Run the steps of a program; 0 if every step went as it should."""
    start_s = time.monotonic()
    log: list[str] = []
    with tempfile.TemporaryDirectory(prefix="lambda-latency-deploy-") as folder, ExitStack() as stack:
        try:
            use(Bed(stack, Path(folder), log))
        except (AssertionError, CalledProcessError, LocalError) as error:
            print(f"FAILED: {error}", *(f"  {line}" for line in log[-20:]), sep="\n", file=sys.stderr)
            return 1
    print(f"{title} in {time.monotonic() - start_s:.1f} s.")
    return 0


def expect(subject: str, got: Any, expected: Any, *more: Any) -> None:
    """Compare, and say both where they differ."""
    if got != expected:
        raise AssertionError(f"{subject}: expected {expected}, got {got}{''.join(f' ({detail})' for detail in more)}")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print a step and what it took."""
    start_s = time.monotonic()
    yield
    print(f"  {name:<28} {time.monotonic() - start_s:5.1f} s", flush=True)
