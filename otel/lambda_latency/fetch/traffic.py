"""CloudWatch's metrics: the number of requests at API Gateway, traced or not, and the bytes that a log group ingested.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
`Count` always exists by stage, and by method and resource where detailed metrics are on. Other events are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lambda_latency.fetch.stores import answers, instant
from lambda_latency.prices import read_prices

SPACE, METRIC = "AWS/ApiGateway", "Count"
DAY_NS, HOUR_NS = 24 * 3600 * 10**9, 3600 * 10**9
AT_ONCE = 500  # metrics per call
GB = 10**9
HOUR_S = 3600


@dataclass(slots=True)
class Counted:
    """Requests in total, by route and by hour (its first nanosecond); a total of None: nothing was counted."""

    total: int | None = None
    by_route: dict[str, int] = field(default_factory=dict)
    by_hour: dict[int, int] = field(default_factory=dict)


def count_requests(cloudwatch: Any, stages: Iterable[str], since_ns: int, until_ns: int) -> Counted:
    """Return API Gateway's counts at stages (`api/stage`, as X-Ray names them), exact to one or five minutes.

    Raises boto3's error if CloudWatch does not answer.
    """
    metrics = {name: dimensions for stage in stages for name, dimensions in _metrics(cloudwatch, stage)}
    counts = Counted()
    for (_, route), (at_ns, count) in _values(cloudwatch, metrics, since_ns, until_ns):
        if route:
            counts.by_route[route] = counts.by_route.get(route, 0) + count
        else:
            counts.total = (counts.total or 0) + count
            hour = at_ns // HOUR_NS * HOUR_NS
            if hour >= since_ns and hour + HOUR_NS <= until_ns:
                counts.by_hour[hour] = counts.by_hour.get(hour, 0) + count
    return counts


def _metrics(cloudwatch: Any, stage: str) -> Iterator[tuple[tuple[str, str], list[dict[str, str]]]]:
    """Yield the metrics of a stage and of its routes, each with its dimensions."""
    api, _, name = stage.rpartition("/")
    api = api.encode("ascii", "ignore").decode()  # as in API Gateway's dimension
    arguments: dict[str, Any] = {
        "Namespace": SPACE,
        "MetricName": METRIC,
        "Dimensions": [{"Name": "ApiName", "Value": api}, {"Name": "Stage", "Value": name}],
    }
    for page in answers(cloudwatch.list_metrics, arguments):
        for metric in page.get("Metrics", ()):
            values = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
            if set(values) == {"ApiName", "Stage"}:
                yield (stage, ""), metric["Dimensions"]
            elif set(values) == {"ApiName", "Stage", "Method", "Resource"} and values["Method"] != "OPTIONS":
                yield (stage, f"{values['Method']} {values['Resource']}"), metric["Dimensions"]


def _values(
    cloudwatch: Any, metrics: dict[tuple[str, str], list[dict[str, str]]], since_ns: int, until_ns: int
) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    """Yield each count with the start of its period (nanoseconds)."""
    names = list(metrics)
    # CloudWatch keeps minutes for 15 days, and returns up to 100,800 values per call.
    period_s = 60 if until_ns - since_ns <= DAY_NS else 300
    start_s, end_s = since_ns // (period_s * 10**9) * period_s, -(-until_ns // 10**9)
    for start in range(0, len(names), AT_ONCE):
        queries = {
            f"m{number}": {"Namespace": SPACE, "MetricName": METRIC, "Dimensions": metrics[names[number]]}
            for number in range(start, min(len(names), start + AT_ONCE))
        }
        # The number of samples of this metric is the number of requests.
        for series in _series(cloudwatch, start_s, end_s, queries, period_s, "SampleCount"):
            name = names[int(series["Id"][1:])]
            for time, value in zip(series["Timestamps"], series["Values"], strict=True):
                yield name, (round(time.timestamp()) * 10**9, round(value))


def ingested(cloudwatch: Any, group: str, start_s: int, end_s: int) -> int:
    """Return the bytes that a log group ingested between two times (seconds), by whole hours. Raises boto3's error.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
    """
    dimensions = [{"Name": "LogGroupName", "Value": group}]
    queries = {"bytes": {"Namespace": "AWS/Logs", "MetricName": "IncomingBytes", "Dimensions": dimensions}}
    begin_s, limit_s = start_s // HOUR_S * HOUR_S, -(-end_s // HOUR_S) * HOUR_S
    total = 0.0
    for series in _series(cloudwatch, begin_s, limit_s, queries, HOUR_S, "Sum"):
        total += sum(series["Values"])
    return round(total)


def _series(
    cloudwatch: Any, start_s: int, end_s: int, metrics: dict[str, dict[str, Any]], period_s: int, statistic: str
) -> Iterator[dict[str, Any]]:
    """Yield the values of metrics, whose names in `metrics` are the ids of the results."""
    queries = [
        {"Id": name, "MetricStat": {"Metric": metric, "Period": period_s, "Stat": statistic}}
        for name, metric in metrics.items()
    ]
    arguments = {"StartTime": instant(start_s), "EndTime": instant(end_s), "MetricDataQueries": queries}
    for page in answers(cloudwatch.get_metric_data, arguments):
        yield from page.get("MetricDataResults", ())


def billed(scanned: int, region: str) -> str:
    """Write bytes with their price in a region: `12.50 GB ($0.06)`."""
    gb = scanned / GB
    size = f"{gb:,.2f} GB" if gb >= 0.01 else f"{scanned / 10**6:,.1f} MB"
    dollars = gb * float(read_prices(region).logs_scanned_gb)
    return f"{size} (${dollars:,.4f})" if dollars < 0.01 else f"{size} (${dollars:,.2f})"
