"""The numbers that a verdict hangs on, all of them: docs/explanation/verdict.md prints them, and a test compares."""

from __future__ import annotations

__all__ = [
    "COMPARABLE_REQUESTS",
    "DOMINANT_PERCENT",
    "DRIFT_NS",
    "ENOUGH_REQUESTS",
    "ENOUGH_SLOW",
    "EVEN_NS",
    "EVEN_WIDTHS",
    "FELT_PERCENT",
    "LEAST_OF_ROUTE",
    "NEVER_EVEN_TIMES",
    "SLOW_PERCENT",
    "TRUST_PERCENT",
    "TYPICAL_PERCENT",
]

# Slow: strictly over this percentile of the wall clock (nearest rank), unless --slow says otherwise.
SLOW_PERCENT = 95
# Typical: the requests of the same route between these percentiles.
TYPICAL_PERCENT = (25, 75)
# A slow request of a route with fewer requests than this has no typical one beside it: it is told by itself.
LEAST_OF_ROUTE = 2
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
# Against a baseline: a route is compared if it has so many requests on both sides, a part's typical time if so many
# requests of a route waited for it.
COMPARABLE_REQUESTS = 10
# In so many of a hundred comparisons without a difference none is found in any part.
TRUST_PERCENT = 99
# Each bound lies so much further out than the requests alone say: from one run to the next, one day, one machine, one
# neighbour, as much changes for all of them.
DRIFT_NS = 5_000_000
# And no difference is what lies below this share of a typical request and below the time that nobody feels (`EVEN_NS`).
FELT_PERCENT = 20
