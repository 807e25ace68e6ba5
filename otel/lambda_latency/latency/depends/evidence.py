"""How improbable it is that slow requests have a value so often, if it had nothing to do with them."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lambda_latency.latency.depends.question import Question


def divergence(count: int, seen: int, expected: float) -> float:
    """How improbable `seen` of `count` or more are if `expected` are usual: minus the logarithm of Chernoff's bound."""
    if not count or seen <= expected:
        return 0.0
    share = seen / count
    usual = min(max(expected / count, 1e-12), 1 - 1e-12)
    rest = (1 - share) * log((1 - share) / (1 - usual)) if share < 1 else 0.0
    return count * (share * log(share / usual) + rest)


class Stratum(NamedTuple):
    """Requests that are compared with each other: the set, and how many of them are slow, of how many."""

    members: int
    slow: int
    whole: int


class Sides:
    """The slow and the other requests of a question, among those that are `able` to have a value."""

    def __init__(self, question: Question, able: int) -> None:
        self.slow, self.others = question.slow & able, question.others & able
        self.counts = self.slow.bit_count(), self.others.bit_count()
        both = self.slow | self.others
        self._strata: list[Stratum] = []
        for piece in question.strata:
            members = piece & both
            slow = (members & self.slow).bit_count()
            whole = members.bit_count()
            if 0 < slow < whole:
                self._strata.append(Stratum(members, slow, whole))

    def tally(self, have: int) -> tuple[int, int]:
        """How many slow and how many other requests have a value."""
        return (have & self.slow).bit_count(), (have & self.others).bit_count()

    def rough_nats(self, have: int) -> float:
        """The improbability if requests of all routes and times are alike: no less than `nats`, mostly."""
        slow, others = self.tally(have)
        return divergence(slow + others, slow, (slow + others) * self.counts[0] / max(sum(self.counts), 1))

    def scatter(self, have: int) -> float:
        """How scattered in time the requests with a value are, from 0 (one run) to 1 (as if drawn at random).

        Requests are in the order of their start. A value of one time, such as a counter's, comes in few runs: what
        is slow at that time is slow for any reason.
        """
        both = self.slow | self.others
        order = [have >> place & 1 for place in range(both.bit_length()) if both >> place & 1]
        ones = sum(order)
        runs = sum(now > before for before, now in zip((0, *order), order, strict=False))
        return min((runs - 1) / max((ones - 1) * (1 - ones / len(order)), 1), 1.0)

    def nats(self, have: int, *, within: tuple[int, ...] = (-1,)) -> float:
        """The improbability, as a logarithm, if only requests of one route and time are alike.

        `within`: sets of requests, of which only those of the same one are compared with each other.
        """
        seen = members = slow = 0
        expected = 0.0
        for stratum in self._strata:
            for part in within:
                inside = stratum.members & part
                its_slow = stratum.slow if part == -1 else (inside & self.slow).bit_count()
                its_whole = stratum.whole if part == -1 else inside.bit_count()
                if not 0 < its_slow < its_whole:
                    continue
                having = inside & have
                count = having.bit_count()
                slow += its_slow
                if count:
                    seen += (having & self.slow).bit_count()
                    members += count
                    expected += count * its_slow / its_whole
        # Both count the same: of the slow requests those that have it, of those that have it the slow ones.
        return max(divergence(members, seen, expected), divergence(slow, seen, expected))
