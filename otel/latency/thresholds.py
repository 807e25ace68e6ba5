"""The numbers that a verdict hangs on, all of them: the README prints this table, and a test holds it to it."""

from __future__ import annotations

__all__ = [
    "DOMINANT_PERCENT",
    "ENOUGH_REQUESTS",
    "ENOUGH_SLOW",
    "EVEN_NS",
    "EVEN_WIDTHS",
    "NEVER_EVEN_TIMES",
    "SLOW_PERCENT",
    "TYPICAL_PERCENT",
]

# Slow: strictly over this percentile of the wall clock (nearest rank), unless --slow says otherwise.
SLOW_PERCENT = 95
# Typical: the requests of the same route between these percentiles.
TYPICAL_PERCENT = (25, 75)
# Even: slow requests take less than this many widths of the typical range longer. The width is twice the way from p25
# to the median: p75 itself is slow where one request in four is. The slowest 5 % of a normal distribution lie 1.5
# widths above its middle, of a log-normal one (sigma 0.5) 3.2, of an exponential one 4.0: below that nothing needs a
# cause.
EVEN_WIDTHS = 4
# But never even: a difference of this many typical requests. Where a cause meets nearly every second request the width
# is its work as well; of an exponential distribution the slowest 5 % take 4.3 typical requests longer.
NEVER_EVEN_TIMES = 5
# Even too: a difference that nobody feels, however steady the typical requests are.
EVEN_NS = 20_000_000
# Clear: at least so many requests, so many slow ones, and one part with so much of the difference, whichever one of the
# slow requests is left out.
ENOUGH_REQUESTS = 20
ENOUGH_SLOW = 5
DOMINANT_PERCENT = 60
