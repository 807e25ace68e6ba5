"""HTTP client spans: upstream leaves out the peer, by which X-Ray names its node, and leaves in query and user info."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan

from otel.runtime.harmless import harmless

if TYPE_CHECKING:
    from opentelemetry.trace import Span

__all__ = ["requested", "requested_async"]

PORTS = {"http": 80, "https": 443}


@harmless("an HTTP call's span")
def requested(span: Span, *_: object) -> None:
    """The request hook of every HTTP library: what they pass differs, but each has written `http.url` by then."""
    if not isinstance(span, ReadableSpan) or not span.is_recording():
        return
    url = (span.attributes or {}).get("http.url")
    if not isinstance(url, str):
        return
    parts = urlsplit(url)
    host = parts.hostname or ""
    known: dict[str, str | int] = {"http.url": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"}
    if host:
        known["peer.service"] = known["net.peer.name"] = host
        known["net.peer.port"] = parts.port or PORTS.get(parts.scheme, 0)
    span.set_attributes(known)


async def requested_async(span: Span, *details: object) -> None:
    """The same for a library that awaits its hooks."""
    requested(span, *details)
