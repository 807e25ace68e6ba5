"""Removes from spans what identifies their owner: names of services, hosts, tables and paths, and ids, become numbers.

Kinds, times, operations, statuses and error codes stay, because rules read them. Everything else is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from lambda_latency.trace.model.compact_span import ATTEMPT, DELAY
from lambda_latency.trace.model.keys import DURABLE_KEYS, EXECUTION_ARN, INVOCATION_KEYS, READ, RESOURCE_KEYS, ROUTE
from lambda_latency.trace.model.platform import READ_NAMES, RUNTIME_SCOPES
from lambda_latency.trace.model.signature import ATTEMPT_NUMBER, HOST_KEYS, error_codes
from lambda_latency.trace.model.span import Event, Link, Scope, Span

# From a sort and a text to the name that replaces the text
Namer: TypeAlias = Callable[[str, str], str]

HOSTS = tuple(key for key in HOST_KEYS if not key.startswith(("gen_ai.", "llm.")))
NAMES = ("db.instance", "db.name", "db.namespace", "faas.invoked_name")
SORTS = ("service", "host", "resource", "path", "span", "attribute", "value", "trace_id", "span_id", "execution")
OWNED = SORTS[:5]  # sorts whose names say whose they are
LIMIT = "lambda.timeout.limit_ms"
RETAINED = ("aws.xray.origin", "ref.type", "db.system", "db.system.name", "faas.coldstart", *DURABLE_KEYS)
PUBLIC = ".invalid"  # a domain that nobody can own (RFC 2606)
SPLIT = re.compile(r"[/:]")
# An operation, an AWS service or a method, not a sentence
WORD = re.compile(r"[A-Za-z0-9_.]{1,60}\Z")


class Names:
    """Numbers for the texts of one sort, in the order of the texts, so that they do not reveal the order of spans."""

    def __init__(self, sort: str, whose: Callable[[str], str], is_public: Callable[[str], bool]) -> None:
        self._sort, self._whose, self._is_public = sort, whose, is_public
        self._numbers: dict[str, int] = {}

    def settle(self) -> None:
        """Number the texts whose names or numbers were read before."""
        self._numbers = {text: number for number, text in enumerate(sorted(self._numbers), 1)}

    def __call__(self, text: str) -> str:
        """The name that replaces a text: its prefix, the sort, its number, and the end of a public host."""
        whose = self._whose(text)
        end = PUBLIC if self._sort == "host" and not whose and self._is_public(text) else ""
        return f"{whose}{'-' if whose else ''}{self._sort}-{self.number(text)}{end}"

    def number(self, text: str) -> int:
        """The number of a text, from 1; 0 before `settle`."""
        return self._numbers.setdefault(text, 0)

    def hex_id(self, text: str) -> str:
        """The number as a trace id or a span id."""
        digits = 32 if self._sort == "trace_id" else 16
        return f"{max(1, self.number(text)):0{digits}x}"


def _nobody(_text: str) -> str:
    return ""


def redact(
    spans: Iterable[Span],
    whose: Callable[[str], str] = _nobody,
    is_public: Callable[[str], bool] = lambda _: False,
    stays: Callable[[str], bool] = lambda _: False,
) -> Iterator[Span]:
    """The spans in a form that may be published. The same service, host, resource, path or id gets the same name.

    `whose` returns the prefix of a name: `ours`, `theirs` or an empty text. Hosts that are public keep a public domain.
    Attributes that no rule reads are left out; those that `stays` accepts become `attribute-1 = value-1`, where truth
    values stay as they are.
    """
    all_spans = list(spans)
    sorts = {sort: Names(sort, whose if sort in OWNED else _nobody, is_public) for sort in SORTS}
    for span in all_spans:
        _redacted(span, sorts, stays)
    for names in sorts.values():
        names.settle()
    for span in all_spans:
        yield _redacted(span, sorts, stays)


def _redacted(span: Span, sorts: Mapping[str, Names], stays: Callable[[str], bool]) -> Span:
    def name(sort: str, text: str) -> str:
        return sorts[sort](text)

    trace_id, span_id = sorts["trace_id"].hex_id, sorts["span_id"].hex_id
    attributes = _read(span.attributes, name) | _unread(span.attributes, name, stays)
    resource = {key: name("service", str(span.resource[key])) for key in RESOURCE_KEYS if span.resource.get(key)}
    return replace(
        span,
        trace_id=trace_id(span.trace_id),
        span_id=span_id(span.span_id),
        parent_id=span_id(span.parent_id) if span.parent_id else None,
        name=_name(span, attributes, name),
        status_message=_status_message(span),
        attributes=attributes,
        events=[Event(ATTEMPT, e.time_ns, {DELAY: e.attributes.get(DELAY)}) for e in span.events if e.name == ATTEMPT],
        links=[Link(trace_id(link.trace_id), span_id(link.span_id)) for link in span.links],
        resource=resource | _unread(span.resource, name, stays),
        scope=Scope(span.scope.name if span.scope.name in RUNTIME_SCOPES else ""),
    )


def _status_message(span: Span) -> str:
    exceptions = [event.attributes for event in span.events if event.name == "exception"]
    codes = error_codes(span.status_message, exceptions)
    return f"An error occurred ({min(codes)})" if codes else ""


def _read(attributes: Mapping[str, object], name: Namer) -> dict[str, object]:
    """The attributes that rules read, in their redacted form."""
    reduced = {key: _value(key, value, name) for key, value in attributes.items()}
    return {key: value for key, value in reduced.items() if value is not None}


def _unread(attributes: Mapping[str, object], name: Namer, stays: Callable[[str], bool]) -> dict[str, object]:
    """The attributes that no rule reads, with numbers in place of keys and values."""
    numbered: dict[str, object] = {}
    for key, value in attributes.items():
        if key not in READ and key not in RESOURCE_KEYS and stays(key):
            texts = value if isinstance(value, tuple) else (value,)
            names = tuple([text if isinstance(text, bool) else name("value", str(text)) for text in texts])
            numbered[name("attribute", key)] = names if isinstance(value, tuple) else names[0]
    return numbered


def _name(span: Span, attributes: dict[str, object], name: Namer) -> str:
    is_runtime = span.scope.name in RUNTIME_SCOPES
    if span.name in READ_NAMES or (is_runtime and WORD.match(span.name)):
        return span.name
    if is_runtime and " " in span.name:  # `dns payments.example.com`
        return f"{span.name.split(' ', 1)[0]} {name('host', span.name.split(' ', 1)[1])}"
    if span.origin is not None:
        return name("service", span.name)
    if "rpc.method" in attributes and "rpc.service" in attributes:
        return f"{attributes['rpc.service']}.{attributes['rpc.method']}"
    attempt = ATTEMPT_NUMBER.search(span.name)  # of a step, whose name it has
    return name("span", span.name[: attempt.start()]) + attempt[0] if attempt else name("span", span.name)


def _value(key: str, value: object, name: Namer) -> object:
    """The redacted value of an attribute; None if the attribute is left out."""
    if key == LIMIT and isinstance(value, int):
        return value
    if key not in READ:
        return None
    if key == "error.type":
        return READ[key](value) or None
    if key == EXECUTION_ARN:
        return name("execution", str(value))
    if key == ROUTE:
        return f"/{name('path', str(value))}"
    if key in HOSTS:
        host = name("host", str(READ[key](value)))
        return f"https://{host}/" if key in ("http.url", "url.full") else host
    if key in RETAINED or isinstance(value, (bool, int, float)):
        return value
    return "" if key in INVOCATION_KEYS else _text(key, value, name)


def _text(key: str, value: object, name: Namer) -> object:
    """The names of resources, as a tuple, or the last part of another text; a word stays as it is."""
    if key.startswith(("aws.", "messaging.")) or key in NAMES:
        texts = value if isinstance(value, tuple) else (value,)
        return tuple(name("resource", SPLIT.split(str(text))[-1]) for text in texts)
    text = str(value)
    is_word = "/" not in text and WORD.match(text)
    return text if is_word else text.rpartition("/")[2][:60]
