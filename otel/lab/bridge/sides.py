"""The same handlers in the sandbox with the X-Ray SDK and with the kit's layer: what X-Ray gets of each use."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lab.datagrams import Datagrams
from lab.faults.box import Box
from lambda_latency.layer import WRAPPER, layer_files
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.lambda_service import BOOTSTRAP
from lambda_latency.local.spans.receiver import serve_receiver
from lambda_latency.template import Collector, read_collector
from lambda_latency.trace import spans_of
from tests.xray.document import segment_document

ROOT = Path(__file__).parents[3]
TASK = Path(__file__).with_name("task")
SEGMENT = "0123456789abcdef"
INIT_S, TIMEOUT_S = 120, 60
COLLECTOR = read_collector(ROOT / "collector.yaml")
assert isinstance(COLLECTOR, Collector)
INDEXED = COLLECTOR.indexed_attributes()


@dataclass
class Seen:
    """What came of one use: the answer, the lines that it logged, the documents in X-Ray's form."""

    answer: Any = None
    lines: list[str] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)


def make_layer(folder: Path) -> Path:
    """The kit's layer, unpacked."""
    for name, source in layer_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder / name)
    return folder


def observe(
    python: Path,
    module: str,
    uses: Sequence[str],
    *,
    layer: Path | None,
    variables: Mapping[str, str] = MappingProxyType({}),
    task: Path = TASK,
    handler: str = "handler",
    event: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Seen]:
    """Run each use once, all in one environment: with the kit's layer, or with the X-Ray SDK of that Python.

    `task` is the folder of the module, and `event` what its handler gets beside the name of the use.
    """
    observed: dict[str, Seen] = {}
    lines: list[str] = []
    with _side(python, f"{module}.{handler}", lines, layer, variables, task) as (invoke, documents_of):
        for number, use in enumerate(uses):
            first_line = len(lines)
            answer = invoke(number, {"use": use, **event})
            observed[use] = Seen(answer, lines[first_line:])
        for number, use in enumerate(uses):
            observed[use].documents = documents_of(_trace_id(number))
    return observed


@contextmanager
def _side(
    python: Path, handler: str, lines: list[str], layer: Path | None, variables: Mapping[str, str], task: Path
) -> Iterator[tuple[Callable[[int, Mapping[str, str]], Any], Callable[[str], list[dict[str, Any]]]]]:
    documents: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []
    daemon = Datagrams(lambda _, document: sent.append(json.loads(document)))
    receiver = serve_receiver(lambda body: documents.extend(_documents(body)))
    environment = {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://{receiver.address}/v1/traces",
        "LAMBDA_LATENCY_FIRST_FLUSH_MS": "20000",
        "LAMBDA_LATENCY_FLUSH_MS": "20000",
        # As in Lambda: the function's own packages come before those of a layer.
        **({"PYTHONPATH": f"{_packages(python)}:{layer / 'python'}"} if layer is not None else {}),
        **variables,
    }
    command = [*([layer / WRAPPER] if layer is not None else []), python, BOOTSTRAP]

    def documents_of(trace_id: str) -> list[dict[str, Any]]:
        daemon.close()
        return [document for document in (sent if layer is None else documents) if document["trace_id"] == trace_id]

    with Processes() as processes:
        box = Box(processes, handler, environment, timeout_s=TIMEOUT_S, lines=lines, command=command, task_root=task,
                  init_s=INIT_S)  # fmt: skip
        try:
            yield partial(_invoke, box), documents_of
        finally:
            box.close()
            receiver.close()
            daemon.close()


def _invoke(box: Box, number: int, event: Mapping[str, str]) -> Any:
    run = box.invoke(json.dumps(event).encode(), f"Root={_trace_id(number)};Parent={SEGMENT};Sampled=1")
    assert run.outcome is not None
    box.settle()
    answer = json.loads(run.outcome.payload)
    return {name: answer[name] for name in ("errorType", "errorMessage")} if run.outcome.error else answer


def _documents(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [segment_document(span, INDEXED) for span in spans_of(json.dumps(request).encode(), print)]


def _packages(python: Path) -> Path:
    return next((python.parents[1] / "lib").glob("python*")) / "site-packages"


def _trace_id(number: int) -> str:
    return f"1-674385f0-{number:024x}"
