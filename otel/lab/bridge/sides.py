"""The same handlers in the sandbox with the X-Ray SDK and with the kit's layer: what X-Ray gets of each use."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lambda_latency.layer import WRAPPER, layer_files
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.environment import Environment
from lambda_latency.local.sandbox.function import Function
from lambda_latency.local.sandbox.lambda_service import BOOTSTRAP
from lambda_latency.local.sandbox.runtime_api import Invocation
from lambda_latency.local.sandbox.variables import Settings, lambda_variables
from lambda_latency.local.xray.document import segment_document
from lambda_latency.local.xray.receiver import serve_receiver
from lambda_latency.template import Collector, read_collector
from lambda_latency.trace import spans_of

ROOT = Path(__file__).parents[3]
TASK = Path(__file__).with_name("task")
SEGMENT = "0123456789abcdef"
INIT_S, TIMEOUT_S, PATIENCE_S = 120, 60, 30
COLLECTOR = read_collector(ROOT / "collector.yaml")
assert isinstance(COLLECTOR, Collector)
INDEXED = COLLECTOR.indexed_attributes()


@dataclass
class Seen:
    """What came of one use: the answer, the lines that it logged, the documents in X-Ray's form."""

    answer: Any = None
    lines: list[str] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)


class Daemon:
    """Takes what the SDK sends to Lambda's daemon: segment documents by UDP."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._socket.getsockname())
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it, when all that was sent before is there."""
        if self._thread.is_alive():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"", self._socket.getsockname())
            self._thread.join()
            self._socket.close()

    def _work(self) -> None:
        while datagram := self._socket.recv(65_536):
            _, _, document = datagram.partition(b"\n")
            self.documents.append(json.loads(document))


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
    found: dict[str, Seen] = {}
    lines: list[str] = []
    with _side(python, f"{module}.{handler}", lines, layer, variables, task) as (invoke, documents_of):
        for number, use in enumerate(uses):
            begun = len(lines)
            answer = invoke(number, {"use": use, **event})
            found[use] = Seen(answer, lines[begun:])
        for number, use in enumerate(uses):
            found[use].documents = documents_of(_trace_id(number))
    return found


@contextmanager
def _side(
    python: Path, handler: str, lines: list[str], layer: Path | None, variables: Mapping[str, str], task: Path
) -> Iterator[tuple[Callable[[int, Mapping[str, str]], Any], Callable[[str], list[dict[str, Any]]]]]:
    documents: list[dict[str, Any]] = []
    daemon, settled = Daemon(), threading.Event()
    receiver = serve_receiver(lambda one: documents.extend(_documents(one)))
    given = {
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
    function = Function("uses", handler, TIMEOUT_S, 512, given)
    command = [*([layer / WRAPPER] if layer is not None else []), python, BOOTSTRAP]

    def documents_of(trace_id: str) -> list[dict[str, Any]]:
        daemon.close()
        return [one for one in (daemon.documents if layer is None else documents) if one["trace_id"] == trace_id]

    with Processes() as processes:
        environment = Environment(
            function,
            command,
            lambda_variables(function, Settings(task_root=task, layer=Path("/nonexistent"))),
            task,
            processes,
            settled=lambda *_: settled.set(),
            ended=lambda _: settled.set(),
            log=lines.append,
        )
        try:
            failure = environment.wait_for_init(INIT_S)
            assert failure is None, (failure.payload, lines)
            yield partial(_invoke, environment, settled), documents_of
        finally:
            environment.kill()
            receiver.close()
            daemon.close()


def _invoke(environment: Environment, settled: threading.Event, number: int, event: Mapping[str, str]) -> Any:
    settled.clear()
    header = f"Root={_trace_id(number)};Parent={SEGMENT};Sampled=1"
    deadline_ms = int((time.time() + TIMEOUT_S) * 1000)
    request_id = f"00000000-0000-4000-8000-{number:012d}"
    run = environment.invoke(
        Invocation(request_id, json.dumps(event).encode(), environment.function.arn, deadline_ms, header, None)
    )
    assert run is not None
    assert run.outcome is not None
    assert settled.wait(PATIENCE_S), event
    answer = json.loads(run.outcome.payload)
    return {name: answer[name] for name in ("errorType", "errorMessage")} if run.outcome.error else answer


def _documents(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [segment_document(span, INDEXED) for span in spans_of(json.dumps(request).encode(), print)]


def _packages(python: Path) -> Path:
    return next((python.parents[1] / "lib").glob("python*")) / "site-packages"


def _trace_id(number: int) -> str:
    return f"1-674385f0-{number:024x}"
