"""The whole system with the collector in it, and its requests as X-Ray shows them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.faults import FaultPlan
from lambda_latency.local.log import LogFile
from lambda_latency.local.spans.collector import CollectorChoice
from lambda_latency.template import Collector, read_collector
from lambda_latency.trace import read_traces
from tests.system.conftest import COLD, ROOT, TEMPLATE, Client
from tests.xray.platform import xray_documents

Documents = list[dict[str, Any]]


@contextmanager
def laptop(program: Path, out: Path, plan: FaultPlan | None = None, template: Path = TEMPLATE) -> Iterator[Client]:
    """A system that traces every request and sends the functions' spans through the collector."""
    log = LogFile(out / "system.log")
    options = SystemOptions(
        out, plan=plan or FaultPlan(), sampler=lambda: True, collector=CollectorChoice("program", "", program)
    )
    system = System(read_app(template, {}), options, log=log.write)
    try:
        yield Client(system, log.path)
    finally:
        system.close()
        log.close()


def documents(traces: Path) -> dict[str, Documents]:
    """The segment documents that X-Ray has of each trace of a file, by its id in hex."""
    collector = read_collector(ROOT / "collector.yaml")
    assert isinstance(collector, Collector)
    indexed = collector.indexed_attributes()
    return {trace.trace_id: xray_documents(trace.spans, indexed) for trace in read_traces(traces).traces}


def tree(found: Documents, show: Callable[[dict[str, Any]], Any]) -> list[Any]:
    """The documents of one trace as nested tuples, `show` of each node and its children; several tops are several.

    Without the kit's init and the steps of connections, which an environment makes for its first request alone.
    """
    nodes: dict[str, dict[str, Any]] = {}
    below: dict[str | None, list[str]] = {}

    def add(node: dict[str, Any], parent: str | None) -> None:
        assert node["id"] not in nodes, f"{node['id']} stands twice"
        nodes[node["id"]] = node
        below.setdefault(parent, []).append(node["id"])
        for inner in node.get("subsegments", ()):
            add(inner, node["id"])

    for document in found:
        add(document, document.get("parent_id"))

    def grown(node_id: str) -> Any:
        named = [one for one in below.get(node_id, ()) if nodes[one]["name"] not in COLD[1:]]
        children = sorted(named, key=lambda one: (nodes[one]["start_time"], nodes[one]["end_time"]))
        return (show(nodes[node_id]), *map(grown, children))

    return [grown(node_id) for parent, ids in below.items() if parent not in nodes for node_id in ids]
