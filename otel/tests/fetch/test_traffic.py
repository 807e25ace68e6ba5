"""What share of the traffic was traced: API Gateway's own count, out of moto's CloudWatch, beside X-Ray's traces."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import boto3

from tests.fetch.account import sdk_segments
from tests.fetch.standin import trace_id

if TYPE_CHECKING:
    from tests.fetch.conftest import Run, Start

HOUR_S = 3600


def count(url: str, at_s: int, requests: int, **dimensions: str) -> None:
    """Let API Gateway have counted so many requests in the minute that holds this second."""
    make: Any = boto3.client
    client = make(
        "cloudwatch",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    datum = {"MetricName": "Count", "Timestamp": datetime.fromtimestamp(at_s, timezone.utc), "Value": 1.0}
    for first in range(0, requests, 500):
        data = [{**datum, "Dimensions": named} for _ in range(first, min(requests, first + 500))]
        client.put_metric_data(Namespace="AWS/ApiGateway", MetricData=data)
    client.close()


def routed(name: str, start_s: int) -> list[dict[str, Any]]:
    """As the collector has it: the function's own span says which route it was; to another stage for each test."""
    stage, service, function = sdk_segments(name, start_s)
    number = int(name[-6:], 16)
    span = {
        "id": f"{number:016x}",
        "trace_id": name,
        "parent_id": function["id"],
        "name": "orders",
        "start_time": function["start_time"],
        "end_time": function["end_time"],
        "annotations": {"http.route": "/orders" if number % 4 else "/orders/{id}"},
        "http": {"request": {"method": "POST" if number % 4 else "GET"}, "response": {"status": 200}},
    }
    return [{**stage, "name": "routed/prod"}, service, function, span]


def direct(name: str, start_s: int) -> list[dict[str, Any]]:
    """One in four calls the function without an API."""
    stage, service, function = sdk_segments(name, start_s)
    if int(name[-6:], 16) % 4:
        return [{**stage, "name": "mixed/prod"}, service, function]
    return [{key: value for key, value in service.items() if key != "parent_id"}, function]


def test_the_share_is_told_by_hour_where_a_stage_counts(start: Start, run: Run, laptop: str) -> None:
    """20 of 100 requests in one hour and 20 of 400 in the next: 8 %, and between 5 and 20."""
    xray = start(sdk_segments, cloudwatch=laptop)
    hour = (int(time.time()) - 3 * HOUR_S) // HOUR_S * HOUR_S
    for at in (0, 1):
        for number in range(20):
            second = hour + at * HOUR_S + 60 + number
            xray.put(second, trace_id(second, 100 + at * 20 + number))
        count(laptop, hour + at * HOUR_S + 60, (100, 400)[at], ApiName="orders-api", Stage="prod")
    asked = ("report", "--xray", "--since", "4h", "--endpoint-url", xray.url)
    text = " ".join(run(*asked, "--ascii").stdout.split())
    one, next_one = (datetime.fromtimestamp(hour + later, timezone.utc) for later in (0, HOUR_S))
    assert "8 % of the traffic seen (40 of 500)." in text
    assert f" By hour: from 5 % ({next_one:%m-%d %H:00Z}) to 20 % ({one:%m-%d %H:00Z}). Every span was read." in text
    assert "| seen 8 %" in text
    told = json.loads(run(*asked, "--json", "-").stdout)["sampling"]
    assert told == {"seen": 40, "total": 500, "by_route": []}


def test_routes_are_told_where_detailed_metrics_count_them(start: Start, run: Run, laptop: str) -> None:
    """And one that was never traced is not left out."""
    xray = start(routed, cloudwatch=laptop)
    minute = (int(time.time()) - 600) // 60 * 60
    for number in range(40):
        xray.put(minute + number, trace_id(minute + number, 100 + number))
    counts = {("POST", "/orders"): 300, ("GET", "/orders/{id}"): 50, ("GET", "/health"): 250}
    for (method, path), requests in counts.items():
        count(laptop, minute, requests, ApiName="routed", Stage="prod", Method=method, Resource=path)
    count(laptop, minute, 600, ApiName="routed", Stage="prod")
    asked = ("report", "--xray", "--endpoint-url", xray.url)
    text = " ".join(run(*asked, "--ascii").stdout.split())
    assert (
        "7 % of the traffic seen (40 of 600). By route: POST /orders 10 %, GET /health 0 %, GET /orders/{id} 20 %."
        in text
    )
    told = json.loads(run(*asked, "--json", "-").stdout)["sampling"]
    assert told == {
        "seen": 40,
        "total": 600,
        "by_route": [
            {"route": "POST /orders", "seen": 30, "total": 300},
            {"route": "GET /health", "seen": 0, "total": 250},
            {"route": "GET /orders/{id}", "seen": 10, "total": 50},
        ],
    }


def test_one_route_has_a_share_of_its_own(start: Start, run: Run, laptop: str) -> None:
    """Where it is counted; a stage as a whole would be the wrong whole."""
    only = {'http.method = "POST" AND http.url CONTAINS "/orders"': lambda name: int(name[-6:], 16) % 4 > 0}
    xray = start(
        lambda *of: [
            {**one, "name": "chosen/prod"} if "http" in one and "origin" in one else one for one in routed(*of)
        ],
        cloudwatch=laptop,
        matches=only,
    )
    minute = (int(time.time()) - 600) // 60 * 60
    for number in range(40):
        xray.put(minute + number, trace_id(minute + number, 100 + number))
    count(laptop, minute, 600, ApiName="chosen", Stage="prod")
    asked = ("report", "--xray", "--route", "POST /orders", "--endpoint-url", xray.url, "--ascii")
    said = " ".join(run(*asked).stdout.split())
    assert "30 requests seen; how many were not sampled is not known: API Gateway counts by route only with" in said
    count(laptop, minute, 120, ApiName="chosen", Stage="prod", Method="POST", Resource="/orders")
    said = " ".join(run(*asked).stdout.split())
    assert "25 % of the traffic seen (30 of 120). Every span was read." in said


def test_what_nobody_counts_is_not_part_of_the_share(start: Start, run: Run, laptop: str) -> None:
    """Functions that are called without an API: said beside it."""
    xray = start(direct, cloudwatch=laptop)
    minute = (int(time.time()) - 600) // 60 * 60
    for number in range(40):
        xray.put(minute + number, trace_id(minute + number, 100 + number))
    count(laptop, minute, 60, ApiName="mixed", Stage="prod")
    text = " ".join(run("report", "--xray", "--endpoint-url", xray.url, "--ascii").stdout.split())
    assert "50 % of the traffic seen (30 of 60). 10 more requests came another way, which is not counted." in text


def test_where_it_cannot_be_read_the_report_says_that_it_does_not_know(start: Start, run: Run, laptop: str) -> None:
    """Who may not ask CloudWatch, and where API Gateway counted nothing."""
    said = []
    for url in (None, laptop):
        xray = start(lambda *of: [{**one, "name": "idle/x"} for one in sdk_segments(*of)], cloudwatch=url)
        now = int(time.time())
        xray.put(now - 60, trace_id(now - 60, 1))
        said.append(" ".join(run("report", "--xray", "--endpoint-url", xray.url).stdout.split()))
    assert "how many were not sampled is not known: AWS does not allow ListMetrics: not you (Access" in said[0]
    assert (
        "1 request seen; how many were not sampled is not known: API Gateway's metric Count has no data of idle/x."
        in said[1]
    )
