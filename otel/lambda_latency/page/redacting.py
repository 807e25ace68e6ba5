"""Removes secrets from what pages and saved traces have of spans: names, messages, values of attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from lambda_latency.latency import OF_A_SERVICE
from lambda_latency.redaction import Redaction
from lambda_latency.trace import Span

OWN_WORDS = re.compile(rf"(: (?:{'|'.join(OF_A_SERVICE)})\b)")
LONGEST = 1_000_000  # characters of a text: none is cut
REMEMBERED = 50_000  # texts: most values of a file occur many times


class SpanRedaction:
    """Redacts as the runtime does by default; if `keeps` is set, everything stays. Thread-safe."""

    def __init__(self, *, keeps: bool = False) -> None:
        self.keeps = keeps
        redaction = Redaction(None, LONGEST)
        self._value = redaction.value
        self._text = lru_cache(REMEMBERED)(redaction.text)
        self._named_text = lru_cache(REMEMBERED)(redaction.value)

    def text(self, text: str) -> str:
        """Return a text of unknown content, such as a span's name, without secrets."""
        return text if self.keeps or not text else self._text(text)

    def label(self, text: str) -> str:
        """Return a text with labels of components without secrets: of `auth: own code`, `own code` is no secret."""
        return "".join(part if OWN_WORDS.fullmatch(part) else self.text(part) for part in OWN_WORDS.split(text))

    def value(self, key: str, value: object) -> object:
        """Return the value of an attribute without secrets."""
        if self.keeps:
            return value
        return self._named_text(key, value) if isinstance(value, str) else self._value(key, value)

    def attributes(self, attributes: Mapping[str, object]) -> dict[str, object]:
        """Return attributes without secrets; a key may have one too."""
        return {self.text(key): self.value(key, value) for key, value in attributes.items()}

    def span(self, span: Span) -> Span:
        """Return a span without secrets."""
        if self.keeps:
            return span
        return replace(
            span,
            name=self.text(span.name),
            status_message=self.text(span.status_message),
            attributes=self.attributes(span.attributes),
            resource=self.attributes(span.resource),
            events=tuple(
                replace(event, name=self.text(event.name), attributes=self.attributes(event.attributes))
                for event in span.events
            ),
            links=tuple(replace(link, attributes=self.attributes(link.attributes)) for link in span.links),
        )
