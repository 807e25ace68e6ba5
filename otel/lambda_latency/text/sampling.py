"""The sentences about sampling: the share of the traffic that was traced, by route and by hour where known."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from lambda_latency.latency import Unknown, by_hour, by_route
from lambda_latency.text.words import number, percent, plural

if TYPE_CHECKING:
    from lambda_latency.latency import Report, Share
    from lambda_latency.text.style import Style

__all__ = ["sampling"]

MOST_ROUTES = 4


def sampling(report: Report, style: Style) -> str:
    """The share of the traffic that was traced, or a sentence that it is unknown."""
    seen, traffic = report.totals.requests, report.traffic
    if isinstance(traffic, Unknown):
        return f"{plural(seen, 'request')} seen; how many were not sampled {traffic.why}."
    counted = seen - traffic.beside
    if counted > traffic.total:  # the count is delayed or incomplete: the share is unknown
        return (
            f"{plural(seen, 'request')} seen, and only {number(traffic.total)} counted so far: the share of the "
            "traffic is unknown."
        )
    part = f"{number(counted)} of {number(traffic.total)}"
    text = f"{percent(counted, traffic.total, style)} of the traffic seen ({part})."
    if traffic.beside:
        text += f" {plural(traffic.beside, 'more request')} came another way, which is not counted."
    return text + _routes(by_route(traffic, report.accounts), style) + _hours(by_hour(traffic, report.accounts), style)


def _routes(shares: list[Share], style: Style) -> str:
    if len(shares) < 2:
        return ""
    told = [f"{one.of} {percent(one.seen, one.total, style)}" for one in shares[:MOST_ROUTES]]
    more = f", and {number(len(shares) - MOST_ROUTES)} more" if len(shares) > MOST_ROUTES else ""
    return f" By route: {', '.join(told)}{more}."


def _hours(shares: list[Share], style: Style) -> str:
    if len(shares) < 2:
        return ""
    least, most = (choose(shares, key=lambda one: one.seen / one.total) for choose in (min, max))
    return f" By hour: from {_hour(least, style)} to {_hour(most, style)}."


def _hour(share: Share, style: Style) -> str:
    begin = datetime.fromtimestamp(int(share.of) // 1_000_000_000, timezone.utc)
    return f"{percent(share.seen, share.total, style)} ({begin:%m-%d %H}:00Z)"
