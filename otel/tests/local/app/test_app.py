"""A whole app of our own: every trigger with the event that AWS sends, real names, calls that stay here, traces."""

import json
from typing import Any

import pytest

from tests.local.app.conftest import PATIENCE_S, Shop, needs_packages
from tests.local.calls import call
from tests.sandbox.state import until

pytestmark = needs_packages
REMEDY = "\n  add the layer that has it"


def test_what_cannot_be_served_is_told_in_a_line_each(shop: Shop) -> None:
    """A function for another runtime, a resource that is not emulated, a value that only an account has."""
    assert {
        "Other does not run here: its runtime is nodejs22.x, and only Python 3 runs here",
        f"Lost does not run here: its AWS_LAMBDA_EXEC_WRAPPER is /opt/own-wrapper, which no local layer has{REMEDY}",
        "not emulated here and left out: AWS::Macie::Session",
        "parameter Owner is in Parameter Store, which is not read: its value is 'local' (--parameter Owner=VALUE)",
    } <= {*shop.messages}
    assert shop.result("Other", {})["errorType"] == "Sandbox.Refused"


def test_variables_are_those_of_the_resources(shop: Shop) -> None:
    """Ref, GetAtt, Sub, If, FindInMap and parameters, of resources that are there."""
    assert shop.result("Rest", {"do": "look"}) == {
        "GREETING": "hello there",
        "TABLE": shop.physical("Table"),
        "TABLE_ARN": f"arn:aws:dynamodb:us-east-1:123456789012:table/{shop.physical('Table')}",
        "QUEUE": shop.physical("Queue"),
        "ANSWER": "world",
        "LOUD": "no",
        "OWNER": "local",
        "WRAPPED": None,
    }
    assert shop.client("dynamodb").describe_table(TableName=shop.physical("Table"))["Table"]["TableStatus"] == "ACTIVE"


def test_a_function_reads_the_apps_parameters_and_calls_its_apis(shop: Shop) -> None:
    """SSM parameters by a dynamic reference, an attribute and boto3; addresses of execute-api lead here."""
    assert shop.result("Look", {}) == {
        "statuses": [200, 200],
        "variables": ["green", "7"],
        "values": ["green", "7"],
    }


def test_calls_to_aws_stay_here_whatever_the_code_names(shop: Shop) -> None:
    """Another region, AWS's endpoint, a stand-in for one, a profile; and a function that invokes another."""
    assert shop.result("Rest", {"do": "calls"}) == {"count": 4, "other": {"answer": 42}}


def test_a_call_that_is_not_emulated_is_told_once(shop: Shop) -> None:
    """With the service that it is for."""
    from botocore.exceptions import ClientError

    for _ in range(2):
        with pytest.raises(ClientError):
            shop.client("translate").list_languages()
    assert [line for line in shop.messages if "translate" in line] == [
        "a call to translate is not emulated here: ListLanguages"
    ]


def test_a_missing_value_of_the_account_is_told_once(shop: Shop) -> None:
    """With the command that makes it."""
    from botocore.exceptions import ClientError

    ssm, secrets = shop.client("ssm"), shop.client("secretsmanager")
    for _ in range(2):
        with pytest.raises(ClientError):
            ssm.get_parameter(Name="/shop/not here")
        with pytest.raises(ClientError):
            secrets.get_secret_value(SecretId="no-secret")
    aws = f"aws --endpoint-url {shop.system.aws_url} --region us-east-1"
    assert [line for line in shop.messages if "is not here:" in line] == [
        f"/shop/not here is not here: {aws} ssm put-parameter --type String --name '/shop/not here' --value VALUE",
        f"no-secret is not here: {aws} secretsmanager create-secret --name no-secret --secret-string VALUE",
    ]


