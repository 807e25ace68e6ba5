"""HTTP client spans: upstream leaves out the peer, by which X-Ray names its node, and leaves in query and user info."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan

from otel.runtime.harmless import harmless

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from opentelemetry.trace import Span

__all__ = ["requested", "requested_async"]

PORTS = {"http": 80, "https": 443}
PEERS: dict[tuple[str, str], dict[str, str | int]] = {}
"""By scheme and authority, as far as they have been called: few, and each is called again and again."""
MOST_PEERS = 64


@harmless("an HTTP call's span")
def requested(span: Span, *_: object) -> None:
    """The request hook of every HTTP library: what they pass differs, but each has written `http.url` by then."""
    if not isinstance(span, ReadableSpan) or not span.is_recording():
        return
    url = (span.attributes or {}).get("http.url")
    if not isinstance(url, str):
        return
    scheme, host = url.partition("://")[::2]
    host = host.partition("/")[0]
    known = PEERS.get((scheme, host))
    if known is None or not url.isprintable() or "@" in url or "?" in url or "#" in url:
        parts = urlsplit(url)
        known = peer(parts)
        if scheme in PORTS and parts.netloc == host and len(PEERS) < MOST_PEERS:
            PEERS[scheme, host] = known
        known = {"http.url": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", **known}
    span.set_attributes(known)


def peer(parts: SplitResult) -> dict[str, str | int]:
    """Host and port of an address, as X-Ray's exporter names the node, and as the convention does."""
    known: dict[str, str | int] = {}
    host = parts.hostname or ""
    if host:
        known["peer.service"] = known["net.peer.name"] = host
        known["net.peer.port"] = parts.port or PORTS.get(parts.scheme, 0)
    return known


async def requested_async(span: Span, *details: object) -> None:
    """The same for a library that awaits its hooks."""
    requested(span, *details)
