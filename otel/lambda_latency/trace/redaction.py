"""Removes from spans what identifies their owner: names of services, hosts, tables and paths, and ids, become numbers.

Kinds, times, operations, statuses and error codes stay, because rules read them. Everything else is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from lambda_latency.trace.model.keys import INVOCATION_KEYS, READ, RESOURCE_KEYS, ROUTE
from lambda_latency.trace.model.platform import READ_NAMES, RUNTIME_SCOPES
from lambda_latency.trace.model.row import ATTEMPT, DELAY
from lambda_latency.trace.model.shape import HOST_KEYS, error_codes
from lambda_latency.trace.model.span import Event, Link, Scope, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Namer: TypeAlias = Callable[[str, str], str]  # from a sort and a text to the name that replaces the text

HOSTS = tuple(key for key in HOST_KEYS if not key.startswith(("gen_ai.", "llm.")))
NAMES = ("db.instance", "db.name", "db.namespace", "faas.invoked_name")
SORTS = ("service", "host", "resource", "path", "span", "attribute", "value", "trace_id", "span_id")
OWNED = SORTS[:5]  # sorts whose names say whose they are
LIMIT = "lambda.timeout.limit_ms"
KEPT = ("aws.xray.origin", "ref.type", "db.system", "db.system.name", "faas.coldstart")
PUBLIC = ".invalid"  # a domain that nobody can own (RFC 2606)
SPLIT = re.compile(r"[/:]")
WORD = re.compile(r"[A-Za-z0-9_.]{1,60}\Z")  # an operation, an AWS service or a method, not a sentence


class Names:
    """Numbers for the texts of one sort, in the order of the texts, so that they do not reveal the order of spans."""

    def __init__(self, sort: str, whose: Callable[[str], str], is_public: Callable[[str], bool]) -> None:
        self._sort, self._whose, self._is_public = sort, whose, is_public
        self._known: dict[str, int] = {}

    def learn(self, text: str) -> None:
        """Add a text. All texts must be added before `settle` numbers them."""
        self._known.setdefault(text, 0)

    def settle(self) -> None:
        """Number the texts."""
        self._known = {text: number for number, text in enumerate(sorted(self._known), 1)}

    def __call__(self, text: str) -> str:
        """The name that replaces a text: its prefix, the sort, its number, and the end of a public host."""
        whose = self._whose(text)
        end = PUBLIC if self._sort == "host" and not whose and self._is_public(text) else ""
        return f"{whose}{'-' if whose else ''}{self._sort}-{self._known.get(text, 0)}{end}"

    def number(self, text: str) -> int:
        """The number of a text, from 1; 0 if it was not added."""
        return self._known.get(text, 0)


def _nobody(_text: str) -> str:
    return ""


def redacted(
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
    every = list(spans)
    sorts = {sort: Names(sort, whose if sort in OWNED else _nobody, is_public) for sort in SORTS}
    for learning in (True, False):
        for span in every:
            found = _redacted(span, sorts, stays, learning=learning)
            if not learning:
                yield found
        for names in sorts.values():
            names.settle()


def _redacted(span: Span, sorts: dict[str, Names], stays: Callable[[str], bool], *, learning: bool) -> Span:
    def name(sort: str, text: str) -> str:
        if learning:
            sorts[sort].learn(text)
        return sorts[sort](text)

    def number(sort: str, text: str) -> int:
        if learning:
            sorts[sort].learn(text)
        return max(1, sorts[sort].number(text))

    attributes: dict[str, object] = {}
    for key, value in span.attributes.items():
        kept = _value(key, value, name)
        if kept is not None:
            attributes[key] = kept
    attributes |= _others(span.attributes, name, stays)
    attempts = [one for one in span.events if one.name == ATTEMPT]
    codes = sorted(
        error_codes(span.status_message, (event.attributes for event in span.events if event.name == "exception"))
    )
    return replace(
        span,
        trace_id=f"{number('trace_id', span.trace_id):032x}",
        span_id=f"{number('span_id', span.span_id):016x}",
        parent_id=f"{number('span_id', span.parent_id):016x}" if span.parent_id else None,
        name=_name(span, attributes, name),
        status_message=f"An error occurred ({codes[0]})" if codes else "",
        attributes=attributes,
        events=[Event(ATTEMPT, one.time_ns, {DELAY: one.attributes.get(DELAY)}) for one in attempts],
        links=[
            Link(f"{number('trace_id', one.trace_id):032x}", f"{number('span_id', one.span_id):016x}")
            for one in span.links
        ],
        resource={
            **{key: name("service", str(span.resource[key])) for key in RESOURCE_KEYS if span.resource.get(key)},
            **_others(span.resource, name, stays),
        },
        scope=Scope(span.scope.name if span.scope.name in RUNTIME_SCOPES else ""),
    )


def _others(attributes: Mapping[str, object], name: Namer, stays: Callable[[str], bool]) -> dict[str, object]:
    """The attributes that no rule reads, with numbers in place of keys and values."""
    found: dict[str, object] = {}
    for key, value in attributes.items():
        if key not in READ and key not in RESOURCE_KEYS and stays(key):
            values = value if isinstance(value, tuple) else (value,)
            kept = tuple([one if isinstance(one, bool) else name("value", str(one)) for one in values])
            found[name("attribute", key)] = kept if isinstance(value, tuple) else kept[0]
    return found


def _name(span: Span, attributes: dict[str, object], name: Namer) -> str:
    own = span.scope.name in RUNTIME_SCOPES
    if span.name in READ_NAMES or (own and WORD.match(span.name)):
        return span.name
    if own and " " in span.name:  # `dns payments.example.com`
        return f"{span.name.split(' ', 1)[0]} {name('host', span.name.split(' ', 1)[1])}"
    if span.origin is not None:
        return name("service", span.name)
    if "rpc.method" in attributes and "rpc.service" in attributes:
        return f"{attributes['rpc.service']}.{attributes['rpc.method']}"
    return name("span", span.name)


def _value(key: str, value: object, name: Namer) -> object:
    """The redacted value of an attribute; None if the attribute is left out."""
    if key == LIMIT and isinstance(value, int):
        return value
    if key not in READ:
        return None
    if key == "error.type":
        return READ[key](value) or None
    if key == ROUTE:
        return f"/{name('path', str(value))}"
    if key in HOSTS:
        host = str(READ[key](value))
        named = name("host", host)
        return f"https://{named}/" if key in ("http.url", "url.full") else named
    if key in KEPT or isinstance(value, (bool, int, float)):
        return value
    if key in INVOCATION_KEYS:
        return ""
    if key.startswith(("aws.", "messaging.")) or key in NAMES:
        texts = value if isinstance(value, tuple) else (value,)
        return tuple(name("resource", SPLIT.split(str(one))[-1]) for one in texts)
    text = str(value)
    return text if WORD.match(text.rpartition("/")[2]) and "/" not in text else text.rpartition("/")[2][:60]
