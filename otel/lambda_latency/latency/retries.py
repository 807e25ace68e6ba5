"""The attempts of an AWS call, where its span tells them apart: what lies between the first and the last is retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.part import Part, resource_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_latency.latency.charge import Charge
    from lambda_latency.trace import Span, Trace, Waiting

__all__ = ["ATTEMPT", "Retrying", "between_attempts", "retrying"]

ATTEMPT = "attempt"  # the event at the end of each; `retry.delay_ms` is how long the client waited before the next
DELAY = "retry.delay_ms"
LONGEST_MS = 900_000  # a function runs no longer; what is not a number is not less
NS = 1_000_000


class Retrying(NamedTuple):
    """From the end of the first attempt to the start of the last, in nanoseconds since 1970, and its part."""

    start_ns: int
    end_ns: int
    part: Part

    def divide(self, start_ns: int, end_ns: int, part: Part) -> Iterator[tuple[int, int, Part]]:
        """A stretch of the call, `part` where it is no retries."""
        first, last = (min(max(instant, start_ns), end_ns) for instant in self[:2])
        for begin, end, one in ((start_ns, first, part), (first, last, self.part), (last, end_ns, part)):
            if begin < end:
                yield begin, end, one


def between_attempts(span: Span) -> tuple[int, int] | None:
    """From the end of a call's first attempt to the start of its last; None where its span does not tell."""
    attempts = sorted((one for one in span.events if one.name == ATTEMPT), key=lambda one: one.time_ns)
    told = [(one.time_ns, one.attributes.get(DELAY)) for one in attempts]
    waited = [(at, delay) for at, delay in told if isinstance(delay, int | float) and 0 <= delay < LONGEST_MS]
    if not waited:
        return None
    last, delay = waited[-1]
    return told[0][0], last + round(delay * NS)


def retrying(trace: Trace, tree: Waiting, charged: Mapping[str, Charge]) -> dict[str, Retrying]:
    """By span id the retries of each call that tells its attempts, and of what it waits for as a part of itself."""
    found: dict[str, Retrying] = {}
    if not any(one.name == ATTEMPT for span in trace.spans for one in span.events):
        return found
    for span_id, charge in charged.items():  # parents before children
        span = trace.get(span_id)
        if span is None:
            continue
        above = tree.parent(span)
        if charge.call is not None:
            between = between_attempts(span) if charge.part.bucket == "aws" else None
            if between is not None:
                found[span_id] = Retrying(*between, Part("retries", resource_of(charge.part.name)))
        elif above is not None and above.span_id in found and charge.part == charged[above.span_id].part:
            found[span_id] = found[above.span_id]
    return found
