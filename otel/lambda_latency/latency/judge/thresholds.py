"""All thresholds of the verdict. docs/explanation/verdict.md lists them, and a test compares the two."""

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

# A request is slow strictly above this percentile of the wall clock (nearest rank), unless --slow sets another limit.
SLOW_PERCENT = 95
# A request is typical between these percentiles of its route.
TYPICAL_PERCENT = (25, 75)
# A route with fewer requests has no typical request to compare a slow one with: the slow one is reported alone.
LEAST_OF_ROUTE = 2
# Even: slow requests take longer by less than this many widths of the typical range. A width is twice the distance from
# p25 to the median: p75 itself is slow if one request in four is. The mean of the slowest 5 % exceeds the typical mean
# by 1.5 widths in a normal distribution, by 3.2 in a log-normal one (sigma 0.5), and by 4.0 in an exponential one: a
# smaller difference needs no cause.
EVEN_WIDTHS = 4
# Never even: slow requests take longer by this many typical requests. A cause that affects nearly every second request
# also widens the typical range. In an exponential distribution the slowest 5 % take 4.3 typical requests longer.
NEVER_EVEN_TIMES = 5
# Also even: a difference too small to notice, however steady the typical requests are.
EVEN_NS = 20_000_000
# Clear: at least this many requests, this many slow ones, and one part with this share of the difference, even if any
# one slow request is left out.
ENOUGH_REQUESTS = 20
ENOUGH_SLOW = 5
DOMINANT_PERCENT = 60
# Baseline: a route is compared if both sides have this many requests; the median of a part is compared if this many
# requests of a route waited for it on both sides.
COMPARABLE_REQUESTS = 10
# Baseline: in this percentage of comparisons without a real difference, no part shows one.
TRUST_PERCENT = 99
# Baseline: each bound is widened by this time, because runs, days, machines and neighbours differ by as much for all
# requests.
DRIFT_NS = 5_000_000
# Baseline: a difference below this share of a typical request and below `EVEN_NS` does not count.
FELT_PERCENT = 20
