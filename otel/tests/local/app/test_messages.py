"""Requests at once against three functions, a queue and a bus: every message is handled once, or redriven.

Accept takes a request and sends a message. Work takes messages from the queue, 10 at a time: it fails for one of 20
the first time, for one of 50 always, and puts an event on the bus for each other one. Note takes the events.
"""

import json
import re
import signal
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from lab.apps import HOME, VERSION
from lambda_latency.local.cloud.clients import clients
from tests.local.app.conftest import needs_packages
from tests.sandbox.state import until
from tests.system.processes import Footprint, own_temporary
from tests.system.test_serve import Served

pytestmark = needs_packages
REQUESTS = 60
AT_ONCE = 16
PATIENCE_S = 120  # for the last message, after the last answer
ENDLESS = 2_000  # requests: the command is gone long before the last one
MOST = 2  # how often a message is received before it goes to the dead letter queue
CLEAN: dict[str, list[object]] = {"processes": [], "ports": [], "folders": []}
TEMPLATE = f"""\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {{ Runtime: python{VERSION[0]}.{VERSION[1]}, CodeUri: code, Timeout: 5 }}
Resources:
  Accept:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.accept
      Environment: {{ Variables: {{ QUEUE: !Ref Queue }} }}
      Events:
        Post: {{ Type: Api, Properties: {{ Path: "/orders/{{number}}", Method: post }} }}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.work
      Environment: {{ Variables: {{ BUS: !Ref Bus }} }}
      Events:
        Messages:
          Type: SQS
          Properties: {{ Queue: !GetAtt Queue.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures] }}
  Note:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.note
      Events:
        Worked: {{ Type: EventBridgeRule, Properties: {{ EventBusName: !Ref Bus, Pattern: {{ source: [work] }} }} }}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 6
      RedrivePolicy: {{ deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: {MOST} }}
  Dead: {{ Type: AWS::SQS::Queue, Properties: {{ QueueName: dead }} }}
  Bus: {{ Type: AWS::Events::EventBus, Properties: {{ Name: orders }} }}
"""
CODE = """\
import json
import os

import boto3

sqs, events = boto3.client("sqs"), boto3.client("events")


def accept(event, context):
    number = event["pathParameters"]["number"]
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=number)
    return {"statusCode": 202, "body": number}


def work(event, context):
    failed = []
    for record in event["Records"]:
        number, received = int(record["body"]), int(record["attributes"]["ApproximateReceiveCount"])
        print("WORK", number)
        if number % 50 == 0 or (number % 20 == 1 and received == 1):
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        entry = {"EventBusName": os.environ["BUS"], "Source": "work", "DetailType": "Worked"}
        events.put_events(Entries=[{**entry, "Detail": json.dumps({"number": number})}])
    return {"batchItemFailures": failed}


def note(event, context):
    print("NOTE", event["detail"]["number"])
"""
LINE = re.compile(r"^(?:Work|Note): (WORK|NOTE) (\d+)$")


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of the requests: how often each number was worked on and noted, and which are dead letters."""

    answers: Counter[int]
    worked: Counter[int]
    noted: Counter[int]
    dead: Counter[int]


def test_every_message_is_handled_once_or_redriven(tmp_path: Path) -> None:
    """By an API, a queue and a bus; after Ctrl-C nothing is left."""
    numbers = range(REQUESTS)
    dead = Counter(number for number in numbers if number % 50 == 0)
    expected = Handled(
        answers=Counter({202: REQUESTS}),
        worked=Counter({number: attempts(number) for number in numbers}),
        noted=Counter(numbers) - dead,
        dead=dead,
    )
    assert interrupted(tmp_path / "app", REQUESTS) == (expected, 130, CLEAN)


def test_nothing_is_left_of_messages_on_their_way(tmp_path: Path) -> None:
    """After a SIGKILL."""
    assert killed(tmp_path / "app") == CLEAN


def attempts(number: int) -> int:
    """How often Work gets the message of a number."""
    return MOST if number % 50 == 0 or number % 20 == 1 else 1


def served(folder: Path) -> Served:
    """The app, served from a folder."""
    (folder / "app" / "code").mkdir(parents=True)
    (folder / "app" / "template.yaml").write_text(TEMPLATE)
    (folder / "app" / "code" / "app.py").write_text(CODE)
    return Served([], folder / "app", {**own_temporary(folder / "temporary"), "XDG_CACHE_HOME": str(HOME)})


def interrupted(folder: Path, requests: int) -> tuple[Handled, int, dict[str, list[object]]]:
    """Send the requests, wait for the last message, end it by Ctrl-C: what was handled, the status, the rest."""
    app = served(folder)
    try:
        answers = Counter(status for status, _ in send(app, range(requests)))
        dead = sum(number % 50 == 0 for number in range(requests))
        sqs = clients(json.loads((folder / "app" / "out" / "serve.json").read_text())["aws"])("sqs")
        url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
        letters: list[int] = []

        def over() -> bool:
            received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)
            letters.extend(int(message["Body"]) for message in received.get("Messages", []))
            return len(letters) >= dead and len(seen(app, "NOTE")) >= requests - dead

        until(over, PATIENCE_S)
        footprint = Footprint(app.process.pid)
        status = app.end(signal.SIGINT)
        return Handled(answers, seen(app, "WORK"), seen(app, "NOTE"), Counter(letters)), status, footprint.left()
    finally:
        if app.process.poll() is None:
            app.end(signal.SIGKILL)


def killed(folder: Path) -> dict[str, list[object]]:
    """Kill the command in the midst of requests: what is left of it."""
    app = served(folder)
    try:
        send(app, range(AT_ONCE))
        footprint = Footprint(app.process.pid)
        with ThreadPoolExecutor(1) as thread:
            under_way = thread.submit(send, app, range(ENDLESS))
            until(lambda: len(seen(app, "WORK")) > AT_ONCE)
            app.end(signal.SIGKILL)
            assert isinstance(under_way.exception(), OSError | HTTPException)
        return footprint.left()
    finally:
        if app.process.poll() is None:
            app.end(signal.SIGKILL)


def send(app: Served, numbers: Iterable[int]) -> list[tuple[int, object]]:
    """One request for each number, some at once."""
    with ThreadPoolExecutor(AT_ONCE) as callers:
        return list(callers.map(lambda number: app.call("POST", f"/orders/{number}"), numbers))


def seen(app: Served, name: str) -> Counter[int]:
    """How often a function has printed each number."""
    matches = (LINE.match(line) for line in list(app.lines))
    return Counter(int(match[2]) for match in matches if match is not None and match[1] == name)
