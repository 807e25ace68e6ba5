"""All thresholds of the verdict. docs/explanation/verdict.md lists them, and a test compares the two."""

from __future__ import annotations

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
# High confidence: a class has this many requests, and its edge this share of the excess of their median one. In a
# baseline's absence a route with fewer requests is judged only if `COMPARABLE_REQUESTS` are there.
ENOUGH_REQUESTS = 20
DOMINANT_PERCENT = 60
# A cause group has this many requests: fewer may agree by chance, and are reported as too few.
ENOUGH_SLOW = 8
# A route is judged, and compared with a baseline, if it has this many requests (on both sides); the median of a part is
# compared if this many requests of a route waited for it on both sides.
COMPARABLE_REQUESTS = 10
# A request is slow in an edge beyond p50 x (p50 / p25) to this power on its route, and at least `EVEN_NS` above p50.
# Half of log-normal requests lie within 0.67 sigma of the median: the threshold is 3.4 sigma above it.
THRESHOLD_EDGE = 5
# Its wall clock must also exceed this threshold of its route: a part that few requests wait for has a median of 0 and a
# threshold of 20 ms, which wide noise in parallel branches exceeds.
THRESHOLD_REQUEST = 4
# p50 / p25 counts as this much at least: otherwise steady requests would have thresholds at their median.
LEAST_WIDTH = 1.02
# An edge that a smaller share of a route's requests have counts as 0 in the others: it is rare, and each wait for it an
# excess. An edge of most requests is compared among those.
RARE_SHARE = 0.2
# A route has two groups of requests if the means of their logarithms lie this many standard deviations apart (Ashman's
# D), and by this many more divided by the root of the number of requests: a uniform sample of 36 exceeds 4 in 10 %.
GROUP_DISTANCE = 4
GROUP_DISTANCE_OF_FEW = 6
# The standard deviation of a group counts as this much at least: otherwise steady requests would fall into two groups.
GROUP_SPREAD = 0.05
# A slower group is of another kind, such as the misses of a cache, if this share of it waits for a call that at most
# `RARE_SHARE` of the faster group make.
OTHER_CALLS_SHARE = 0.5
# A request that takes this many times as long as the p25 of its route is counted, even if it is not slow.
OUTLYING_TIMES = 10
# An excess in an edge counts from this share of a typical request of the route on, and from `EVEN_NS` on.
FELT_SHARE = 0.5
# A slow request is mixed if its largest excess, or those of its set, are a smaller share of its excess.
MIXED_SHARE = 0.5
# A slow request belongs to the set of edges with this share of its excess each, and `EVEN_NS`: the largest first, until
# this share is covered.
SET_SHARE = 0.2
SET_COVER = 0.85
# An edge of a set exceeds this percentile of the other requests of the route.
NOISE_PERCENT = 95
# A set joins one inside of it that has this many times as many requests: two causes met by chance.
SET_JOINS = 4
# Nothing stands out if less than `ENOUGH_SLOW` of this many requests are slow, or this percentage without half a class.
FEW_OF_REQUESTS = 200
FEW_PERCENT = 1
# Classes with a smaller share of all excess, and those beyond this number, are only counted.
LEAST_CLASS_PERCENT = 4
MOST_CLASSES = 5
# A typical request of a route takes as long as this many of the other routes, and a second: the route is slow as a
# whole. That is a line of the report, and no cause.
WHOLE_TIMES = 5
WHOLE_NS = 1_000_000_000
# The machine, not a part: this share of the edges (against a baseline: of the other edges' time) slowed by this share
# of the factor (logarithm) of the slowest.
ALIKE_SHARE = 0.7
ALIKE_RATIO = 0.4
# The same in a window, against requests outside of it: few requests have each edge there.
ALIKE_WITHIN = 0.5
# A window: the logarithm of the likelihood ratio, the share of the slow requests inside, how many times denser they
# are than outside, and the longest share of all requests that is still a window.
WINDOW_RATIO = 12
WINDOW_HOLDS = 0.8
WINDOW_DENSITY = 4
WINDOW_MOST = 0.6
# Requests that all started within this time have no window.
WINDOW_NS = 10_000_000_000
# Baseline: in this percentage of comparisons without a real difference, no part shows one.
TRUST_PERCENT = 99
# Baseline: the critical value is larger by this factor, about Student's t for the blocks of both sides.
STUDENT = 1.08
# Baseline: below this many requests with an edge, their logarithms are compared too (Welch): shares of few are coarse.
FEW_ENTRIES = 30
# Baseline: a request is far beyond all of the baseline over this many times its maximum, and this time.
BEYOND_TIMES = 1.2
BEYOND_NS = 1_000_000
# Baseline: a window holds this share of the slow requests, this many at least; this share of its requests is slow; and
# its likelihood ratio is this many times that of the baseline's own.
WINDOW_INSIDE = 0.6
WINDOW_REQUESTS = 8
WINDOW_SLOW = 0.4
WINDOW_AGAIN = 3
# Baseline: if a caller has this many edges, and this share of them slowed by this share of an edge's excess, the caller
# is the cause: six slow networks are one slow caller.
CALLER_EDGES = 3
CALLER_SHARE = 0.6
CALLER_LIKE = 0.4
# Baseline: for its rank, the excess of a service's own code is divided by this power of the number of its operations in
# a request. An edge is one call; of its operations one may have all of the excess (0), or each its share (1).
OPERATIONS_POWER = 0.5
# Baseline: an edge is likely slower at this many standard deviations: enough to count beside one that surely is.
LIKELY = 1
# Baseline: the machine slows this share of the edges, however little time they have.
ALIKE_EDGES = 0.45
# Baseline: requests with an edge that a comparison of factors (`ALIKE_RATIO`) needs.
ALIKE_LEAST = 5
# Baseline: a route that is surely slower by this percentage is slower, even if the same edges of all routes together
# are not. A smaller percentage is reported too: a gate may ask for it.
ROUTE_PERCENT = 5
# Baseline: on a route that is surely slower, an edge is the cause at this many standard deviations.
ROUTE_DEVIATIONS = 2.5
# Baseline: the p95 of a route has doubled, and this many of its requests take this many times the baseline's p95: never
# "no difference", even if no part can be named.
DOUBLED = 2
DOUBLED_REQUESTS = 5
DOUBLED_OVER = 1.5
DOUBLED_LIKELY = 2  # standard deviations
# Baseline: a class of slow requests that the baseline has too is slower if it has this many times as large a share.
GROWN = 2
# Baseline: each bound is widened by this time, because runs, days, machines and neighbours differ by as much for all
# requests.
DRIFT_NS = 5_000_000
# Baseline: a difference below this share of a typical request and below `EVEN_NS` does not count.
FELT_PERCENT = 20
# Baseline: the sets of what an operation calls changed at this many standard deviations, if this many requests of the
# baseline have the operation. The sets of one user's requests come together, so the bound is high.
SHAPE_DEVIATIONS = 8
SHAPE_OPERATIONS = 10
# Baseline: from this many standard deviations on, a changed shape is a candidate where nothing is sure.
SHAPE_LIKELY = 3
# Baseline: a callee is new or gone from this share of the requests on, if at most this share of them is left.
SHAPE_NEW = 0.2
SHAPE_GONE = 0.3
# Baseline: a request makes more or fewer calls if there are this many times as many, in the mean and in the median.
SHAPE_CALLS = 2
