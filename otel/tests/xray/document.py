"""Makes the segment document that ADOT's exporter, awsxray, makes of a span.

The exporter itself cannot run here. Its rules are implemented again and compared with documents that it made:
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.117.0/exporter/awsxrayexporter
Only rules for spans of Python functions on Lambda are implemented. Span links, origins of EC2 and containers, stacks of
other languages and the doubled root spans of Application Signals are omitted. So is one check: the exporter drops a
trace whose id does not contain a time of the last 28 days.
"""

from __future__ import annotations

import ipaddress
import json
import re
from base64 import b64encode
from collections.abc import Collection, Mapping
from typing import Any

from lambda_latency.local.spans.segments import new_span_id
from lambda_latency.trace import Event, Span, SpanKind, Status

Document = dict[str, Any]  # a segment document, or a part of one
NOT_IN_A_NAME = re.compile(r"[^ 0-9\w.:/%&#=+\-@]")
NOT_IN_A_KEY = re.compile(r"[^0-9A-Za-z.]")
LONGEST_NAME = 200
OWN_ANNOTATIONS = "aws.xray.annotations"
OWN_METADATA = "aws.xray.metadata."  # followed by a namespace; the value is a JSON object
DATABASES = (
    "db2",
    "derby",
    "hive",
    "mariadb",
    "mssql",
    "mysql",
    "oracle",
    "postgresql",
    "sqlite",
    "teradata",
    "other_sql",
)
PREFIXES = ("AWS.SDK.", "AWS::")
FRAME = re.compile(r'  File "(?P<path>[^,]*)", line (?P<line>\d+), in (?P<label>[^,]*)')
CHAINED = "During handling of the above exception, another exception occurred:"
OPERATION = ("aws.operation", "rpc.method")
TEXTS = {
    "account_id": ("aws.account_id",),
    "region": ("aws.region",),
    "request_id": ("aws.request_id", "aws.requestId"),
    "queue_url": ("aws.queue_url", "aws.queue.url"),
    "table_name": ("aws.table_name", "aws.table.name"),
}
TABLES = "aws.dynamodb.table_names"  # also stays in the metadata
METHOD = ("http.method", "http.request.method")
STATUS = ("http.status_code", "http.response.status_code")
USER_AGENT = ("http.user_agent", "user_agent.original")
URL = ("http.url", "url.full")
SCHEME = ("http.scheme", "url.scheme")
SERVER_HOST = ("http.host", "http.server_name", "net.host.name", "host.name", "server.address")
SERVER_PORT = ("net.host.port", "server.port")
CLIENT_HOST = ("http.host", "net.peer.name", "net.peer.ip")
CLIENT_PORT = ("net.peer.port",)
PEER = ("net.peer.ip", "network.peer.address")
CLIENT = ("http.client_ip", "client.address")
TARGET = ("http.target", "url.path", "url.query")

# A document has an `http` part if the span has one of ABOUT_HTTP, and a URL in it if the span has one of ABOUT_URL.
ABOUT_HTTP = (
    *METHOD,
    *STATUS,
    *USER_AGENT,
    *URL,
    *SCHEME,
    *TARGET,
    "http.client_ip",
    "http.host",
    "http.server_name",
    "net.host.port",
)
ABOUT_URL = (*URL, *SERVER_HOST, *CLIENT_HOST, *PEER)
TAKEN = {*ABOUT_HTTP, *ABOUT_URL, *SERVER_PORT, *CLIENT_PORT, *CLIENT}
USUAL_PORTS = {"http": "80", "https": "443"}


def segment_document(span: Span, indexed: Collection[str]) -> Document:
    """The segment document of a span, with times in epoch seconds. `indexed` attributes become annotations."""
    is_segment = span.kind is SpanKind.SERVER or span.parent_id is None
    version = span.resource.get("service.version") or span.resource.get("container.image.tag")
    # Each part removes its attributes; the rest becomes annotations and metadata.
    remaining = dict(span.attributes)
    parts: Document = {
        "name": _name(span),
        "id": span.span_id,
        "trace_id": xray_trace_id(span.trace_id),
        "parent_id": span.parent_id,
        "start_time": seconds(span.start_ns),
        "end_time": seconds(span.end_ns or 0),
        "http": http_part(span, remaining),
        **flags(span),
        "cause": cause_part(span, remaining),
        "aws": aws_part(span, remaining),
        "sql": _sql(span, remaining),
        "user": remaining.pop("enduser.id", None),
        "service": {"version": str(version)} if version else None,
        "namespace": _namespace(span),
        "type": None if is_segment else "subsegment",
    }
    remaining |= {name: span.attributes[name] for name in indexed if name in span.attributes}
    parts |= _attributes(remaining, span.resource if is_segment else {}, indexed)
    return present(parts)


