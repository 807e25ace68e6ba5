"""The whole system, up for all the tests of one set-up: gateway, sandbox, runtime client, table, provider, receiver."""

import http.client
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.faults import FaultPlan
from lambda_latency.local.log import LogFile
from lambda_latency.trace import Trace, read_trace
from tests.sandbox.state import until
from tests.template.deployed import write_variant

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "template.yaml"
COLD = ("Initialization", "init", "dns", "tcp", "tls")  # and what a client does that has no connection yet
ids = itertools.count(1)


@dataclass(frozen=True)
class Reply:
    """An answer of the API and the id of its trace."""

    status: int
    body: Any
    trace_id: str


@dataclass
class Client:
    """Calls the API as a caller outside would, and finds the traces of its calls."""

    system: System
    log: Path
    sampled: list[bool] = field(default_factory=lambda: [True])

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.system.url).netloc, timeout=60)
        raw = body if isinstance(body, str) or body is None else json.dumps(body)
        connection.request(method, path, raw, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        root = response.headers["X-Amzn-Trace-Id"].removeprefix("Root=1-").replace("-", "")
        return Reply(response.status, json.loads(text) if text else None, root)

    def trace(self, reply: Reply, spans: int) -> Trace:
        """The trace of a call, once it has that many spans beside `COLD`, what only a cold start has."""
        found: list[Trace | None] = [None]

        def complete() -> bool:
            found[0] = read_trace(self.system.store.path, reply.trace_id)
            return found[0] is not None and sum(one.name not in COLD for one in found[0].spans) >= spans

        assert until(complete), tree(found[0]) if found[0] else "no span"
        assert found[0] is not None
        return found[0]

    def books(self) -> dict[str, list[dict[str, Any]]]:
        """What the payments provider has charged and refunded."""
        assert self.system.payments is not None
        connection = http.client.HTTPConnection(urlsplit(self.system.payments.url).netloc, timeout=20)
        connection.request("GET", "/")
        books: dict[str, list[dict[str, Any]]] = json.loads(connection.getresponse().read())
        connection.close()
        return books


def start_system(
    out: Path, plan: FaultPlan | None = None, template: Path = TEMPLATE, **parameters: str
) -> Iterator[Client]:
    """A system that traces every request; for fixtures to yield from."""
    sampled = [True]
    log = LogFile(out / "system.log")
    options = SystemOptions(out, plan=plan or FaultPlan(), sampler=lambda: sampled[0])
    system = System(read_app(template, parameters), options, log=log.write)
    try:
        yield Client(system, log.path, sampled)
    finally:
        system.close()
        log.close()


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Traced by the kit, without faults."""
    yield from start_system(tmp_path_factory.mktemp("kit"))


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Traced by the layer's own start-up."""
    folder = tmp_path_factory.mktemp("layer")
    yield from start_system(folder, template=write_variant(folder / "app", instrumentation="layer"))


@pytest.fixture(scope="session")
def off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Not traced at all."""
    yield from start_system(tmp_path_factory.mktemp("off"), Tracing="Off")


def order(**changes: Any) -> dict[str, Any]:
    """A valid order with an id of its own."""
    number = next(ids)
    return {
        "order_id": f"order-{number}",
        "customer": f"customer-{number}",
        "items": [{"sku": "tea", "quantity": 2, "unit_price": 350}],
        "payment_method": "card-ok",
        **changes,
    }


def tree(trace: Trace) -> Any:
    """A trace as nested tuples: name, kind, status and children of each span; several tops as a list.

    Without the kit's init and the steps of connections, which an environment makes for its first request alone.
    """

    def node(span: Any) -> Any:
        label = f"{span.name} {span.kind.name}" + (" ERROR" if span.status.name == "ERROR" else "")
        children = tuple(node(child) for child in trace.children(span) if child.name not in COLD[1:])
        return (label, *children) if children else label

    tops = [node(span) for span in trace.local_roots]
    return tops[0] if len(tops) == 1 else tops
