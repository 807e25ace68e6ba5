"""Adds to a call's span the attributes that X-Ray's exporters read and the instrumentations leave out: peer, region,
table. They are derived from the span's own attributes, after the response.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["completed"]

UPSTREAM = "opentelemetry.instrumentation."
CLIENT = SpanKind.CLIENT  # Python 3.11 searches for a member of an enumeration each time
PORTS = {"http": 80, "https": 443}


def completed(span: ReadableSpan, values: dict[str, Any]) -> dict[str, Any]:
    """The span's attributes, which are `values`, with the derived ones if it is a call of an instrumentation."""
    scope = span.instrumentation_scope
    if span.kind is CLIENT and scope is not None and scope.name.startswith(UPSTREAM):
        try:
            values.update(call(values))
        except Exception as error:  # noqa: BLE001 - the span is sent as it is
            warn(f"completing a call's span failed ({type(error).__name__}: {error}); the request goes on")
    return values


def call(given: Mapping[str, Any]) -> dict[str, Any]:
    """The derived attributes of a call: peer; for a call to AWS, region and table."""
    more: dict[str, Any] = {}
    url = given.get("http.url")
    if isinstance(url, str):
        more.update(peer_of(url))
    region = given.get("cloud.region")
    if region is not None:
        more["aws.region"] = region
    tables = given.get("aws.dynamodb.table_names")
    if tables is not None and len(tables) == 1:
        more["aws.table_name"] = tables[0]
    return more


def peer_of(url: str) -> dict[str, str | int]:
    """Host and port of a URL, under the key that names X-Ray's node and under the semantic convention's keys."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    return known_peer(scheme, authority.rpartition("@")[2])


@lru_cache(maxsize=64)  # a function calls few different hosts
def known_peer(scheme: str, authority: str) -> dict[str, str | int]:
    """As `peer_of`, of a scheme and `host:port`; empty if that is not valid."""
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        host, port = parts.hostname, parts.port
    except ValueError:  # its text is not logged: the invalid port may be a secret
        return {}
    if not host:
        return {}
    return {"peer.service": host, "net.peer.name": host, "net.peer.port": port or PORTS.get(parts.scheme, 0)}
