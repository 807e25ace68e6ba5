"""1,000 requests at once against three functions, a queue and a bus: is every message handled once, or redriven?

Accept takes a request and sends a message. Work takes messages from the queue, 10 at a time: it fails for one of 20
the first time, for one of 50 always, and puts an event on the bus for each other one. Note takes the events.

Usual time: 2 minutes.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from lab.apps import HOME, READY, VERSION
from lab.commands import make
from lambda_latency.local.cloud.emulator import clients
from tests.sandbox.state import until
from tests.system.processes import Footprint, own_temporary
from tests.system.test_serve import Served

AT_ONCE = 16
PATIENCE_S = 120  # for the last message, after the last answer
ENDLESS = 2_000  # requests: the command is gone long before the last one
MOST = 2  # how often a message is received before it goes to the dead letter queue
CLEAN: dict[str, list[object]] = {"processes": [], "ports": [], "folders": []}
TEMPLATE = f"""\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {{ Runtime: python{VERSION[0]}.{VERSION[1]}, CodeUri: code, Timeout: 20 }}
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
      VisibilityTimeout: 20
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

    def wrong(self, requests: int) -> list[str]:
        """All that is not as configured."""
        numbers = range(requests)
        always = [one for one in numbers if one % 50 == 0]
        wanted = {
            "answers": (self.answers, Counter({202: requests})),
            "worked on": (self.worked, Counter({one: attempts(one) for one in numbers})),
            "noted": (self.noted, Counter(set(numbers) - set(always))),
            "dead letters": (self.dead, Counter(always)),
        }
        return [
            f"{name}: {dict(sorted(((seen - right) + (right - seen)).items()))} are not as they should be"
            for name, (seen, right) in wanted.items()
            if seen != right
        ]


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
            letters.extend(int(one["Body"]) for one in received.get("Messages", []))
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


def seen(app: Served, what: str) -> Counter[int]:
    """How often a function has printed each number."""
    found = (LINE.match(line) for line in list(app.lines))
    return Counter(int(match[2]) for match in found if match is not None and match[1] == what)


def main() -> int:
    """Run it; 0 if every message was handled as it should be and nothing is left."""
    parser = argparse.ArgumentParser("python -m lab messages", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000, metavar="N", help="16 at a time (1,000)")
    requests = parser.parse_args().requests
    make(READY)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lambda-latency-messages-") as folder:
        handled, status, left = interrupted(Path(folder, "interrupted"), requests)
        rest = killed(Path(folder, "killed"))
    wrong = handled.wrong(requests)
    if status != 130:
        wrong.append(f"status {status} after Ctrl-C")
    wrong += [f"left after {how}: {one}" for how, one in (("Ctrl-C", left), ("SIGKILL", rest)) if one != CLEAN]
    print(
        f"{requests} requests, {AT_ONCE} at a time, in {time.monotonic() - begun:.0f} s: "
        f"{handled.worked.total()} attempts at {len(handled.worked)} messages, {handled.noted.total()} events, "
        f"{handled.dead.total()} dead letters"
    )
    print(*(wrong or ["Every message was handled once or redriven, and nothing is left."]), sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
