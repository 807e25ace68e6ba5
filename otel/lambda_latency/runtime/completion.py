"""What X-Ray shows of a call and upstream's spans leave out: the peer by which it names a node, region and table in its
own words. All of it follows from what they say, and is added after the response, so that nobody waits for it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from lambda_latency.runtime.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["complete"]

UPSTREAM = "opentelemetry.instrumentation."
PORTS = {"http": 80, "https": 443}


def complete(spans: Iterable[ReadableSpan]) -> None:
    """Add it to the spans of calls, as far as they are upstream's."""
    for span in spans:
        scope = span.instrumentation_scope
        if span.kind is SpanKind.CLIENT and scope is not None and scope.name.startswith(UPSTREAM):
            add(span)


@harmless("completing a call's span")
def add(span: ReadableSpan) -> None:
    """Into the very mapping: a span that has ended takes no attribute, and a copy of it would take longer."""
    held: Any = span._attributes
    values = getattr(held, "_dict", held)
    url = values.get("http.url")
    if isinstance(url, str):
        values.update(peer_of(url))
    region = values.get("cloud.region")
    if region is not None:
        values["aws.region"] = region  # the key that X-Ray's exporter reads
    tables = values.get("aws.dynamodb.table_names")
    if tables is not None and len(tables) == 1:
        values["aws.table_name"] = tables[0]


def peer_of(url: str) -> dict[str, str | int]:
    """Host and port of an address, as X-Ray's exporter names the node, and as the convention does."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    return known_peer(scheme, authority.rpartition("@")[2])


@lru_cache(maxsize=64)  # a function calls few hosts, again and again
def known_peer(scheme: str, authority: str) -> dict[str, str | int]:
    """The same, by scheme and host with port; nothing of what is no address."""
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        host, port = parts.hostname, parts.port
    except ValueError:  # whose text would tell what stands in the place of a port
        return {}
    if not host:
        return {}
    return {"peer.service": host, "net.peer.name": host, "net.peer.port": port or PORTS.get(parts.scheme, 0)}