def xray_trace_id(trace_id: str) -> str:
    """Return a trace id as X-Ray writes it: `1-5759e988-bd862e3fe1be46a994272793`."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"


def seconds(ns: int) -> float:
    """Epoch seconds as a 64-bit float, as the exporter writes them: exact to about 0.24 microseconds."""
    return float(ns) / 1e9


def is_aws_call(span: Span) -> bool:
    """Return whether a span is a call by an AWS SDK."""
    return span.attributes.get("rpc.system") == "aws-api"


def _name(span: Span) -> str:
    """Return the node's name in X-Ray: a service, not an operation."""
    outgoing = span.kind in (SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER)
    remote = _text(span, "aws.remote.service") if outgoing else ""
    if is_aws_call(span):
        for prefix in PREFIXES:
            remote = remote.removeprefix(prefix)
    server = span.kind is SpanKind.SERVER
    names = (
        remote,
        _text(span, "aws.local.service") if server else "",
        _text(span, "peer.service"),
        _text(span, "aws.service"),
        _text(span, "db.name"),
        str(span.resource.get("service.name") or "") if server else "",
        _text(span, "rpc.service"),
        _text(span, "http.host"),
        _text(span, "net.peer.name"),
        NOT_IN_A_NAME.sub("", span.name)[:LONGEST_NAME],
    )
    return next(filter(None, names), "span")


def _namespace(span: Span) -> str | None:
    if is_aws_call(span) or _text(span, "aws.service"):
        return "aws"
    return "remote" if span.kind is SpanKind.CLIENT else None


def _attributes(attributes: dict[str, object], resource: Mapping[str, object], indexed: Collection[str]) -> Document:
    """Annotations and metadata. An indexed list is in neither: the exporter drops it."""
    annotated = attributes.pop(OWN_ANNOTATIONS, None)
    keys = {*indexed, *(annotated if isinstance(annotated, tuple) else ())}
    annotations: dict[str, object] = {}
    metadata: dict[str, object] = {}
    namespaces: dict[str, object] = {}
    for key, value in {**attributes, **{f"otel.resource.{key}": value for key, value in resource.items()}}.items():
        if key in keys:
            if isinstance(value, (str, bool, int, float)):
                annotations[NOT_IN_A_KEY.sub("_", key)] = value
        elif key.startswith(OWN_METADATA) and (fields := _object(value)) is not None:
            namespace = key.removeprefix(OWN_METADATA)
            if namespace.lower() == "default":
                metadata |= fields
            else:
                namespaces[namespace] = fields
        elif value is not None:
            metadata[key] = _plain(value)
    if metadata:
        namespaces["default"] = metadata
    return {"annotations": annotations or None, "metadata": namespaces or None}


def _object(value: object) -> dict[str, object] | None:
    """Return the JSON object in a text; None for any other value."""
    try:
        parsed = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _sql(span: Span, remaining: dict[str, Any]) -> Document | None:
    """The part of a call to a database; its attributes are removed from `remaining`. The URL is the span's name."""
    if remaining.get("db.system") not in DATABASES:
        return None
    taken = {
        key: str(remaining.pop(f"db.{key}", "")) for key in ("connection_string", "system", "name", "statement", "user")
    }
    return {
        "url": span.name,
        "connection_string": f"{taken['connection_string'] or 'localhost'}/{taken['name']}",
        "database_type": taken["system"],
        "user": taken["user"],
        "sanitized_query": taken["statement"],
    }


def _plain(value: object) -> object:
    """Return a value with JSON's types: bytes in base64."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return b64encode(value).decode() if isinstance(value, bytes) else value


def _text(span: Span, key: str) -> str:
    value = span.attributes.get(key)
    return value if isinstance(value, str) else ""


def flags(span: Span) -> dict[str, bool]:
    """Fault, error and throttle: by the HTTP status if that is an error, otherwise by the span's own status."""
    code = span.attributes.get("http.status_code", span.attributes.get("http.response.status_code"))
    code = code if type(code) is int else 0  # a status that is text is ignored
    if 400 <= code <= 499:
        return {"fault": False, "error": True, "throttle": code == 429}
    return {"fault": 500 <= code <= 599 or span.status is Status.ERROR, "error": False, "throttle": False}


def cause_part(span: Span, remaining: dict[str, Any]) -> Document | None:
    """Return a span's exceptions, else the message of its ERROR status, removed from `remaining`; None without both."""
    exceptions = [_exception(event, span) for event in span.events if event.name == "exception"]
    if not exceptions and span.status is Status.ERROR:
        message = span.status_message or str(remaining.get("http.status_text", ""))
        remaining.pop("http.status_text", None)
        if message:
            exceptions = [{"id": new_span_id(), "message": message, "type": ""}]
    return {"exceptions": exceptions} if exceptions else None


def _exception(event: Event, span: Span) -> Document:
    exception: Document = {
        "id": new_span_id(),
        "message": str(event.attributes.get("exception.message", "")),
        "type": str(event.attributes.get("exception.type", "")),
        "remote": span.kind in (SpanKind.CLIENT, SpanKind.PRODUCER),
    }
    trace = event.attributes.get("exception.stacktrace")
    if isinstance(trace, str) and span.resource.get("telemetry.sdk.language") == "python":
        stack = _stack(trace)
        if stack:
            exception["stack"] = stack
    return exception


