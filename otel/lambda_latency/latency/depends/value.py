"""An attribute value or a range of numbers, and what a report says of it: a finding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.part import Cell, Part
    from lambda_latency.trace import Span

ReadSpans: TypeAlias = Callable[[Collection[str]], "Iterable[Span]"]  # the spans of the traces with some ids

ABSENT = ""  # the text of the value of requests that lack an attribute


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
class Finding:
    """Values (all of them together) that set slow requests apart from others of the same routes.

    `slow` and `others` count the requests that have them, and all that were read: `(31, 31)` and `(6, 200)`. `nats` is
    the logarithm of the improbability that chance has made them this different. `same` are values of the same
    requests.
    """

    values: tuple[Value, ...]
    slow: tuple[int, int]
    others: tuple[int, int]
    nats: float
    same: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Since:
    """Requests of some routes are slow since `start_ns` (nanoseconds since 1970), up to `end_ns` (None: the last one).

    `kind`: a `step` that lasts, a `stretch` that ends, or a `drift`: they take longer and longer. A typical request of
    the route takes `before_ns`, and `after_ns` then; of a class `after_ns` is the excess, and `before_ns` is 0. Most of
    it is in `cell`. `values` begin at that time: a version, a deployment, an instance. The time is known `within_ns`.
    """

    routes: tuple[str, ...]
    kind: Literal["step", "stretch", "drift"]
    start_ns: int
    end_ns: int | None
    before_ns: int
    after_ns: int
    cell: Cell | None
    within_ns: int = 0
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class ByValue:
    """The requests with a value (None: with any of the other values): their number, percentiles, and how many are slow.

    `parts` take most of their time, each with its mean.
    """

    value: Value | None
    requests: int
    p50_ns: int
    p95_ns: int
    slow: int
    parts: tuple[tuple[Part, int], ...]


@dataclass(frozen=True, slots=True)
class By:
    """Requests by the values of an attribute. `read` were looked at; the last row has `others` further values."""

    attribute: str
    rows: tuple[ByValue, ...]
    read: int
    others: int


@dataclass(frozen=True, slots=True)
class OfRoutes:
    """A finding about all slow requests of some routes."""

    routes: tuple[str, ...]
    finding: Finding


@dataclass(frozen=True, slots=True)
class OfChange:
    """A finding about the requests of a change: those that wait longer for `cell` (None: take longer) than nearly all
    of the baseline, or that call `callee`, or no longer do (`lacks`)."""

    finding: Finding
    cell: Cell | None = None
    callee: str = ""
    lacks: bool = False


@dataclass(frozen=True, slots=True)
class Depends:
    """What slow requests depend on: `of_classes` has the findings about each class, in the order of the classes.

    `of_changes` has those about what changed since a baseline.

    `since` has, for each class, since when its requests are slow, and `since_routes` the same of whole routes. `asked`
    is the number of values that were tried, `read` that of requests that were read for it.
    """

    of_classes: tuple[tuple[Finding, ...], ...] = ()
    of_routes: tuple[OfRoutes, ...] = ()
    of_changes: tuple[OfChange, ...] = ()
    since: tuple[Since | None, ...] = ()
    since_routes: tuple[Since, ...] = ()
    asked: int = 0
    read: int = 0

    def since_of(self, at: int) -> Since | None:
        """Since when the requests of a class are slow, by its number."""
        return self.since[at] if self.since else None

    def of_class(self, at: int) -> tuple[Finding, ...]:
        """The findings about a class, by its number."""
        return self.of_classes[at] if self.of_classes else ()


NOTHING = Depends()
