"""No credential leaves on a span: attributes by name, and what texts hold of addresses, headers and keys.

Done once for all spans, after the response and before anything is sent: whoever wrote an attribute or an exception's
message (an instrumentation, a library, the handler), it passes here.
"""

from __future__ import annotations

import os
from functools import lru_cache
from operator import is_
from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import Link, Status

from lambda_latency.runtime.credentials import REDACTED, clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    from opentelemetry.util.types import Attributes

    T = TypeVar("T")

__all__ = ["Redaction"]

SHORT = 128  # characters of a text that is remembered

# The last part of an attribute's name, dashes as underscores.
NAMES = frozenset((
    "authorization", "proxy_authorization", "cookie", "set_cookie", "x_api_key", "x_amz_security_token", "api_key",
    "apikey", "password", "passwd", "secret", "client_secret", "token", "access_token", "refresh_token", "id_token",
    "session_token", "access_key", "access_key_id", "secret_key", "secret_access_key", "query", "query_string",
))  # fmt: skip
ADDRESSES = frozenset(("http.url", "http.target", "url.full", "url.original"))


class Redaction:
    """What the environment's own credentials are, and the names that the setting adds."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names | NAMES
        keys = [os.environ.get(name, "") for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")]
        self._keys = [key for key in keys if len(key) >= 20]  # what is shorter is no key of AWS's
        # Most of what spans carry is the same in each invocation, and was found to be harmless in the one before.
        self._known_value = lru_cache(maxsize=512, typed=True)(self._value)

    def clean(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        """The same spans; one with something on it that must not leave is replaced by a copy without."""
        return [self._span(span) for span in spans]

    def _span(self, span: ReadableSpan) -> ReadableSpan:
        status = span.status
        name, description = self._text(span.name), self._text(status.description or "")
        given = span.attributes
        values = self._attributes(given)
        had_events, had_links = span.events, span.links
        events = [self._event(event) for event in had_events]
        links = [self._link(link) for link in had_links]
        before = (span.name, status.description or "", given, *had_events, *had_links)
        if all(map(is_, before, (name, description, values, *events, *links))):
            return span
        return ReadableSpan(
            name, span.get_span_context(), span.parent, span.resource, bounded(values, span.dropped_attributes),
            counted(events, span.dropped_events), counted(links, span.dropped_links),
            span.kind, None, Status(status.status_code, description or None), span.start_time, span.end_time,
            span.instrumentation_scope,
        )  # fmt: skip

    def _event(self, event: Event) -> Event:
        values = self._attributes(event.attributes)
        if values is event.attributes:
            return event
        return Event(event.name, bounded(values, event.dropped_attributes), event.timestamp)

    def _link(self, link: Link) -> Link:
        values = self._attributes(link.attributes)
        return link if values is link.attributes else Link(link.context, bounded(values, link.dropped_attributes))

    def _attributes(self, values: Attributes) -> Attributes:
        """The very same mapping where nothing has to go."""
        changed: dict[str, Any] = {}
        for key, value in (values or {}).items():
            kind = type(value)
            known = kind is int or kind is bool or (isinstance(value, str) and len(value) <= SHORT)
            new = self._known_value(key, value) if known else self._value(key, value)
            if new is not value and new != value:
                changed[key] = new
        return {**(values or {}), **changed} if changed else values

    def _value(self, key: str, value: object) -> object:
        name = key.lower().replace("-", "_")
        if name in self._names or name.rpartition(".")[2] in self._names:
            return REDACTED
        if isinstance(value, str):
            if key in ADDRESSES:
                value = value.partition("?")[0].partition("#")[0]
            return self._text(value)
        if isinstance(value, tuple):
            return tuple(self._text(one) if isinstance(one, str) else one for one in value)
        return value

    def _text(self, text: str) -> str:
        text = clean(text)
        for key in self._keys:
            text = text.replace(key, REDACTED)
        return text


def bounded(values: Attributes, dropped: int) -> BoundedAttributes:
    """Attributes that say how many were dropped from them."""
    found = BoundedAttributes(attributes=values)
    found.dropped = dropped
    return found


def counted(items: list[T], dropped: int) -> BoundedList[T]:
    """A list that says how many were dropped from it."""
    found: BoundedList[T] = BoundedList.from_seq(len(items) or 1, items)
    found.dropped = dropped
    return found
