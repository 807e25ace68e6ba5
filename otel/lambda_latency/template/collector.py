"""A collector file, and whether ADOT's collector on Lambda starts with it and listens at the functions' endpoint.

A wrong line stops the extension, and with it every function, at init; in one case without a message. The check compares
the file with the components of ADOT's Lambda layer, 0.117 (ADOT 0.43), which has no processors and no connectors:
https://github.com/aws-observability/aws-otel-lambda, folder adot/collector.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from lambda_latency.template.node import Diagnostic, YamlNode, nearest, read_yaml

VARIABLE = re.compile(r"\$\{(?:env:)?(\w+)(?::-([^}]*))?\}")
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "receivers": ("otlp",),
    "exporters": ("awsxray", "awsemf", "prometheusremotewrite", "debug", "otlp", "otlphttp"),
    "extensions": ("sigv4auth",),
    "processors": (),
    "connectors": (),
}
SECTIONS = (*COMPONENTS, "service")

# The keys below a path; a component without an entry is not checked.
KEYS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("receivers", "otlp"): ("protocols",),
    ("receivers", "otlp", "protocols"): ("grpc", "http"),
    ("exporters", "awsxray"): (
        "aws_log_groups",
        "certificate_file_path",
        "endpoint",
        "imds_retries",
        "index_all_attributes",
        "indexed_attributes",
        "local_mode",
        "max_retries",
        "middleware",
        "no_verify_ssl",
        "num_workers",
        "profile",
        "proxy_address",
        "region",
        "request_timeout_seconds",
        "resource_arn",
        "role_arn",
        "shared_credentials_file",
        "telemetry",
        "transit_spans_in_otlp_format",
    ),
    ("service",): ("extensions", "pipelines", "telemetry"),
    ("service", "telemetry"): ("logs", "metrics", "resource", "traces"),
}
NAKED = re.compile(r"(?<!\$)\$(?:\$\$)*(?P<name>[A-Za-z_]\w*)")
NOT_THERE = "ADOT's collector on Lambda has no {0}, and does not start with one"
HERE = ("localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]", "")
SIGNALS = ("traces", "metrics", "logs")
USUAL = {"http": "localhost:4318", "grpc": "localhost:4317"}


@dataclass(frozen=True, slots=True)
class Collector:
    """A collector file with valid YAML; `check_collector` checks its content."""

    source: str
    text: str
    root: YamlNode

    def indexed_attributes(self, exporter: str = "awsxray") -> tuple[str, ...]:
        """The attributes that X-Ray can search by."""
        return tuple(str(item.value) for item in self.root.listed("exporters", exporter, "indexed_attributes"))

    def with_exporter(self, old: str, new: str, block: str) -> str:
        """The text with one exporter replaced, in its block and in every pipeline; the rest is unchanged.

        `block` is the new exporter's configuration on one line.
        """
        changes = [
            (key.start, value.end, f"{new}: {block}\n\n")
            for name, key, value in self.root.named("exporters")
            if name == old
        ]
        for _, _, pipeline in self.root.named("service", "pipelines"):
            changes += [(node.start, node.end, new) for node in pipeline.listed("exporters") if node.value == old]
        text = self.text
        for start, end, put in sorted(changes, reverse=True):
            text = text[:start] + put + text[end:]
        return text


def read_collector(path: Path) -> Collector | Diagnostic:
    """The collector file at `path`, or the finding with the reason why it cannot be read."""
    source = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return Diagnostic(source, 1, f"cannot be read ({error.strerror})", "name a file that exists")
    except UnicodeDecodeError as error:
        return Diagnostic(source, 1, f"not UTF-8 text: byte {error.start}", "save it as UTF-8")
    root = read_yaml(source, text)
    if isinstance(root, Diagnostic):
        return root
    if root.kind != "mapping":
        return Diagnostic(source, root.line, f"a {root.kind}", "write receivers:, exporters: and service:")
    return Collector(source, text, root)


def expanded(text: str) -> str:
    """A value with its variables replaced by their defaults: `${env:HOST:-localhost}:4318` is `localhost:4318`."""
    return VARIABLE.sub(lambda variable: variable[2] or "", text)


def check_collector(collector: Collector, endpoints: Iterable[str] = ()) -> tuple[Diagnostic, ...]:
    """The findings about a file, sorted by line.

    `endpoints` are the URLs to which functions send (`http://localhost:4318/v1/traces`).
    """
    root = collector.root
    mistakes = {*_sections(root), *_keys(root), *_variables(root), *_awsxray(root), *_pipelines(root)}
    mistakes.update(_endpoints(root, endpoints))
    return tuple(sorted(Diagnostic(collector.source, *mistake) for mistake in mistakes))


Mistakes = Iterator[tuple[int, str, str]]


def _sections(root: YamlNode) -> Mistakes:
    for name, key, section in root.named():
        if name not in SECTIONS:
            yield key.line, f"unknown section {name!r}", nearest(name, SECTIONS)
        for component, node, _ in section.named() if name in COMPONENTS else ():
            kind = component.partition("/")[0]
            if not COMPONENTS[name]:
                yield node.line, f"{name} has {component!r}", f"remove it: {NOT_THERE.format(name)}"
            elif kind not in COMPONENTS[name]:
                yield node.line, f"{name} has {component!r}, unknown to ADOT on Lambda", nearest(kind, COMPONENTS[name])


def _keys(root: YamlNode) -> Mistakes:
    for path, keys in KEYS.items():
        for name, _, node in root.named(*path[:-1]):
            if name.partition("/")[0] == path[-1]:  # awsxray/second is also an awsxray
                for key, key_node, _ in node.named():
                    if key not in keys:
                        yield key_node.line, f"{'.'.join((*path[:-1], name))} has no key {key!r}", nearest(key, keys)


def _variables(root: YamlNode) -> Mistakes:
    for node in root.scalars():
        naked = NAKED.search(node.value) if isinstance(node.value, str) else None
        if naked:
            name = naked["name"]
            yield node.line, f"{node.value!r} is used literally", f"write ${{env:{name}}} in place of ${name}"


def _awsxray(root: YamlNode) -> Mistakes:
    for name, _, node in root.named("exporters"):
        if name.partition("/")[0] == "awsxray":
            yield from _number(node, "request_timeout_seconds")
            yield from _number(node, "max_retries")
            indexed = node.get("indexed_attributes")
            is_list = indexed is not None and indexed.kind == "list"
            if indexed is not None and not (is_list and all(item.kind == "scalar" for item in indexed.items)):
                todo = "write one attribute per line, each after a dash"
                yield indexed.line, "indexed_attributes is not a list of names", todo


def _number(node: YamlNode, key: str) -> Mistakes:
    """Findings about a setting that must be a whole number."""
    setting = node.get(key)
    if setting is None or (isinstance(setting.value, str) and setting.value.startswith("${")):
        return
    if type(setting.value) is not int or setting.value < 0:
        yield setting.line, f"{key} is {setting.value!r}", "write a whole number, without a unit"
    elif setting.value == 0 and key == "max_retries":
        yield setting.line, "max_retries is 0, which means three attempts", "write 1"


def _pipelines(root: YamlNode) -> Mistakes:
    for extension in root.listed("service", "extensions"):
        yield from _member(root, "service", "extensions", extension)
    pipelines = list(root.named("service", "pipelines"))
    if not pipelines:
        yield root.line, "no pipeline", "add service.pipelines.traces, otherwise nothing is exported"
        return
    for name, key, pipeline in pipelines:
        signal = name.partition("/")[0]
        if signal not in SIGNALS:
            yield key.line, f"pipeline {name!r} has an unknown signal", nearest(signal, SIGNALS)
        for role, role_key, named in pipeline.named():
            if role not in ("receivers", "exporters", "processors"):
                yield role_key.line, f"pipeline {name} has no key {role!r}", nearest(role, ("receivers", "exporters"))
            for component in named.items:
                yield from _member(root, f"pipeline {name}", role, component)
        for role in ("receivers", "exporters"):
            if not pipeline.listed(role):
                yield key.line, f"pipeline {name} has no {role}", f"name one of them: {role}: [...]"


def _member(root: YamlNode, who: str, role: str, component: YamlNode) -> Mistakes:
    """Findings about a component that a pipeline or the list of extensions names."""
    name = str(component.value)
    if role in COMPONENTS and not COMPONENTS[role]:
        yield component.line, f"{who} names {name!r}", f"remove it: {NOT_THERE.format(role)}"
        return
    defined = [component for component, _, _ in root.named(role)]
    if role in COMPONENTS and name not in defined:
        todo = nearest(name, defined, f"define it under {role}, or remove it here")
        yield component.line, f"{who} names {name!r}, which {role} does not define", todo
    elif name.partition("/")[0] == "awsxray" and who.startswith(("pipeline metrics", "pipeline logs")):
        yield component.line, f"{who} names {name!r}", "remove it: awsxray accepts traces only"


def _endpoints(root: YamlNode, endpoints: Iterable[str]) -> Mistakes:
    """Findings about receivers that do not listen at the functions' endpoints."""
    listeners = list(_listeners(root))
    for endpoint in endpoints:
        parts = urlsplit(endpoint)
        port = str(parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0))
        if not any(listener.is_at(port) for listener in listeners):
            by_http = [listener for listener in listeners if listener.path.endswith(".http")] or listeners
            line, path, address = by_http[0] if by_http else (root.line, "receivers", "nothing")
            todo = f"make it localhost:{port}, or change the variable that names the function's endpoint"
            yield line, f"{path} listens on {address!r}, but functions send to {endpoint!r}", todo


class _Listener(NamedTuple):
    line: int
    path: str
    address: str

    def is_at(self, port: str) -> bool:
        """Whether a function reaches it at a port."""
        host, _, own_port = expanded(self.address).rpartition(":")
        return own_port == port and host in HERE


def _listeners(root: YamlNode) -> Iterator[_Listener]:
    for name, _, receiver in root.named("receivers"):
        for protocol, key, node in receiver.named("protocols"):
            endpoint = node.get("endpoint")
            address = str(endpoint.value) if endpoint is not None else USUAL.get(protocol, "")
            yield _Listener((endpoint or key).line, f"receivers.{name}.protocols.{protocol}", address)
