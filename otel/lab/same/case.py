"""One row of the corpus: a handler, what it is called with, and what its trace has to hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

TRACE = "674385f00123456789abcdef01234567"
SEGMENT = "0123456789abcdef"
SAMPLED = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=1;Lineage=1:abcdef12:0"


@dataclass(frozen=True, slots=True)
class Case:
    """A handler of `otel/lab/same/handlers` and how it is run.

    `spans` are the names of the spans below the SERVER spans of all invocations, a child after its parent as
    `parent > child`; the init and the parts of a connection aside. `needs` are modules without which the case is
    skipped, `since` the first Python that has what it uses. `but` names what may differ (answers, log, exit, requests,
    header, orphans), each with its reason.
    """

    handler: str
    spans: tuple[str, ...] = ()
    events: tuple[object, ...] = ({},)
    needs: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    label: str = ""  # what tells it from other rows with the same handler
    header: str = SAMPLED
    roots: int | None = None  # how many SERVER spans there have to be; one an invocation unless given
    but: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 20
    end: Literal["kill", "term"] = "kill"  # how the environment is ended at last
    log_format: Literal["Text", "JSON"] = "Text"
    since: tuple[int, int] = (3, 10)

    @property
    def name(self) -> str:
        return f"{self.handler} ({self.label})" if self.label else self.handler


TWICE: tuple[object, ...] = ({}, {})
GET = ("GET",)


def each(module: str, *functions: str, spans: tuple[str, ...] = ()) -> list[Case]:
    """A row for each function that needs nothing but an event."""
    return [Case(f"{module}.{function}", spans) for function in functions]


def asked(handler: str, key: str, *values: str, spans: tuple[str, ...] = ()) -> Case:
    """A row for a handler with a table: one event for each entry of it."""
    return Case(handler, spans, events=tuple({key: value} for value in values))


def started(module: str, start: str, spans: tuple[str, ...] = (), *, label: str = "", **more: Any) -> Case:
    """A row for a module whose variable START names the function that makes its handler; the label is its name."""
    variables = {"START": start, **more.pop("variables", {})}
    name = f"{start}, {label}" if label else start
    return Case(f"{module}.handler", spans, label=name, variables=variables, **more)
