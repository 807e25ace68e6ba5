"""The best possible 95th percentile of all requests if a part took no time, from the columns of their accounts.

A request without the time of a part is a lower bound of its new length: the rest of its critical path remains, and
another call that ran in parallel may replace the part on the path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.totals import at_rank

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Part

WHAT_IF_PERCENT = 95
MOST_PARTS = 5  # each needs a sort of all requests
LEAST_PERCENT = 1  # of the percentile: a smaller saving is negligible


@dataclass(frozen=True, slots=True)
class Saving:
    """A part, the 95th percentile of all requests, and the lowest possible one without the time of the part.

    `requests` is the number of requests that waited for the part.
    """

    part: Part
    p95_ns: int
    best_p95_ns: int
    requests: int

    @property
    def saves_ns(self) -> int:
        """By how much the percentile falls at most."""
        return self.p95_ns - self.best_p95_ns


def savings(every: Accounts) -> tuple[Saving, ...]:
    """The savings of the largest parts of the slowest twentieth, the largest saving first, without negligible ones."""
    walls = every.walls_ns
    if not walls:
        return ()
    p95_ns = at_rank(sorted(walls), WHAT_IF_PERCENT)
    sums = every.sums_ns([at for at, wall in enumerate(walls) if wall >= p95_ns])
    largest = sorted(sums, key=lambda part: (-sums[part], part))[:MOST_PARTS]
    found = [_saving(every, part, p95_ns) for part in largest if part.bucket != "unknown"]
    worth = [one for one in found if 100 * one.saves_ns >= LEAST_PERCENT * p95_ns and one.saves_ns > 0]
    return tuple(sorted(worth, key=lambda one: (-one.saves_ns, one.part)))


def _saving(every: Accounts, part: Part, p95_ns: int) -> Saving:
    left = list(every.walls_ns)
    waited = bytearray(len(left))
    for at, ns in every.entries_of_cells(every.parts[part]):
        left[at] -= ns
        waited[at] = 1
    left.sort()
    return Saving(part, p95_ns, at_rank(left, WHAT_IF_PERCENT), sum(waited))