def test_who_gets_events_is_known(shop: Shop) -> None:
    """By mappings, subscriptions, also through a queue, and rules; nobody gets those of a dead letter queue."""
    names = {
        key: shop.physical(key).rpartition("/")[2].rpartition(":")[2]
        for key in ("Queue", "Topic", "Stream", "Table", "Dead", "FromBusOrders")
    }
    readers = shop.system.stack.readers
    assert {*readers[f"sqs:{names['Queue']}"]} == {"FromQueue"}
    assert {*readers[f"sns:{names['Topic']}"]} == {"FromTopic", "FromNews"}
    assert {*readers[f"kinesis:{names['Stream']}"]} == {"FromStream"}
    assert {*readers[f"dynamodb:{names['Table']}"]} == {"FromTable"}
    assert {*readers[f"events:{names['FromBusOrders']}"]} == {"FromBus"}
    assert f"sqs:{names['Dead']}" not in readers


def test_a_rest_api_leads_to_its_function(shop: Shop) -> None:
    """With API Gateway's event, the layer and the requirement, and one trace from the gateway on."""
    reply = call(shop.port("Rest"), "GET", "/things/1?a=b")
    event = shop.event("Rest", '"/things/1"')
    assert (reply.status, reply.json) == (200, {"layered": "from the layer", "required": "from the requirement"})
    assert {name: event[name] for name in ("httpMethod", "resource", "pathParameters", "queryStringParameters")} == {
        "httpMethod": "GET",
        "resource": "/things/{id}",
        "pathParameters": {"id": "1"},
        "queryStringParameters": {"a": "b"},
    }
    assert event["requestContext"]["path"] == "/Prod/things/1"
    trace = shop.trace(shop.handled("GET /things/{id}").trace_id, 6)
    (top,) = trace.local_roots
    assert (top.name, "GET /things/{id}" in {span.name for span in trace.spans}) == ("shop/Prod", True)


