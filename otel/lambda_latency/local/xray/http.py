"""The `http` part of a segment document, from OpenTelemetry's old and new HTTP attributes."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from lambda_latency.trace import Span, SpanKind

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


def http_part(span: Span, left: dict[str, Any]) -> dict[str, Any] | None:
    """The `http` part; its attributes are removed from `left`. None for a span without HTTP attributes."""
    found = {key: left.pop(key) for key in TAKEN if key in left}
    if not any(key in found for key in ABOUT_HTTP):
        return None
    request: dict[str, Any] = {"method": _first(found, METHOD), "user_agent": _first(found, USER_AGENT)}
    if any(key in found for key in ABOUT_URL):
        server = span.kind is SpanKind.SERVER
        request["url"] = _url(found, SERVER_HOST, SERVER_PORT) if server else _url(found, CLIENT_HOST, CLIENT_PORT)
    peer, client = _address(found, PEER), _address(found, CLIENT)
    request["client_ip"] = client or peer
    if client and not peer:
        request["x_forwarded_for"] = True
    status = _first(found, STATUS)
    response = {"status": status if type(status) is int else None, "content_length": 0}
    return {"request": _known(request), "response": _known(response)}


def _url(found: Mapping[str, Any], hosts: tuple[str, ...], ports: tuple[str, ...]) -> str:
    """The URL of a span, or one composed of its parts, with the query if the span has one."""
    whole = _first(found, URL)
    if whole is not None:
        return str(whole)
    scheme = str(_first(found, SCHEME) or "http")
    host, port = str(_first(found, hosts) or ""), str(_first(found, ports) or "")
    if "http.host" in found and "http.host" in hosts:
        port = ""  # http.host includes the port
    target = found.get("http.target")
    if target is None:
        query = found.get("url.query")
        target = f"{found.get('url.path', '/')}" + ("" if query is None else f"?{str(query).removeprefix('?')}")
    return f"{scheme}://{host}" + (f":{port}" if port and port != USUAL_PORTS.get(scheme) else "") + str(target)


def _address(found: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """The value of the old key; else that of the new key, if it is an IP address."""
    old, new = (found.get(key) for key in keys)
    if old is not None:
        return str(old)
    try:
        return str(ipaddress.ip_address(new)) if isinstance(new, str) else None
    except ValueError:
        return None


def _first(found: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((found[key] for key in keys if key in found), None)


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
