"""Routes that call a service of AWS without a function: the call, the response, and the trace."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.apps import VERSION
from lambda_latency.local.app.read.app import read_app
from tests.local.app.conftest import Shop, needs_packages, up
from tests.local.calls import Reply, call, eventually

pytestmark = needs_packages
TEMPLATE = Path(__file__).parent / "direct" / "template.yaml"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The app of `direct/`, up."""
    folder = tmp_path_factory.mktemp("direct")
    path = folder / "template.yaml"
    path.write_text(TEMPLATE.read_text().replace("python3.11", f"python{VERSION[0]}.{VERSION[1]}"))
    with up(read_app(path, {}), folder) as shop:
        yield shop


def post(app: Shop, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """The response to a request."""
    merged = {"Content-Type": "application/json", **(headers or {})}
    (api,) = [api.key for api in app.system.app.apis if api.matching("POST", path.partition("?")[0])]
    return call(app.port(api), "POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), merged)


def trace_of(reply: Reply) -> str:
    """The trace of a request, as in a span."""
    return reply.headers["X-Amzn-Trace-Id"].removeprefix("Root=1-").replace("-", "")


def is_joined(app: Shop, reply: Reply) -> bool:
    """Whether the function is in the request's trace, below the gateway's span."""
    trace = app.trace(trace_of(reply), 1)
    return len(trace.local_roots) == 1 and {"AWS::ApiGateway::Stage", "AWS::Lambda"} <= {s.origin for s in trace.spans}


def test_an_http_api_sends_a_message(app: Shop) -> None:
    """The response is that of SQS, in XML; the message carries the trace in the parameter for it."""
    reply = post(app, "/messages/first", {"http": "queue"})
    event = app.event("Tell", '\\"http\\": \\"queue\\"')["Records"][0]
    assert (reply.status, json.loads(event["body"])) == (200, {"http": "queue"})
    assert event["messageAttributes"]["group"]["stringValue"] == "first"
    assert event["attributes"]["AWSTraceHeader"].startswith(reply.headers["X-Amzn-Trace-Id"])
    assert reply.body.startswith(b"<?xml")
    assert f"<SendMessageResult><MessageId>{event['messageId']}</MessageId>" in reply.body.decode()


def test_an_http_api_puts_an_event(app: Shop) -> None:
    """Its function joins the trace by the parameter `TraceHeader`."""
    reply = post(app, "/events", {"kind": "http event", "detail": {"a": 1}})
    event = app.event("Tell", '"http event"')
    assert (event["detail-type"], event["detail"], reply.status) == ("http event", {"a": 1}, 200)
    assert reply.json == {"FailedEntryCount": 0, "Entries": [{"EventId": event["id"]}]}
    eventually(lambda: is_joined(app, reply))


def test_an_http_api_puts_a_record(app: Shop) -> None:
    """By the resources of an integration and a route."""
    reply = post(app, "/records?key=http-key", {"data": "e30="})
    record = app.event("Tell", '"http-key"')["Records"][0]["kinesis"]
    assert (record["partitionKey"], record["data"]) == ("http-key", "e30=")
    assert reply.json["SequenceNumber"] == record["sequenceNumber"]


def test_an_http_api_runs_a_state_machine(app: Shop) -> None:
    """`StartSyncExecution` waits for the output."""
    reply = post(app, "/runs", {"http": "run"})
    assert (reply.status, reply.json["status"]) == (200, "SUCCEEDED")
    assert json.loads(reply.json["output"]) == {"told": {"http": "run"}}


def test_authorizers_guard_routes_without_a_function(app: Shop) -> None:
    """A Lambda authorizer and a JWT authorizer of an HTTP API."""
    api = next(api for api in app.system.app.apis if api.key == "Http")
    token = app.system.token(api, api.routes["POST /token"])
    expected = {
        "/gated": [(None, 401), ("shut", 403), ("open", 200)],
        "/token": [(None, 401), ("no.to.ken", 401), (token, 200)],
    }
    for path, cases in expected.items():
        for authorization, status in cases:
            headers = {"Authorization": authorization} if authorization else {}
            assert (path, authorization, post(app, path, {"by": path}, headers).status) == (path, authorization, status)


def test_a_lambda_authorizer_of_a_rest_api_guards_a_route_without_a_function(app: Shop) -> None:
    """It gets the headers by the names that clients write; the mapping template has its context."""
    replies = [post(app, "/guarded", {}, {"Authorization": word}).status for word in ("shut", "open")]
    assert replies == [403, 200]
    assert app.event("Tell", '{"shop": "first"}') == {"shop": "first"}


def test_a_rest_api_sends_a_message(app: Shop) -> None:
    """By its path; the response is in JSON. The message carries the trace."""
    reply = post(app, "/queue", {"rest": "queue & more"})
    event = app.event("Tell", '\\"rest\\"')["Records"][0]
    assert json.loads(event["body"]) == {"rest": "queue & more"}
    assert reply.json["SendMessageResponse"]["SendMessageResult"]["MessageId"] == event["messageId"]
    assert event["attributes"]["AWSTraceHeader"].startswith(reply.headers["X-Amzn-Trace-Id"])


def test_a_rest_api_publishes_to_a_topic(app: Shop) -> None:
    """By its parameters; the function joins the trace."""
    reply = post(app, "/topic", b"rest topic")
    event = app.event("Tell", '"rest topic"')["Records"][0]["Sns"]
    assert reply.json["PublishResponse"]["PublishResult"] == {"MessageId": event["MessageId"]}
    eventually(lambda: is_joined(app, reply))


def test_a_rest_api_puts_an_event(app: Shop) -> None:
    """With a body that has quotation marks of both kinds; the function joins the trace."""
    reply = post(app, "/bus?kind=rest%20event", {"it's": 'a "word"'})
    event = app.event("Tell", '"rest event"')
    assert (event["detail"], reply.json["FailedEntryCount"]) == ({"it's": 'a "word"'}, 0)
    eventually(lambda: is_joined(app, reply))


def test_a_rest_api_puts_a_record(app: Shop) -> None:
    """In Base64, as the template says."""
    reply = post(app, "/stream/rest-key", {"data": {"a": 1}})
    record = app.event("Tell", '"rest-key"')["Records"][0]["kinesis"]
    assert (record["data"], record["sequenceNumber"]) == ("eyJhIjoxfQ==", reply.json["SequenceNumber"])


def test_a_rest_api_starts_a_state_machine(app: Shop) -> None:
    """By the event of a state machine, which makes another REST API; the function joins the trace."""
    reply = post(app, "/starts/one", {"rest": "start"})
    assert app.event("Tell", '"start"') == {"rest": "start"}
    assert set(reply.json) == {"executionArn", "startDate"}
    eventually(lambda: is_joined(app, reply))
    eventually(lambda: app.handled("POST /starts/{name}").status == 200)


def test_a_mapping_template_is_evaluated(app: Shop) -> None:
    """Loops, booleans, parameters, the context and what `$util` has; the response's template, too."""
    item = {"key": "id", "id": "one", "tags": ["a", "b"], "new": True}
    reply = post(app, "/items", item, {"User-Agent": "tester"})
    assert (reply.status, reply.json) == (201, {"made": "POST"})
    made = app.client("dynamodb").get_item(TableName=app.physical("Table"), Key={"id": {"S": "one"}})["Item"]
    assert made == {
        "id": {"S": "one"},
        "tags": {"L": [{"S": "a"}, {"S": "b"}]},
        "is_new": {"BOOL": True},
        "path": {"S": "/items"},
        "agent": {"S": "tester"},
        "parsed": {"S": "b"},
        "coded": {"S": "a b"},
    }


def test_a_mapping_template_overrides_parameters_and_the_response(app: Shop) -> None:
    """The path parameter of the call, the status and a header of the response, and what its body is made of."""
    queue = app.physical("Queue").rpartition("/")[2]
    message = {"queue": queue, "by": "override"}
    reply = post(app, "/override/none", message)
    assert (reply.status, reply.headers["X-Kind"], reply.json) == (202, "overridden", True)
    assert json.loads(app.event("Tell", '\\"override\\"')["Records"][0]["body"]) == message


def test_a_function_may_be_called_with_a_mapping_template(app: Shop) -> None:
    """It gets what the template makes, and not the proxy's event; its error selects a response, by its message."""
    reply = post(app, "/weather/Oslo", {"day": 2})
    assert (reply.status, reply.json) == (200, {"told": {"city": "Oslo", "day": 2}})
    eventually(lambda: is_joined(app, reply))
    reply = post(app, "/weather/Atlantis", {"day": 2})
    assert (reply.status, reply.json) == (404, {"why": "Not found: Atlantis"})


def test_an_error_of_the_service_selects_a_response(app: Shop) -> None:
    """By the pattern of its status."""
    reply = post(app, "/items", {"key": "other", "id": "one", "tags": [], "new": False})
    assert reply.status == 422
    assert "Missing the key id" in reply.json["why"]


def test_a_mapping_template_that_fails_is_told(app: Shop) -> None:
    """The caller gets API Gateway's error; a line has the reason."""
    reply = post(app, "/items", {"key": "id", "id": "one", "tags": 5, "new": False})
    assert (reply.status, reply.json) == (500, {"message": "Internal server error"})
    eventually(lambda: any(line.startswith("POST /items fails here: the mapping template: ") for line in app.messages))
