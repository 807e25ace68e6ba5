"""Handlers that tell what they were given, in a line that the tests read, and answer with it."""

import json
import os
from typing import Any


def tell(event: Any, context: Any) -> Any:
    """Print the event and answer with what the environment is like."""
    print("EVENT", json.dumps(event), flush=True)
    if "fail-on-purpose" in json.dumps(event):
        raise ValueError("as told")
    if event == {"do": "calls"}:
        return calls()
    if event == {"do": "look"}:
        return {
            name: os.environ.get(name)
            for name in ("GREETING", "TABLE", "TABLE_ARN", "QUEUE", "ANSWER", "LOUD", "OWNER", "WRAPPED")
        }
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(words())}


def words() -> dict[str, str]:
    """What the layer and the requirement say, where they are there."""
    said = {}
    for name in ("layered", "required"):
        try:
            said[name] = __import__(name).WORD
        except ImportError:
            continue
    return said


def calls() -> Any:
    """Call AWS in every way that could lead astray."""
    import boto3

    table = os.environ["TABLE"]
    for number, keywords in enumerate(
        (
            {},
            {"region_name": "eu-west-1"},
            {"endpoint_url": "https://dynamodb.eu-west-1.amazonaws.com"},
            {"endpoint_url": "https://tableendpoint.invalid"},  # what stands in for a parameter without a value
        )
    ):
        client = boto3.client("dynamodb", **{"region_name": "us-east-1", **keywords})
        client.put_item(TableName=table, Item={"id": {"S": f"call-{number}"}})
    named = boto3.Session(profile_name="production").client("dynamodb")
    count = sum(row["id"]["S"].startswith("call-") for row in named.scan(TableName=table, ConsistentRead=True)["Items"])
    reply = boto3.client("lambda").invoke(FunctionName=os.environ["OTHER"], Payload=b'{"n": 20}')
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody="from a function")
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC"], Message="from a function")
    entry = {"EventBusName": "shop", "Source": "shop", "DetailType": "Called", "Detail": "{}"}
    boto3.client("events").put_events(Entries=[entry])
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="from-a-function.txt", Body=b"")
    boto3.client("stepfunctions").start_execution(stateMachineArn=os.environ["MACHINE"], input="{}")
    return {"count": count, "other": json.load(reply["Payload"])}


def answer(event: Any, context: Any) -> Any:
    """Twice what was asked and a bit."""
    return {"answer": 2 * event["n"] + 2}


def look(event: Any, context: Any) -> Any:
    """What other resources of the app hold: parameters, and its APIs at the addresses that the template gives."""
    from urllib.request import urlopen

    import boto3

    with urlopen(os.environ["REST_URL"], timeout=10) as rest_api, urlopen(f"{os.environ['HTTP_URL']}/http/2") as http:
        statuses = [rest_api.status, http.status]
    ssm = boto3.client("ssm")
    return {
        "statuses": statuses,
        "variables": [os.environ["COLOUR"], os.environ["SIZE"]],
        "values": [
            ssm.get_parameter(Name=name)["Parameter"]["Value"] for name in ("/shop/colour", os.environ["SIZE_NAME"])
        ],
    }


def partly(event: Any, context: Any) -> Any:
    """Fail for the messages that say so."""
    print("EVENT", json.dumps(event), flush=True)
    bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in bad]}


def fail(event: Any, context: Any) -> Any:
    """Always."""
    raise KeyError("nothing")
