"""Attribute values and ranges of numbers, and the findings of a report about them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lambda_latency.latency.breakdowns.component import Component, Edge
from lambda_latency.trace import AttributedSpan, Span

# The spans of the traces with some ids, with at least the attributes that `is_read` accepts
ReadSpans: TypeAlias = Callable[[Collection[str]], "Iterable[Span | AttributedSpan]"]

# The text of the value of requests that lack an attribute
ABSENT = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an attribute of a service's spans or resource: a text, or the numbers from `low` up to, not
    including, `high`.

    The text of requests whose spans lack the attribute is `ABSENT`.
    """

    service: str
    attribute: str
    text: str | None
    low: float | None = None
    high: float | None = None

    @property
    def order(self) -> tuple[str, str, bool, str, float]:
        """For sorting: texts come before ranges."""
        low = self.low if self.low is not None else float("-inf")
        return self.service, self.attribute, self.text is None, self.text or "", low


@dataclass(frozen=True, slots=True)
class Association:
    """Values (all of them together) that set slow requests apart from others of the same routes.

    `slow` and `controls` count the requests that have them, and all that were read: `(31, 31)` and `(6, 200)`. `nats`
    is minus the natural logarithm of the chance of such a difference. `equivalent` are other values of the same
    requests.
    """

    values: tuple[Value, ...]
    slow: tuple[int, int]
    controls: tuple[int, int]
    nats: float
    equivalent: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Since:
    """Requests of some routes are slow since `start_ns` (nanoseconds since 1970), up to `end_ns` (None: the last one).

    `kind`: a `step` that lasts, a `stretch` that ends, or a `drift`: they take longer and longer. A typical request of
    the route took `before_ns`, and takes `after_ns` since; of a cause group `after_ns` is the excess, `before_ns` is 0.
    Most of it is in `edge`. `values` begin at `start_ns`, which is known `within_ns`: a version, a deployment.
    """

    routes: tuple[str, ...]
    kind: Literal["step", "stretch", "drift"]
    start_ns: int
    end_ns: int | None
    before_ns: int
    after_ns: int
    edge: Edge | None
    within_ns: int = 0
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class ByValue:
    """The requests with a value (None: with any of the other values): their number, percentiles, and how many are slow.

    `components` take most of their time, each with its mean.
    """

    value: Value | None
    requests: int
    p50_ns: int
    p95_ns: int
    slow: int
    components: tuple[tuple[Component, int], ...]


@dataclass(frozen=True, slots=True)
class By:
    """Requests by the values of an attribute. `read` counts them; the last of `rows` has `further` further values."""

    attribute: str
    rows: tuple[ByValue, ...]
    read: int
    further: int


@dataclass(frozen=True, slots=True)
class RouteAssociation:
    """A finding about all slow requests of some routes."""

    routes: tuple[str, ...]
    finding: Association


@dataclass(frozen=True, slots=True)
class ChangeAssociation:
    """A finding about the requests of a change: those that wait longer for `edge` (None: take longer) than nearly all
    of the baseline, or that call `callee`, or no longer do (`lacks`)."""

    finding: Association
    edge: Edge | None = None
    callee: str = ""
    lacks: bool = False


@dataclass(frozen=True, slots=True)
class Correlations:
    """What slow requests depend on: `of_groups` has the findings about each cause group, in the order of these.

    `of_changes` has those about what changed since a baseline.

    `since` has, for each cause group, since when its requests are slow, and `since_routes` the same of whole routes.
    `tested` is the number of values that were tested, `read` that of the requests that were read.
    """

    of_groups: tuple[tuple[Association, ...], ...] = ()
    of_routes: tuple[RouteAssociation, ...] = ()
    of_changes: tuple[ChangeAssociation, ...] = ()
    since: tuple[Since | None, ...] = ()
    since_routes: tuple[Since, ...] = ()
    tested: int = 0
    read: int = 0

    def since_of(self, number: int) -> Since | None:
        """Return since when the requests of a cause group are slow, by its number."""
        return self.since[number] if self.since else None

    def of_group(self, number: int) -> tuple[Association, ...]:
        """Return the findings about a cause group, by its number."""
        return self.of_groups[number] if self.of_groups else ()


NOTHING = Correlations()
