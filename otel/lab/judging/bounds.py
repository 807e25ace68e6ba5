"""The bounds that the judge of slow requests must keep, and a figure held against one of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Score", "failed", "text", "values"]


@dataclass(frozen=True, slots=True)
class Score:
    """A count out of a total. `least` or `most` is its bound, as a share of the total or as a count."""

    what: str
    count: int
    total: int
    least: float | None = None
    most: int | None = None

    @property
    def holds(self) -> bool:
        """Whether the bound holds; a figure without a bound always holds, and so does one of no case."""
        low = self.least is None or self.count >= self.least * self.total
        return low and (self.most is None or self.count <= self.most)

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.least is not None:
            return f"at least {100 * self.least:g} %"
        return "" if self.most is None else f"at most {self.most}"


# Shares that must be reached, and counts that must not be passed.
NEZHA_FIRST, NEZHA_ASSERTED, NEZHA_RIGHT = 0.90, 0.85, 0.95
PLAIN_SECOND = 30 / 58  # without a baseline: what a report named before it had classes
PLANTED_FIRST, PLANTED_ALL, PLACES_NAMED = 0.95, 0.90, 0.95
BLAMED, WIDE_BLAMED = 0, 2  # classes without a cause, and those of wide noise
VALUE_FIRST, NONE_NAMED = 0.95, 3  # attribute values where one decides, and systems of 60 without one that name any
BEGIN_TOLD, BEGIN_NAMED, NOT_BEGUN = 0.95, 0.95, 2  # since when, what begins there, and systems of 60 without a change
SLOWER, SILENT = 1, 0  # "slower" of pairs without a fault, and "same" or status 0 where p95 doubled


def failed(scores: list[Score]) -> bool:
    """Whether any bound does not hold."""
    return not all(one.holds for one in scores)


def text(scores: list[Score]) -> str:
    """A table for people; a bound that does not hold is marked."""
    width = max(len(one.what) for one in scores)
    lines = []
    for one in scores:
        share = f"{100 * one.count / one.total:.0f} %" if one.total else ""
        mark = "" if one.holds else "  NOT"
        lines.append(f"{one.what:{width}}  {one.count:4} of {one.total:<4} {share:>6}  {one.bound}{mark}".rstrip())
    return "\n".join(lines)


def values(scores: list[Score]) -> list[dict[str, object]]:
    """The table as JSON values."""
    return [{"what": one.what, "count": one.count, "total": one.total, "bound": one.bound, "holds": one.holds}
            for one in scores]  # fmt: skip