def _stack(trace: str) -> list[Document]:
    """Python's stack, from the innermost frame outwards, without the exception that was being handled.

    The exporter reads that exception as a second one, but uses a line of code as its type.
    """
    frames = []
    for line in reversed(trace.split("\n")[:-1]):
        if line.startswith(CHAINED):
            break
        if frame := FRAME.fullmatch(line):
            frames.append({"path": frame["path"], "line": int(frame["line"]), "label": frame["label"]})
    return frames


def aws_part(span: Span, remaining: dict[str, Any]) -> Document | None:
    """Return the `aws` part; its attributes are removed from `remaining`. None if the resource runs outside AWS."""
    part: Document = {"account_id": span.resource.get("cloud.account.id"), "operation": _first(remaining, OPERATION)}
    for key in OPERATION:
        remaining.pop(key, None)
    for name, keys in TEXTS.items():
        for key in keys:
            if key in remaining:
                part[name] = remaining.pop(key)
    if span.resource.get("cloud.provider", "aws") != "aws":
        return None
    part |= _tables(remaining.get(TABLES))
    groups = _log_groups(span.resource.get("aws.log.group.names"))
    if groups:
        part["cloudwatch_logs"] = [{"log_group": name} for name in groups]
    return {"xray": _sdk(span), **{name: value for name, value in part.items() if value not in (None, "")}}


def _sdk(span: Span) -> Document:
    name, language = span.resource.get("telemetry.sdk.name"), span.resource.get("telemetry.sdk.language")
    sdk = {
        "sdk": (f"{name} for {language}" if name and language else name) or None,
        "sdk_version": span.resource.get("telemetry.sdk.version") or None,
        "auto_instrumentation": bool(span.resource.get("telemetry.auto.version")),
    }
    return present(sdk)


def _tables(names: object) -> Document:
    if isinstance(names, str):
        return {"table_name": names}
    if not isinstance(names, tuple) or not names:
        return {}
    return {"table_name": names[0]} if len(names) == 1 else {"table_name": None, "table_names": list(names)}


def _log_groups(names: object) -> list[str]:
    """Return the names from a list, or from its text form, which separates them by &."""
    if isinstance(names, str):
        return [name for name in names.split("&") if name]
    return [str(name) for name in names] if isinstance(names, tuple) else []


def http_part(span: Span, remaining: dict[str, Any]) -> Document | None:
    """Return the `http` part; its attributes are removed from `remaining`. None for a span without HTTP attributes."""
    attributes = {key: remaining.pop(key) for key in TAKEN if key in remaining}
    if attributes.keys().isdisjoint(ABOUT_HTTP):
        return None
    request: Document = {"method": _first(attributes, METHOD), "user_agent": _first(attributes, USER_AGENT)}
    if not attributes.keys().isdisjoint(ABOUT_URL):
        is_server = span.kind is SpanKind.SERVER
        hosts, ports = (SERVER_HOST, SERVER_PORT) if is_server else (CLIENT_HOST, CLIENT_PORT)
        request["url"] = _url(attributes, hosts, ports)
    peer, client = _address(attributes, PEER), _address(attributes, CLIENT)
    request["client_ip"] = client or peer
    if client and not peer:
        request["x_forwarded_for"] = True
    status = _first(attributes, STATUS)
    response = {"status": status if type(status) is int else None, "content_length": 0}
    return {"request": present(request), "response": present(response)}


def _url(attributes: Mapping[str, Any], hosts: tuple[str, ...], ports: tuple[str, ...]) -> str:
    """Return the URL of a span, or one composed of its parts, with the query if the span has one."""
    whole = _first(attributes, URL)
    if whole is not None:
        return str(whole)
    scheme = str(_first(attributes, SCHEME) or "http")
    host, port = str(_first(attributes, hosts) or ""), str(_first(attributes, ports) or "")
    if "http.host" in attributes and "http.host" in hosts:
        port = ""  # http.host includes the port
    authority = f"{host}:{port}" if port and port != USUAL_PORTS.get(scheme) else host
    return f"{scheme}://{authority}{_target(attributes)}"


def _target(attributes: Mapping[str, Any]) -> str:
    target, query = attributes.get("http.target"), attributes.get("url.query")
    if target is not None:
        return str(target)
    return f"{attributes.get('url.path', '/')}" + ("" if query is None else f"?{str(query).removeprefix('?')}")


def _address(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """Return the value of the old key; else that of the new key, if it is an IP address."""
    old, new = (attributes.get(key) for key in keys)
    if old is not None:
        return str(old)
    try:
        return str(ipaddress.ip_address(new)) if isinstance(new, str) else None
    except ValueError:
        return None


def _first(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((attributes[key] for key in keys if key in attributes), None)


def present(fields: Mapping[str, Any]) -> Document:
    """Return the fields that have a value."""
    return {key: value for key, value in fields.items() if value is not None}
