"""Estimates the bytes that a query of a log group scans, from what CloudWatch ingested during that time.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from lambda_latency.prices import read_prices

GB = 10**9
HOUR_S = 3600


def ingested(cloudwatch: Any, group: str, start_s: int, end_s: int) -> int:
    """The bytes that a log group ingested between two times (seconds), by whole hours. Raises boto3's error."""
    asked: dict[str, Any] = {
        "StartTime": datetime.fromtimestamp(start_s // HOUR_S * HOUR_S, timezone.utc),
        "EndTime": datetime.fromtimestamp(-(-end_s // HOUR_S) * HOUR_S, timezone.utc),
        "MetricDataQueries": [
            {
                "Id": "bytes",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Logs",
                        "MetricName": "IncomingBytes",
                        "Dimensions": [{"Name": "LogGroupName", "Value": group}],
                    },
                    "Period": HOUR_S,
                    "Stat": "Sum",
                },
            }
        ],
    }
    total = 0.0
    while True:
        answer = cloudwatch.get_metric_data(**asked)
        total += sum(sum(one["Values"]) for one in answer.get("MetricDataResults", ()))
        token = answer.get("NextToken")
        if not token:
            return round(total)
        asked["NextToken"] = token


def billed(scanned: int, region: str) -> str:
    """Bytes with their price in a region: `12.50 GB ($0.06)`."""
    gb = scanned / GB
    size = f"{gb:,.2f} GB" if gb >= 0.01 else f"{scanned / 10**6:,.1f} MB"
    dollars = gb * float(read_prices(region).logs_scanned_gb)
    return f"{size} (${dollars:,.4f})" if dollars < 0.01 else f"{size} (${dollars:,.2f})"
