"""The spans recorded up to one instant, as a value to compare, copy and paste."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lambda_latency.spelling import did_you_mean
from lambda_latency.testing.comparison import compare
from lambda_latency.testing.drawing import code_of_recorded, draw_recorded
from lambda_latency.testing.expectation import roots_of
from lambda_latency.testing.node import Forest, forest
from lambda_latency.trace import Span, Trace, traces_of


class Snapshot:
    """Traces in the order of their start, with facts that the spans do not contain.

    `order`: numbers of the start and the end of each span; `lost`: ids of spans that had ended but were not exported
    at the freeze. `invocation`: all spans belong to one invocation.
    """

    # Not a dataclass: inline-snapshot would write its fields instead of the literal.
    __slots__ = ("invocation", "lost", "order", "traces")

    def __init__(
        self,
        traces: tuple[Trace, ...],
        order: Mapping[str, tuple[int, int]] | None = None,
        lost: frozenset[str] = frozenset(),
        *,
        invocation: bool = False,
    ) -> None:
        self.traces = traces
        self.order = order or {}
        self.lost = lost
        self.invocation = invocation

    @property
    def spans(self) -> tuple[Span, ...]:
        """Every span, in the order of their start."""
        spans = [span for trace in self.traces for span in trace.spans]
        return tuple(sorted(spans, key=lambda span: (span.start_ns, self.order.get(span.span_id, (0, 0))[0])))

    def one(self, name: str) -> Span:
        """The span of that name. Raises `AssertionError` with the tree for none or several."""
        __tracebackhide__ = True  # pytest shows the caller's line
        matching = [span for span in self.spans if span.name == name]
        if len(matching) == 1:
            return matching[0]
        if matching:
            message = f"{len(matching)} spans have the name {name!r}, expected one"
        else:
            hint = did_you_mean(name, {span.name for span in self.spans}, most=3, quoted=True)
            message = f"no span has the name {name!r}{f'; {hint}' if hint else ''}"
        raise AssertionError("\n".join([message, "", *draw_recorded(self.forest())]))

    def forest(self) -> Forest:
        """The traces as trees."""
        return forest(self.traces, self.order, self.lost, invocation=self.invocation)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Snapshot):
            return self._values() == other._values()
        expected = roots_of(other)
        return NotImplemented if expected is None else compare(expected, self.forest()).holds

    def __hash__(self) -> int:
        return hash((self.traces, self.lost))

    def __repr__(self) -> str:
        return code_of_recorded(self.forest())

    def _values(self) -> tuple[object, ...]:
        return self.traces, dict(self.order), self.lost, self.invocation


def snapshot_of(spans: Iterable[Span]) -> Snapshot:
    """A snapshot of spans from any source."""
    return Snapshot(traces_of(spans))


def forest_of(recorded: object) -> Forest | None:
    """The recorded side of a comparison as trees; None if the value is not a recording."""
    if isinstance(recorded, Snapshot):
        return recorded.forest()
    return forest([recorded]) if isinstance(recorded, Trace) else None
