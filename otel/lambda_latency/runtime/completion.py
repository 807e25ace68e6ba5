"""What X-Ray shows of a call and upstream leaves out: the peer by which it names a node, region and table under the
keys that its exporters read. All of it follows from what the span says, and is added after the response.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from lambda_latency.runtime.copies import attributes_of
from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["completed"]

UPSTREAM = "opentelemetry.instrumentation."
PORTS = {"http": 80, "https": 443}


def completed(span: ReadableSpan) -> dict[str, Any]:
    """The span's attributes, in a dictionary of its own; of one of upstream's calls with what follows from them."""
    values, scope = attributes_of(span), span.instrumentation_scope
    if span.kind is SpanKind.CLIENT and scope is not None and scope.name.startswith(UPSTREAM):
        try:
            values.update(call(values))
        except Exception as error:  # noqa: BLE001 - the span leaves as it is
            warn(f"completing a call's span failed ({type(error).__name__}: {error}); the request goes on")
    return values


def call(given: Mapping[str, Any]) -> dict[str, Any]:
    """Of a call: its peer, and of one to AWS its region and table."""
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
    """Host and port of an address, under the key that names X-Ray's node and under the convention's own."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    return known_peer(scheme, authority.rpartition("@")[2])


@lru_cache(maxsize=64)  # a function calls few hosts, again and again
def known_peer(scheme: str, authority: str) -> dict[str, str | int]:
    """The same, by scheme and host with port; empty for what is no address."""
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        host, port = parts.hostname, parts.port
    except ValueError:  # whose text would tell what stands in the place of a port
        return {}
    if not host:
        return {}
    return {"peer.service": host, "net.peer.name": host, "net.peer.port": port or PORTS.get(parts.scheme, 0)}
