"""Matchers for expectations, and the comparison of a recorded value with an expected one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# These types are compared by type, too (`1 == True`, `200 == 200.0`); other objects are matchers with their own `==`.
PLAIN = (bool, int, float, str, bytes, type(None))
NS = 1_000_000


class Anything:
    """The type of ANYTHING, which matches every value; it has one instance."""

    def __repr__(self) -> str:
        return "ANYTHING"

    def __reduce__(self) -> str:
        return "ANYTHING"


ANYTHING = Anything()


@dataclass(frozen=True, slots=True)
class Remote:
    """A span of another process, by hex ids or matchers of ids."""

    trace_id: object = ANYTHING
    span_id: object = ANYTHING

    def __repr__(self) -> str:
        ids = () if self.trace_id is ANYTHING and self.span_id is ANYTHING else (self.trace_id, self.span_id)
        return f"remote({', '.join(map(repr, ids))})"


def remote(trace_id: object = ANYTHING, span_id: object = ANYTHING) -> Remote:
    """A span of another process, for `parent=` and `links=`. Ids in hex; by default any."""
    return Remote(trace_id, span_id)


@dataclass(frozen=True, slots=True)
class UpTo:
    """Matches durations up to a limit, in nanoseconds."""

    longest_ns: int

    def __eq__(self, other: object) -> bool:
        if isinstance(other, UpTo):
            return self.longest_ns == other.longest_ns
        return isinstance(other, int) and other <= self.longest_ns

    def __hash__(self) -> int:
        return hash(self.longest_ns)

    def __repr__(self) -> str:
        return f"at_most(ms={self.longest_ns / NS:g})"

    def __str__(self) -> str:
        return f"at most {shown_ns(self.longest_ns)}"


@dataclass(frozen=True, slots=True)
class Exactly:
    """Matches one duration, in nanoseconds."""

    ns: int

    def __eq__(self, other: object) -> bool:
        return other.ns == self.ns if isinstance(other, Exactly) else other == self.ns

    def __hash__(self) -> int:
        return hash(self.ns)

    def __repr__(self) -> str:
        return f"ms({self.ns / NS:g})"

    def __str__(self) -> str:
        return shown_ns(self.ns)


def at_most(*, ms: float) -> UpTo:
    """At most this many milliseconds, for `took=`."""
    return UpTo(round(ms * NS))


def ms(milliseconds: float) -> Exactly:
    """Exactly this many milliseconds, for `took=` under the fake clock."""
    return Exactly(round(milliseconds * NS))


def shown_ns(ns: int) -> str:
    """A duration as text in milliseconds."""
    return f"{ns / NS:,.3f}".rstrip("0").rstrip(".") + " ms"


def equal(expected: Any, found: object) -> bool:
    """Whether a value is the expected one: plain values by type and value, lists by item, matchers by their `==`."""
    if expected is ANYTHING:
        return True
    kind = type(expected)
    if kind in PLAIN:
        return type(found) is kind and bool(expected == found or (expected != expected and found != found))
    if kind in (list, tuple):
        return (
            isinstance(found, (list, tuple))
            and len(expected) == len(found)
            and all(equal(one, other) for one, other in zip(expected, found, strict=True))
        )
    if isinstance(expected, Mapping):
        return (
            isinstance(found, Mapping)
            and expected.keys() == found.keys()
            and all(equal(value, found[key]) for key, value in expected.items())
        )
    return bool(expected == found)
