"""The number of requests, traced or not, from API Gateway's metric `Count` in CloudWatch.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
It always exists by stage, and by method and resource where detailed metrics are on. Other events are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SPACE, METRIC = "AWS/ApiGateway", "Count"
DAY_NS, HOUR_NS = 24 * 3600 * 10**9, 3600 * 10**9
AT_ONCE = 500  # metrics per call


@dataclass(slots=True)
class Counted:
    """Requests in total, by route and by hour (its first nanosecond); a total of None: nothing was counted."""

    total: int | None = None
    by_route: dict[str, int] = field(default_factory=dict)
    by_hour: dict[int, int] = field(default_factory=dict)


def count_requests(cloudwatch: Any, stages: Iterable[str], since_ns: int, until_ns: int) -> Counted:
    """API Gateway's counts at these stages (`api/stage`, as X-Ray names them), exact to one or five minutes.

    Raises boto3's error if CloudWatch does not answer.
    """
    metrics = {name: dimensions for stage in stages for name, dimensions in _metrics(cloudwatch, stage)}
    found = Counted()
    for (_, route), (at_ns, count) in _values(cloudwatch, metrics, since_ns, until_ns):
        if route:
            found.by_route[route] = found.by_route.get(route, 0) + count
        else:
            found.total = (found.total or 0) + count
            hour = at_ns // HOUR_NS * HOUR_NS
            if hour >= since_ns and hour + HOUR_NS <= until_ns:
                found.by_hour[hour] = found.by_hour.get(hour, 0) + count
    return found


def _metrics(cloudwatch: Any, stage: str) -> Iterator[tuple[tuple[str, str], list[dict[str, str]]]]:
    """The metrics of a stage: its own, and those of its routes."""
    api, _, name = stage.rpartition("/")
    api = api.encode("ascii", "ignore").decode()  # as API Gateway does with the name of the dimension
    asked: dict[str, Any] = {
        "Namespace": SPACE,
        "MetricName": METRIC,
        "Dimensions": [{"Name": "ApiName", "Value": api}, {"Name": "Stage", "Value": name}],
    }
    while True:
        answer = cloudwatch.list_metrics(**asked)
        for metric in answer.get("Metrics", ()):
            values = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
            if set(values) == {"ApiName", "Stage"}:
                yield (stage, ""), metric["Dimensions"]
            elif set(values) == {"ApiName", "Stage", "Method", "Resource"} and values["Method"] != "OPTIONS":
                yield (stage, f"{values['Method']} {values['Resource']}"), metric["Dimensions"]
        token = answer.get("NextToken")
        if not token:
            return
        asked["NextToken"] = token


def _values(
    cloudwatch: Any, metrics: dict[tuple[str, str], list[dict[str, str]]], since_ns: int, until_ns: int
) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    """Each count with the start of its period (nanoseconds)."""
    names = list(metrics)
    # CloudWatch keeps minutes for 15 days, and returns up to 100,800 values per call.
    period_s = 60 if until_ns - since_ns <= DAY_NS else 300
    for first in range(0, len(names), AT_ONCE):
        some = names[first : first + AT_ONCE]
        asked: dict[str, Any] = {
            "StartTime": _time(since_ns // (period_s * 10**9) * period_s),
            "EndTime": _time(-(-until_ns // 10**9)),
            "MetricDataQueries": [
                {
                    "Id": f"m{at}",
                    "MetricStat": {
                        "Metric": {"Namespace": SPACE, "MetricName": METRIC, "Dimensions": metrics[name]},
                        "Period": period_s,
                        "Stat": "SampleCount",  # the number of samples of this metric is the number of requests
                    },
                }
                for at, name in enumerate(some)
            ],
        }
        while True:
            answer = cloudwatch.get_metric_data(**asked)
            for one in answer.get("MetricDataResults", ()):
                for at, value in zip(one["Timestamps"], one["Values"], strict=True):
                    yield some[int(one["Id"][1:])], (round(at.timestamp()) * 10**9, round(value))
            token = answer.get("NextToken")
            if not token:
                break
            asked["NextToken"] = token


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