def test_an_http_api_leads_to_its_function(shop: Shop) -> None:
    """With the event of format 2.0, and CORS as the template has it."""
    reply = call(shop.port("Http"), "GET", "/http/1?a=b", headers={"Origin": "https://example.com", "Cookie": "c=d"})
    event = shop.event("Http", '"/http/1"')
    assert (reply.status, reply.headers.get("Access-Control-Allow-Origin")) == (200, "https://example.com")
    assert {name: event[name] for name in ("version", "routeKey", "rawPath", "rawQueryString", "cookies")} == {
        "version": "2.0",
        "routeKey": "GET /http/{id}",
        "rawPath": "/http/1",
        "rawQueryString": "a=b",
        "cookies": ["c=d"],
    }
    assert event["requestContext"]["http"]["sourceIp"] == event["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert "x-amzn-trace-id" in event["headers"]


def test_what_no_route_leads_to_is_answered_as_by_api_gateway(shop: Shop) -> None:
    """By a REST API with 403 and by an HTTP API with 404; no function is called."""
    assert [call(shop.port(api), "GET", "/nothing").status for api in ("Rest", "Http")] == [403, 404]


def test_a_message_that_fails_comes_again_and_then_goes_to_the_dead_letter_queue(shop: Shop) -> None:
    """Others of its batch do not: the function names those that failed."""
    sqs = shop.client("sqs")
    for body in ("good", "bad"):
        sqs.send_message(QueueUrl=shop.physical("Queue"), MessageBody=body)
    record = shop.event("FromQueue", '"good"')["Records"][0]
    assert set(record) >= {"messageId", "receiptHandle", "body", "attributes", "eventSource", "eventSourceARN"}
    dead: list[Any] = []

    def arrived() -> bool:
        dead.extend(sqs.receive_message(QueueUrl=shop.physical("Dead"), WaitTimeSeconds=1).get("Messages", []))
        return bool(dead)

    assert until(arrived, PATIENCE_S)
    bodies = [record["body"] for event in shop.events("FromQueue") for record in event["Records"]]
    assert ([message["Body"] for message in dead], bodies.count("good"), bodies.count("bad")) == (["bad"], 1, 2)


def test_a_bus_leads_to_its_function(shop: Shop) -> None:
    """What the rule's pattern matches, and nothing else."""
    entries = [
        {"EventBusName": "shop", "Source": source, "DetailType": "Matched", "Detail": json.dumps({"from": source})}
        for source in ("elsewhere", "shop")
    ]
    shop.client("events").put_events(Entries=entries)
    event = shop.event("FromBus", "Matched")
    assert (event["source"], event["detail-type"], event["detail"]) == ("shop", "Matched", {"from": "shop"})
    assert "elsewhere" not in json.dumps(shop.events("FromBus"))


def test_an_event_of_a_bus_that_fails_comes_again_twice(shop: Shop) -> None:
    """As Lambda tries what nobody waits for."""
    entry = {
        "EventBusName": "shop",
        "Source": "shop",
        "DetailType": "Failing",
        "Detail": '{"order": "fail-on-purpose"}',
    }
    shop.client("events").put_events(Entries=[entry])
    assert until(lambda: [event["detail-type"] for event in shop.events("FromBus")].count("Failing") == 3, PATIENCE_S)


def test_a_state_machine_catches_the_error_of_its_function(shop: Shop) -> None:
    """By the error's own name."""
    states = shop.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=shop.physical("Machine"), input="{}")["executionArn"]
    assert until(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING", PATIENCE_S)
    ended = states.describe_execution(executionArn=arn)
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", "caught a KeyError")


def test_a_failed_execution_is_printed(shop: Shop) -> None:
    """With its error; ministack only records it, and no function may have run."""
    states = shop.client("stepfunctions")
    definition = {"StartAt": "End", "States": {"End": {"Type": "Fail", "Error": "TooLate", "Cause": "It is\nover"}}}
    machine = states.create_state_machine(
        name="fails", definition=json.dumps(definition), roleArn="arn:aws:iam::1:role/r"
    )
    states.start_execution(stateMachineArn=machine["stateMachineArn"], name="first")
    line = "state machine failed: fails: TooLate: It is over (execution first)"
    assert until(lambda: line in shop.messages, PATIENCE_S)


def test_inline_code_runs(shop: Shop) -> None:
    """Out of the template."""
    assert shop.result("Inline", {"a": 1}) == {"inline": {"a": 1}}


def test_changed_code_is_used_by_the_next_event(shop: Shop) -> None:
    """A file of the code is written; the layer's is, too."""
    assert call(shop.port("Rest"), "GET", "/things/2").json["layered"] == "from the layer"
    layered = shop.folder / "layer" / "python" / "layered.py"
    layered.write_text('WORD = "changed"\n')
    assert call(shop.port("Rest"), "GET", "/things/2").json["layered"] == "changed"
    layered.write_text('WORD = "from the layer"\n')
    assert call(shop.port("Rest"), "GET", "/things/2").json["layered"] == "from the layer"


def test_a_state_machine_calls_an_api_of_the_app(shop: Shop) -> None:
    """With path, query and headers; its answer is the state's result, and errors have the names that AWS gives them.

    It makes a schedule, too.
    """
    states = shop.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=shop.physical("Calling"), input="{}")["executionArn"]
    ended: dict[str, Any] = {}

    def over() -> bool:
        ended.update(states.describe_execution(executionArn=arn))
        return bool(ended["status"] != "RUNNING")

    assert until(over, PATIENCE_S)
    assert ended["status"] == "SUCCEEDED", ended
    event = shop.event("Rest", '"/things/9"')
    assert (event["multiValueQueryStringParameters"], event["headers"]["X-Asked-By"]) == (
        {"colour": ["green", "blue"]},
        "a machine",
    )
    output = json.loads(ended["output"])
    assert (output["StatusCode"], output["StatusText"], output["ResponseBody"]["layered"]) == (
        200,
        "OK",
        "from the layer",
    )
    assert output["Headers"]["Content-Type"] == ["application/json"]
    assert (output["missed"]["Error"], output["counted"]["Error"]) == (
        "ApiGateway.403",
        "DynamoDB.AmazonDynamoDBException",
    )
    assert output["planned"]["ScheduleArn"].endswith(":schedule/default/planned")
    assert output["unknown"]["Error"] == "Scheduler.ResourceNotFoundException"
    assert shop.event("FromSchedule", '"planned"') == {"planned": 1}
