"""The attempts of an AWS call, if recorded: retries last from the end of the first to the start of the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.part import Part, resource_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_latency.latency.judge.charge import Charge
    from lambda_latency.trace import Tree

__all__ = ["Retrying", "retrying"]


class Retrying(NamedTuple):
    """The time from the end of the first attempt to the start of the last, in nanoseconds since 1970, and its part."""

    start_ns: int
    end_ns: int
    part: Part

    def divide(self, start_ns: int, end_ns: int, part: Part) -> Iterator[tuple[int, int, Part]]:
        """Split a stretch of the call; `part` owns the time outside the retries."""
        first, last = (min(max(instant, start_ns), end_ns) for instant in self[:2])
        for begin, end, one in ((start_ns, first, part), (first, last, self.part), (last, end_ns, part)):
            if begin < end:
                yield begin, end, one


def retrying(tree: Tree, charged: Mapping[str, Charge]) -> dict[str, Retrying]:
    """The retries by span id: of each call with recorded attempts, and of the spans below it with the same part."""
    found: dict[str, Retrying] = {}
    for span_id, charge in charged.items():  # parents before children
        attempts = tree.rows[span_id].attempts
        if attempts is not None and charge.call is not None and charge.part.bucket == "aws":
            found[span_id] = Retrying(*attempts, Part("retries", resource_of(charge.part.name)))
        if span_id in found:
            for child in tree.children.get(span_id, ()):
                inner = charged[child.span_id]
                if inner.call is None and inner.part == charge.part:
                    found[child.span_id] = found[span_id]
    return found
