"""Removes credentials from spans: attributes by name, and credentials inside texts, before texts are cut.

All spans pass here once, after the response and before they are sent, so it does not matter who wrote an attribute or
an exception's message: an instrumentation, a library or the handler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Status

from lambda_latency.runtime.completion import completed
from lambda_latency.runtime.copies import bounded, copied
from lambda_latency.runtime.credentials import REDACTED, clean, known_values
from lambda_latency.runtime.secret_names import NO, SECRET, secrecy

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.chosen import Chosen
__all__ = ["Redaction", "room_for"]

SHORT = 128  # longest text whose result is cached, in characters
SPARE = 4096  # characters beyond the limit that a text keeps until redaction, so that a token across the limit is whole
CARD_LEAST = 10**12

ADDRESSES = frozenset(("http.url", "http.target", "url.full", "url.original"))
IMPORTS = "lambda.init.imports"  # names of modules: some, such as `http.cookiejar`, look suspect
STATEMENTS = frozenset(("db.statement", "db.query.text"))
PARAMETERS = ("db.query.parameter.", "db.operation.parameter.", "db.statement.parameter", "db.query.parameters")
IDS = ("id", "ids", "etag", "digest", "hash", "checksum", "sha256", "md5", "version_id", "handle", "cursor")


def room_for(limit: int) -> int:
    """The limit for texts, in characters, that the SDK must have if texts are sent with at most `limit`."""
    return limit + SPARE


class Redaction:
    """`chosen`: the names and patterns of the setting. `limit`: the most characters of a text."""

    def __init__(self, chosen: Chosen | None, limit: int) -> None:
        self._names: Callable[[str], bool] = chosen.names if chosen is not None else lambda _: False
        self._without_patterns: Callable[[str], str] = chosen.clean if chosen is not None else str
        self._limit = limit
        self._resources: tuple[Resource | None, Resource | None] = None, None  # the last one, and its redacted copy
        # Most values are the same in each invocation, so results are cached.
        self._known_value = lru_cache(maxsize=1024, typed=True)(self._value)
        self._known_text = lru_cache(maxsize=256)(self._text)
        self._kind = lru_cache(maxsize=1024)(self._kind_of)
        self._known: tuple[str, ...] = ()

    def clean(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        """Copies of the spans, without credentials and with the derived attributes of calls."""
        if not spans:  # after each request that is not recorded
            return []
        known = known_values()
        if known != self._known:  # cached texts may hold a new secret
            self._known = known
            self._known_value.cache_clear()
            self._known_text.cache_clear()
            self._resources = None, None
        return [self._span(span) for span in spans]

    def _span(self, span: ReadableSpan) -> ReadableSpan:
        status, scope, events, links = span.status, span.instrumentation_scope, span.events, span.links
        if status.description:
            description = self._cut(self._text(status.description), len(status.description))
            status = Status(status.status_code, description or None)
        if scope is not None and scope.attributes:
            values = self._attributes(dict(scope.attributes))
            scope = InstrumentationScope(scope.name, scope.version, scope.schema_url, values)
        return copied(
            span, self._attributes(completed(span)),
            name=self._known_text(span.name), status=status, instrumentation_scope=scope,
            resource=self._resource(span.resource),
            events=[self._event(event) for event in events] if events else events,
            links=[self._link(link) for link in links] if links else links,
        )  # fmt: skip

    def _resource(self, resource: Resource) -> Resource | None:
        if self._resources[0] is not resource:
            values = self._attributes(dict(resource.attributes))
            self._resources = resource, Resource(values, resource.schema_url)
        return self._resources[1]

    def _event(self, event: Event) -> Event:
        values = self._attributes(dict(event.attributes or {}))
        return Event(self._known_text(event.name), bounded(values, event.dropped_attributes), event.timestamp)

    def _link(self, link: Link) -> Link:
        values = self._attributes(dict(link.attributes or {}))
        return Link(link.context, bounded(values, link.dropped_attributes))

    def _attributes(self, values: dict[str, Any]) -> dict[str, Any]:
        """Redact the values of a dictionary in place; returns it."""
        known = self._known_value
        for key, value in values.items():
            kind = type(value)
            if kind is int or kind is bool or (kind is str and len(value) <= SHORT):
                values[key] = known(key, value)
            else:
                values[key] = self._value(key, value)
        return values

    def _value(self, key: str, value: object) -> object:
        if key == IMPORTS:
            return value
        kind = self._kind(key)
        if kind == "secret":
            return value if value == "" or isinstance(value, bool) else REDACTED
        if isinstance(value, str):
            return self._cut(self._text_of(kind, value), len(value))
        if isinstance(value, tuple):
            return tuple([self._known_value(key, one) if isinstance(one, str) and len(one) <= SHORT
                          else self._value(key, one) for one in value])  # fmt: skip
        return self._other(key, kind, value)

    def _other(self, key: str, kind: str, value: object) -> object:
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return self._text(str(value)) if value >= CARD_LEAST and self._text(str(value)) == REDACTED else value
        if isinstance(value, bytes):
            text = value.decode("latin-1")
            return value if self._text_of(kind, text) == text else REDACTED
        if isinstance(value, Mapping):
            return {name: self._value(name if self._kind(str(name)) != "text" else key, one)
                    for name, one in value.items()}  # fmt: skip
        if isinstance(value, Sequence):
            return tuple([self._value(key, one) for one in value])
        return value

    def _kind_of(self, key: str) -> str:
        """How to redact the value of an attribute, by its key: secret, address, statement, perhaps, id or text."""
        level = secrecy(key)
        if level == SECRET or self._names(key) or key.startswith(PARAMETERS):
            return "secret"
        if key in ADDRESSES:
            return "address"
        if key in STATEMENTS:
            return "statement"
        if level != NO:
            return "perhaps"
        return "id" if key.endswith(IDS) else "text"

    def _text_of(self, kind: str, text: str) -> str:
        if kind == "text":
            return self._text(text)
        if kind == "id":
            return self._without_patterns(clean(text, self._known, ids=True))
        if kind == "perhaps":
            from lambda_latency.runtime.secret_values import opaque

            return REDACTED if opaque(text) else self._text(text)
        if kind == "address" and "@" not in text:
            return self._text(text.partition("?")[0].partition("#")[0])
        if kind == "address":
            from lambda_latency.runtime.secret_addresses import without_query

            return self._text(without_query(text))
        from lambda_latency.runtime.secret_statements import clean_statement

        return self._text(clean_statement(text))

    def _text(self, text: str) -> str:
        return self._without_patterns(clean(text, self._known))

    def _cut(self, text: str, had: int) -> str:
        """The text cut to the limit. `had` is its first length, which tells whether the SDK may have cut a token."""
        if had >= self._limit + SPARE:
            text = text[: max(0, len(text) - SPARE)]
        return text[: self._limit]
