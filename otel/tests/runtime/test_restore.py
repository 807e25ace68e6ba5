"""SnapStart: environments that are made of one snapshot share nothing that must be their own."""

import json
from pathlib import Path

from tests.runtime.stubs import Server
from tests.runtime.test_bootstrap import ROOT, python

COPIES = """
import json, os, random
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import lambda_latency.runtime.bootstrap as b
from lambda_latency.testing.redacted import RedactedSpans

os.getpid = lambda: 1  # a fork stands for the copy, which has the number of what it is a copy of
memory = InMemorySpanExporter()
b.sink = lambda settings: RedactedSpans(memory, settings)
handler = b.handler
handler(None, None)

def copy():
    reader, writer = os.pipe()
    if os.fork() == 0:
        memory.clear()
        for _ in range(100):
            handler(None, None)
        spans = memory.get_finished_spans()
        with os.fdopen(writer, "w") as pipe:
            json.dump([span.context.span_id for span in spans], pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = json.load(pipe)
    os.wait()
    return found

print(json.dumps([copy(), copy()]))
"""
SEEDED = """
import random
from opentelemetry import trace

def go(event, context):
    random.seed(42)
    with trace.get_tracer("function").start_as_current_span("step"):
        return 1
"""


def test_copies_of_one_memory_make_no_id_twice(tmp_path: Path) -> None:
    """Neither does a handler that seeds Python's own generator in each request."""
    (tmp_path / "seeded.py").write_text(SEEDED)
    variables = {
        "LAMBDA_LATENCY_HANDLER": "seeded.go",
        "PYTHONPATH": f"{tmp_path}:{ROOT / 'otel'}:{ROOT}",
        "PYTHONWARNINGS": "ignore",
    }
    copy_ids, second = json.loads(python("-c", COPIES, variables=variables))
    assert (len(copy_ids), len(second)) == (200, 200)
    assert len({*copy_ids, *second}) == 400


RESTORED = """
import json
from awslambdaric import lambda_runtime_hooks_runner as runner
import lambda_latency.runtime.bootstrap as b

made, spans = b.sink, []
def keeping(settings):
    global sink
    sink = made(settings)
    export = sink.export
    sink.export = lambda given, seconds: (spans.extend(kept := list(given)), export(kept, seconds))
    return sink

b.sink = keeping
handler = b.handler
sink._transport.post(b"", 5)
connected = [sink._transport._socket is not None]
runner.run_before_snapshot()
connected.append(sink._transport._socket is not None)
runner.run_after_restore()
handler(None, None)
print(json.dumps([connected, [[span.name, span.attributes.get("lambda.init.type")] for span in spans]]))
"""


def test_a_restored_environment_has_a_connection_of_its_own(tmp_path: Path) -> None:
    """The snapshot holds none; and what the first request tells is the restore and not the init, days before."""
    (tmp_path / "plain.py").write_text("def go(event, context):\n    return 1\n")
    with Server() as server:
        variables = {
            "LAMBDA_LATENCY_HANDLER": "plain.go",
            "PYTHONPATH": f"{tmp_path}:{ROOT / 'otel'}:{ROOT}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
        }
        facts = json.loads(python("-c", RESTORED, variables=variables))
        assert server.connections == 2
    assert facts == [[True, False], [["restore", "restored"], ["orders-create", None]]]
