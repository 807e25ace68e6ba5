"""What share of the traffic was traced: API Gateway's own count, out of moto's CloudWatch, beside X-Ray's traces."""

import json
import time
from datetime import datetime, timezone
from typing import Any

from tests.fetch.account import sdk_segments
from tests.fetch.conftest import Run, Start, measured
from tests.fetch.standin import XRay, trace_id

HOUR_S = 3600


def count(url: str, at_s: int, requests: int, **dimensions: str) -> None:
    """Let API Gateway have counted so many requests in the minute that holds this second."""
    measured(url, "AWS/ApiGateway/Count", at_s, 1.0, requests, **dimensions)


def forty(xray: XRay) -> int:
    """Put a trace in each of 40 seconds of a minute; returns its first second."""
    minute = (int(time.time()) - 600) // 60 * 60
    for number in range(40):
        xray.put(minute + number, trace_id(minute + number, 100 + number))
    return minute


def report(run: Run, xray: XRay, *options: str) -> str:
    """The text of a report on X-Ray, in one line."""
    return " ".join(run("report", "--xray", *options, LC_ALL="C", AWS_ENDPOINT_URL=xray.url).stdout.split())


def sampling(run: Run, xray: XRay, *options: str) -> Any:
    """What its JSON has of sampling."""
    printed = run("report", "--xray", *options, "--format", "json", AWS_ENDPOINT_URL=xray.url).stdout
    return json.loads(printed)["sampling"]


def routed(name: str, start_s: int, stage: str = "routed/prod") -> list[dict[str, Any]]:
    """As the collector has it: the function's own span says which route it was; to another stage for each test."""
    gateway, service, function = sdk_segments(name, start_s)
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
    return [{**gateway, "name": stage}, service, function, span]


def direct(name: str, start_s: int) -> list[dict[str, Any]]:
    """One in four calls the function without an API."""
    stage, service, function = sdk_segments(name, start_s)
    if int(name[-6:], 16) % 4:
        return [{**stage, "name": "mixed/prod"}, service, function]
    return [{key: value for key, value in service.items() if key != "parent_id"}, function]


def test_the_share_is_told_by_hour_where_a_stage_counts(start: Start, run: Run, moto: str) -> None:
    """20 of 100 requests in one hour and 20 of 400 in the next: 8 %, and between 5 and 20."""
    xray = start(sdk_segments, cloudwatch=moto)
    hour = (int(time.time()) - 3 * HOUR_S) // HOUR_S * HOUR_S
    for index in (0, 1):
        for number in range(20):
            second = hour + index * HOUR_S + 60 + number
            xray.put(second, trace_id(second, 100 + index * 20 + number))
        count(moto, hour + index * HOUR_S + 60, (100, 400)[index], ApiName="orders-api", Stage="prod")
    text = report(run, xray, "--since", "4h")
    begin, following = (datetime.fromtimestamp(hour + later, timezone.utc) for later in (0, HOUR_S))
    assert "8 % of the traffic seen (40 of 500)." in text
    assert f" By hour: from 5 % ({following:%m-%d %H:00Z}) to 20 % ({begin:%m-%d %H:00Z}). Every span was read." in text
    assert "| seen 8 %" in text
    assert sampling(run, xray, "--since", "4h") == {"seen": 40, "total": 500, "by_route": []}


def test_routes_are_told_where_detailed_metrics_count_them(start: Start, run: Run, moto: str) -> None:
    """And one that was never traced is not left out."""
    xray = start(routed, cloudwatch=moto)
    minute = forty(xray)
    counts = {("POST", "/orders"): 300, ("GET", "/orders/{id}"): 50, ("GET", "/health"): 250}
    for (method, path), requests in counts.items():
        count(moto, minute, requests, ApiName="routed", Stage="prod", Method=method, Resource=path)
    count(moto, minute, 600, ApiName="routed", Stage="prod")
    by_route = "By route: POST /orders 10 %, GET /health 0 %, GET /orders/{id} 20 %."
    assert f"7 % of the traffic seen (40 of 600). {by_route}" in report(run, xray)
    assert sampling(run, xray) == {
        "seen": 40,
        "total": 600,
        "by_route": [
            {"route": "POST /orders", "seen": 30, "total": 300},
            {"route": "GET /health", "seen": 0, "total": 250},
            {"route": "GET /orders/{id}", "seen": 10, "total": 50},
        ],
    }


def test_one_route_has_a_share_of_its_own(start: Start, run: Run, moto: str) -> None:
    """Where it is counted; a stage as a whole would be the wrong whole."""
    only = {'http.method = "POST" AND http.url CONTAINS "/orders"': lambda name: int(name[-6:], 16) % 4 > 0}
    xray = start(lambda name, start_s: routed(name, start_s, "chosen/prod"), cloudwatch=moto, matches=only)
    minute = forty(xray)
    count(moto, minute, 600, ApiName="chosen", Stage="prod")
    said = report(run, xray, "--route", "POST /orders")
    assert "30 requests seen; how many were not sampled is not known: API Gateway counts by route only with" in said
    count(moto, minute, 120, ApiName="chosen", Stage="prod", Method="POST", Resource="/orders")
    said = report(run, xray, "--route", "POST /orders")
    assert "25 % of the traffic seen (30 of 120). Every span was read." in said


def test_what_nobody_counts_is_not_part_of_the_share(start: Start, run: Run, moto: str) -> None:
    """Functions that are called without an API: said beside it."""
    xray = start(direct, cloudwatch=moto)
    minute = forty(xray)
    count(moto, minute, 60, ApiName="mixed", Stage="prod")
    other_way = "10 more requests came another way, which is not counted."
    assert f"50 % of the traffic seen (30 of 60). {other_way}" in report(run, xray)


def test_where_it_cannot_be_read_the_report_says_that_it_does_not_know(start: Start, run: Run, moto: str) -> None:
    """Who may not ask CloudWatch, and where API Gateway counted nothing."""
    said = []
    for url in (None, moto):
        xray = start(lambda *of: [{**segment, "name": "idle/x"} for segment in sdk_segments(*of)], cloudwatch=url)
        now_s = int(time.time())
        xray.put(now_s - 60, trace_id(now_s - 60, 1))
        said.append(report(run, xray))
    assert "how many were not sampled is not known: AWS does not allow ListMetrics: not you (Access" in said[0]
    assert (
        "1 request seen; how many were not sampled is not known: API Gateway's metric Count has no data of idle/x."
        in said[1]
    )
