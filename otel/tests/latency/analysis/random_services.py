"""Random requests of several services whose clocks are wrong."""

import random
from collections.abc import Mapping

from lambda_latency.latency import breakdown_of
from lambda_latency.trace import Span, SpanKind, Trace
from tests.trace.build import MS, T0, TRACE_ID

DEEPEST = 4
MOST_CALLS = 4


class System:
    """A random request under construction: services that call each other, one call after the other."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - a repeatable seed
        self.spans: list[Span] = []
        # The true waiting time by part, independent of the clocks.
        self.truth: dict[str, int] = {}
        self.slack = 0  # the sum of the times by which clients took longer than servers
        self.clocks: dict[str, int] = {}

    def serve(self, service: str, start: int, end: int, parent_id: str | None, depth: int) -> None:
        """Add a server's span with the calls that it makes."""
        skew = self.clocks.setdefault(service, 0 if parent_id is None else self._draw.randrange(-900, 900) * MS)
        span_id = self._add(service, "serve", SpanKind.SERVER, start, end, parent_id, skew)
        free_at, own_ns = start, end - start
        for _ in range(self._draw.randrange(MOST_CALLS) if depth < DEEPEST else 0):
            remaining = end - free_at
            begin = free_at + self._draw.randrange(remaining // 3 + 1)
            call_end = begin + self._draw.randrange((end - begin) // 2 + 1)
            if call_end - begin < 10:
                continue
            own_ns -= call_end - begin
            self._call(service, begin, call_end, span_id, depth, skew)
            free_at = call_end
        self._count(f"{service}: own code", own_ns)

    def _call(self, service: str, start: int, end: int, parent_id: str, depth: int, skew: int) -> None:
        callee = f"service-{depth}-{self._draw.randrange(3)}"
        host = self._draw.choice(("10.0.0.1", "10.0.0.1", ""))
        attributes = {"server.address": host} if host else {}
        call_id = self._add(service, "call", SpanKind.CLIENT, start, end, parent_id, skew, attributes)
        gap = self._draw.randrange((end - start) // 4 + 1)
        outbound = self._draw.randrange(gap + 1)
        self._count(f"network to {callee}", gap)
        self.slack += gap
        self.serve(callee, start + outbound, end - gap + outbound, call_id, depth + 1)

    def _add(
        self,
        service: str,
        name: str,
        kind: SpanKind,
        start: int,
        end: int,
        parent_id: str | None,
        skew: int,
        attributes: Mapping[str, object] | None = None,
    ) -> str:
        span_id = f"{len(self.spans) + 1:016x}"
        self.spans.append(
            Span(
                trace_id=TRACE_ID,
                span_id=span_id,
                parent_id=parent_id,
                name=name,
                kind=kind,
                start_ns=T0 + start + skew,
                end_ns=T0 + end + skew,
                attributes=attributes or {},
                resource={"service.name": service},
            )
        )
        return span_id

    def _count(self, part: str, ns: int) -> None:
        self.truth[part] = self.truth.get(part, 0) + ns


def check(seed: int) -> None:
    """Judge the random request of a seed. Raises `AssertionError` with the seed if the account is wrong."""
    system = System(seed)
    system.serve("front", 0, 1000 * MS, None, 0)
    breakdown = breakdown_of(Trace(system.spans))
    parts = {part.label: ns for part, ns in breakdown.components}
    assert sum(parts.values()) == breakdown.wall_ns == 1000 * MS, seed
    assert not {part.category for part, _ in breakdown.components} & {"external", "unknown"}, (
        seed,
        breakdown.components,
    )
    for label in {*parts, *system.truth}:
        wrong = abs(parts.get(label, 0) - system.truth.get(label, 0))
        assert 2 * wrong <= system.slack, (seed, label, parts.get(label), system.truth.get(label))
