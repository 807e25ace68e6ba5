"""Every shape in which traces lie in X-Ray, fetched and reported: who wrote them, and how far they had come."""

import json
import time
from typing import Any

import pytest

from tests.fetch.conftest import Run, Start
from tests.fetch.standin import trace_id
from tests.trace.build import MS
from tests.trace.readers.test_xray import FUNCTION, GATEWAY, HANDLER, INIT, INVOCATION, OVERHEAD, PUT, SERVICE, START


def segment(name: str, number: int, start: float, end: float, **more: Any) -> dict[str, Any]:
    """A document; times are milliseconds after `START`."""
    times = {"start_time": START + start / 1000, "end_time": START + end / 1000}
    return {"name": name, "id": f"{number:016x}", **times, **more}


def moved(document: dict[str, Any], by_s: float, name: str) -> dict[str, Any]:
    """The same at another time, in another trace."""
    copy = {**document, "trace_id": name}
    for key in ("start_time", "end_time"):
        if key in copy:
            copy[key] = round(copy[key] + by_s, 3)
    if "subsegments" in copy:
        copy["subsegments"] = [moved(child, by_s, name) for child in copy["subsegments"]]
    return {key: value for key, value in copy.items() if key != "trace_id" or "parent_id" in copy or "origin" in copy}


GET = segment(
    "DynamoDB", 30, 500, 620, namespace="aws", aws={"operation": "GetItem", "table_name": "orders", "retries": 0}
)
PAY = segment(
    "payments.example.com",
    31,
    620,
    820,
    namespace="remote",
    http={"request": {"method": "POST", "url": "https://payments.example.com/charges"}, "response": {"status": 200}},
)
POWERTOOLS = segment(
    "## handler",
    32,
    410,
    890,
    annotations={"ColdStart": True, "Service": "orders"},
    metadata={"orders": {"handler response": {"statusCode": 200}}},
    subsegments=[segment("## charge", 33, 600, 850, subsegments=[PAY]), GET],
)
INFERRED = segment("DynamoDB", 34, 500, 620, inferred=True, parent_id=GET["id"], origin="AWS::DynamoDB::Table")
QUEUED = segment("Dwell Time", 35, 8, 300)
ATTEMPT = segment("Attempt #1", 36, 300, 1200)
ASYNCHRONOUS = {
    **segment("CreateOrder", 3, 5, 10, origin="AWS::Lambda", http={"response": {"status": 202}}),
    "subsegments": [QUEUED, ATTEMPT],
}
LATER = {**segment("CreateOrder", 4, 310, 1190, origin="AWS::Lambda::Function"), "parent_id": ATTEMPT["id"]}
THROTTLED = segment(
    "CreateOrder",
    3,
    5,
    20,
    origin="AWS::Lambda",
    parent_id=f"{2:016x}",
    throttle=True,
    http={"response": {"status": 429}},
)
REFUSED = {
    **segment("orders/prod", 1, 0, 25, origin="AWS::ApiGateway::Stage", fault=True, http={"response": {"status": 500}}),
    "subsegments": [segment("Lambda", 2, 2, 23, namespace="aws", throttle=True, http={"response": {"status": 429}})],
}
OPEN = {key: value for key, value in PAY.items() if key != "end_time"} | {"in_progress": True}
CALLS: dict[str, float] = {
    "api gateway ": 15,
    "aws DynamoDB GetItem orders": 120,
    "external payments.example.com": 200,
    "lambda overhead": 90,
    "lambda service": 395,
    "own code ": 180,
}
SHAPES: dict[str, tuple[list[dict[str, Any]], str, dict[str, float]]] = {
    "the X-Ray SDK, calls in the Invocation": (
        [
            GATEWAY,
            SERVICE,
            {**FUNCTION, "subsegments": [{**INVOCATION, "subsegments": [GET, PAY]}, OVERHEAD]},
            INFERRED,
        ],
        "POST CreateOrder",
        CALLS,
    ),
    "the X-Ray SDK before there were Invocations": (
        [GATEWAY, SERVICE, {**FUNCTION, "subsegments": [GET, PAY, OVERHEAD]}],
        "POST CreateOrder",
        CALLS,
    ),
    "Powertools": (
        [
            GATEWAY,
            SERVICE,
            {**FUNCTION, "subsegments": [{**INVOCATION, "subsegments": [POWERTOOLS]}, INIT, OVERHEAD]},
        ],
        "POST CreateOrder",
        {
            "api gateway ": 15,
            "aws DynamoDB GetItem orders": 100,
            "cold start ": 390,
            "external payments.example.com": 200,
            "lambda overhead": 90,
            "lambda service": 5,
            "own code ": 200,
        },
    ),
    "the collector": (
        [GATEWAY, SERVICE, FUNCTION, HANDLER, PUT],
        "POST /orders",
        {
            "api gateway ": 15,
            "aws DynamoDB PutItem orders": 200,
            "cold start ": 390,
            "lambda overhead": 110,
            "lambda service": 5,
            "own code ": 280,
        },
    ),
    "asynchronous": ([ASYNCHRONOUS, LATER], "CreateOrder", {"lambda service": 315, "unknown ": 880}),
    "throttled": ([REFUSED, THROTTLED], "CreateOrder", {"api gateway ": 10, "lambda service": 15}),
    "still in progress": (
        [SERVICE, {**FUNCTION, "subsegments": [{**INVOCATION, "subsegments": [OPEN]}]}],
        "CreateOrder",
        {"external payments.example.com": 280, "lambda overhead": 90, "lambda service": 395, "own code ": 220},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_divided_as_it_lies_in_x_ray(start: Start, run: Run, shape: str) -> None:
    """Route and parts, in milliseconds."""
    documents, route, parts = SHAPES[shape]
    began = int(time.time()) - 1800
    name = trace_id(began, 1)
    xray = start(lambda *_: [moved(document, began - START, name) for document in documents])
    xray.put(began, name)
    done = run("report", "--xray", "--all", "--format", "json", AWS_ENDPOINT_URL=xray.url)
    assert done.stderr == ""
    [request] = json.loads(done.stdout)["per_request"]
    times = {f"{part['bucket']} {part['name']}": part["ns"] / MS for part in request["buckets"]}
    assert (request["route"], times) == (route, parts)
