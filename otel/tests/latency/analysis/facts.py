"""Every span that some rules can distinguish: they read facts, and each fact takes its values in turn.

A fact that no rule reads is never chosen, so two rules see all their spans in a few hundred runs.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar, cast

from lambda_latency.latency.analysis import categories
from lambda_latency.latency.analysis.categories import Position, SpanRule, Test
from lambda_latency.trace import (
    ABSENT,
    CHAIN,
    CONNECTING,
    DURABLE_EXECUTION,
    FUNCTION,
    GATEWAY,
    REPLAY,
    RUNTIME_SCOPES,
    STATE_MACHINE,
    WAIT,
    Signature,
    SpanKind,
)
from lambda_latency.trace import SERVICE as LAMBDA_SERVICE

Result = TypeVar("Result")

PHASES = ("Initialization", "Restore", "Invocation", "Overhead")
OWN = ("init", "restore", "telemetry flush", "dns", "tcp", "tls", "handshake", "connect", "pool")  # the kit's spans
OUTER = (GATEWAY, LAMBDA_SERVICE, FUNCTION)
ADDED = (WAIT, CHAIN, DURABLE_EXECUTION, REPLAY)  # of spans that nobody recorded
VALUES: Mapping[str, tuple[object, ...]] = {
    "shape": ("recorded", "absent"),
    "scope": ("", RUNTIME_SCOPES[0]),
    "origin": (None, *OUTER, STATE_MACHINE, *ADDED),
    "parent_origin": (None, *OUTER),
    "inside": ("", "answered", "calls", "handler"),
    "in_call": (False, True),
    "rpc.system": ("", "aws-api", "grpc"),
    "rpc.method": ("", "Invoke", "PutItem", "ReceiveMessage"),
    "durable.operation.type": ("", "STEP", "CONTEXT"),
    "durable.operation.status": ("", "SUCCEEDED"),
    "db.system": ("", "dynamodb", "postgresql"),
    "messaging.operation": ("", "receive", "publish"),
    "messaging.operation.type": ("", "receive", "publish"),
    "gen_ai.operation.name": ("", "chat", "execute_tool", "invoke_agent"),
    "openinference.span.kind": ("", "LLM", "TOOL"),
}
ANY = ("", "some")  # the values of other attributes


class Facts:
    """The facts of one span, each chosen when a rule reads it for the first time."""

    def __init__(self, path: list[int]) -> None:
        self.chosen: dict[str, object] = {}
        self._path, self._sizes = path, list[int]()

    def __getitem__(self, fact: str) -> object:
        if fact not in self.chosen:
            values = self._values(fact)
            if len(self._sizes) == len(self._path):
                self._path.append(0)
            self.chosen[fact] = values[self._path[len(self._sizes)]]
            self._sizes.append(len(values))
        return self.chosen[fact]

    def _values(self, fact: str) -> tuple[object, ...]:
        """The values that recorders write, given the facts that are chosen."""
        if fact == "name":
            return (*OWN, "work") if self["scope"] else (*PHASES, *CONNECTING, "work")
        return kinds_with(self["origin"]) if fact == "kind" else VALUES.get(fact, ANY)

    def next_path(self) -> list[int] | None:
        """The choices of the next span; None after the last."""
        path, sizes = self._path, self._sizes
        while path and path[-1] + 1 == sizes[len(path) - 1]:
            path.pop()
        return [*path[:-1], path[-1] + 1] if path else None


def kinds_with(origin: object) -> tuple[SpanKind, ...]:
    """The kinds of spans with an origin: X-Ray's segments are SERVER, the spans that join traces INTERNAL."""
    if origin is None:
        return tuple(SpanKind)
    return (SpanKind.INTERNAL,) if origin in ADDED else (SpanKind.SERVER,)


class Attributes(Mapping[str, object]):
    """The attributes of a span as facts."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def __getitem__(self, key: str) -> object:
        return self._facts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class AnyShape(Signature):
    """A shape whose fields are facts. The fields that `Shape` would set are empty, so Python asks `__getattr__`."""

    def __init__(self, facts: Facts) -> None:
        self._facts, self.values = facts, Attributes(facts)

    def __getattr__(self, name: str) -> object:
        if name == "phase":
            return self.name if self.name in PHASES and self.kind is SpanKind.INTERNAL else ""
        if name in ("name", "kind", "scope", "origin"):
            return self._facts[name]
        raise AttributeError(f"a rule reads {name}: add its values to otel/tests/latency/analysis/facts.py")


class AnyPosition:
    """A position whose fields are facts."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def __getattr__(self, name: str) -> object:
        if name not in VALUES:
            raise AttributeError(f"a rule reads {name}: add its values to otel/tests/latency/analysis/facts.py")
        return self._facts[name]


def judged(judge: Callable[[Signature, Position], Result]) -> Iterator[tuple[Result, dict[str, object]]]:
    """What `judge` says of every span that it can distinguish, with the facts of that span that it reads."""
    path: list[int] | None = []
    while path is not None:
        facts = Facts(path)
        shape = ABSENT if facts["shape"] == "absent" else AnyShape(facts)
        yield judge(shape, cast("Position", AnyPosition(facts))), facts.chosen
        path = facts.next_path()


def both_match(rule_a: SpanRule, rule_b: SpanRule) -> dict[str, object] | None:
    """The facts of a span that both rules match and no rule above them; None if there is no such span."""
    return decided_by(
        min(rule_a, rule_b, key=categories.RULES.index),
        lambda shape, position: rule_a.fits(shape, position) and rule_b.fits(shape, position),
    )


def decided_by(rule: SpanRule, fits: Test | None = None) -> dict[str, object] | None:
    """The facts of a span that the rule (or `fits` in its place) matches and no rule above it; None if none is such."""
    rules = categories.RULES  # not imported by name: `python -m lab swaps` exchanges rules
    nearest_first = rules[: rules.index(rule)][::-1]  # neighbours are most alike, so few facts are chosen
    fits = rule.fits if fits is None else fits

    def judge(shape: Signature, position: Position) -> bool:
        return fits(shape, position) and not any(above.fits(shape, position) for above in nearest_first)

    return next((facts for matches, facts in judged(judge) if matches), None)
