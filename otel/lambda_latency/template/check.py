"""Checks that ADOT's collector on Lambda starts with a file, and listens at the functions' endpoint.

A wrong line stops the extension, and with it every function, at init; in one case without a message. The check compares
the file with the components of this collector before the deployment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from lambda_latency.template.collector import Collector, expanded
from lambda_latency.template.finding import Finding, nearest
from lambda_latency.template.node import Node
from lambda_latency.template.parts import COMPONENTS, KEYS, SECTIONS

NAKED = re.compile(r"(?<!\$)\$(?:\$\$)*(?P<name>[A-Za-z_]\w*)")
NOT_THERE = "ADOT's collector on Lambda has no {0}, and does not start with one"
HERE = ("localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]", "")
SIGNALS = ("traces", "metrics", "logs")
USUAL = {"http": "localhost:4318", "grpc": "localhost:4317"}


def check_collector(collector: Collector, endpoints: Iterable[str] = ()) -> tuple[Finding, ...]:
    """The findings about a file, sorted by line.

    `endpoints` are the URLs to which functions send (`http://localhost:4318/v1/traces`).
    """
    found = [Finding(collector.source, line, what, todo) for line, what, todo in _everything(collector.root, endpoints)]
    return tuple(sorted(set(found)))


Wrong = Iterator[tuple[int, str, str]]


def _everything(root: Node, endpoints: Iterable[str]) -> Wrong:
    yield from _sections(root)
    yield from _keys(root)
    yield from _variables(root)
    yield from _awsxray(root)
    yield from _pipelines(root)
    yield from _endpoints(root, endpoints)


def _sections(root: Node) -> Wrong:
    for name, key, section in root.named():
        if name not in SECTIONS:
            yield key.line, f"unknown section {name!r}", nearest(name, SECTIONS)
        for component, at, _ in section.named() if name in COMPONENTS else ():
            kind = component.partition("/")[0]
            if not COMPONENTS[name]:
                yield at.line, f"{name} has {component!r}", f"remove it: {NOT_THERE.format(name)}"
            elif kind not in COMPONENTS[name]:
                yield at.line, f"{name} has {component!r}, unknown to ADOT on Lambda", nearest(kind, COMPONENTS[name])


def _keys(root: Node) -> Wrong:
    for path, known in KEYS.items():
        for name, _, node in root.named(*path[:-1]):
            if name.partition("/")[0] == path[-1]:  # awsxray/second is also an awsxray
                for key, at, _ in node.named():
                    if key not in known:
                        yield at.line, f"{'.'.join((*path[:-1], name))} has no key {key!r}", nearest(key, known)


def _variables(root: Node) -> Wrong:
    for node in root.scalars():
        naked = NAKED.search(node.value) if isinstance(node.value, str) else None
        if naked:
            name = naked["name"]
            yield node.line, f"{node.value!r} is used literally", f"write ${{env:{name}}} in place of ${name}"


def _awsxray(root: Node) -> Wrong:
    for name, _, node in root.named("exporters"):
        if name.partition("/")[0] != "awsxray":
            continue
        for key in ("request_timeout_seconds", "max_retries"):
            given = node.get(key)
            if given is None or (isinstance(given.value, str) and given.value.startswith("${")):
                continue
            if type(given.value) is not int or given.value < 0:
                yield given.line, f"{key} is {given.value!r}", "write a whole number, without a unit"
            elif given.value == 0 and key == "max_retries":
                yield given.line, "max_retries is 0, which means three attempts", "write 1"
        indexed = node.get("indexed_attributes")
        if indexed is not None and (indexed.kind != "list" or any(one.kind != "scalar" for one in indexed.items)):
            yield (
                indexed.line,
                "indexed_attributes is not a list of names",
                "write one attribute per line, each after a dash",
            )


def _pipelines(root: Node) -> Wrong:
    for one in root.listed("service", "extensions"):
        yield from _member(root, "service", "extensions", one)
    pipelines = list(root.named("service", "pipelines"))
    if not pipelines:
        yield root.line, "no pipeline", "add service.pipelines.traces, otherwise nothing is exported"
        return
    for name, key, pipeline in pipelines:
        signal = name.partition("/")[0]
        if signal not in SIGNALS:
            yield key.line, f"pipeline {name!r} has an unknown signal", nearest(signal, SIGNALS)
        for role, at, named in pipeline.named():
            if role not in ("receivers", "exporters", "processors"):
                yield at.line, f"pipeline {name} has no key {role!r}", nearest(role, ("receivers", "exporters"))
            for one in named.items:
                yield from _member(root, f"pipeline {name}", role, one)
        for role in ("receivers", "exporters"):
            if not pipeline.listed(role):
                yield key.line, f"pipeline {name} has no {role}", f"name one of them: {role}: [...]"


def _member(root: Node, who: str, role: str, one: Node) -> Wrong:
    """Findings about a component that a pipeline or the list of extensions names."""
    name = str(one.value)
    if role in COMPONENTS and not COMPONENTS[role]:
        yield one.line, f"{who} names {name!r}", f"remove it: {NOT_THERE.format(role)}"
        return
    defined = [component for component, _, _ in root.named(role)]
    if role in COMPONENTS and name not in defined:
        todo = nearest(name, defined, f"define it under {role}, or remove it here")
        yield one.line, f"{who} names {name!r}, which {role} does not define", todo
    elif name.partition("/")[0] == "awsxray" and who.startswith(("pipeline metrics", "pipeline logs")):
        yield one.line, f"{who} names {name!r}", "remove it: awsxray accepts traces only"


def _endpoints(root: Node, endpoints: Iterable[str]) -> Wrong:
    """Findings about receivers that do not listen at the functions' endpoints."""
    listening: list[tuple[int, str, str, str, str]] = []
    for name, _, receiver in root.named("receivers"):
        for protocol, key, node in receiver.named("protocols"):
            given = node.get("endpoint")
            written = str(given.value) if given is not None else USUAL.get(protocol, "")
            host, _, port = expanded(written).rpartition(":")
            line = given.line if given is not None else key.line
            listening.append((line, f"receivers.{name}.protocols.{protocol}", written, host, port))
    for endpoint in endpoints:
        parts = urlsplit(endpoint)
        port = str(parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0))
        if not any(one[-1] == port and one[-2] in HERE for one in listening):
            http = [one for one in listening if one[1].endswith(".http")] or listening
            line, where, written = http[0][:3] if http else (root.line, "receivers", "nothing")
            todo = f"make it localhost:{port}, or change the variable that names the function's endpoint"
            yield line, f"{where} listens on {written!r}, but functions send to {endpoint!r}", todo
