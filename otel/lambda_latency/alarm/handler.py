"""The Lambda function that explains alarms: `lambda_latency.alarm.handler.handle`, for events of EventBridge.

Variables: ALARM_BUCKET (records and pages), ALARM_TOPIC_ARN (an SNS topic, or empty), ALARM_WEBHOOK_PARAMETER (the name
of an SSM parameter with a webhook's URL, or empty), ALARM_CHAT (slack or teams), ALARM_OURS and ALARM_THEIRS
(comma-separated patterns of services and hosts, as in `report --ours` and `--theirs`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lambda_latency.alarm.answer import Answerer, Sink
from lambda_latency.alarm.event import read_event
from lambda_latency.alarm.evidence import Fetches, Unreachable
from lambda_latency.alarm.explanation import Explanation
from lambda_latency.alarm.message import Hyperlink, put_page
from lambda_latency.alarm.records import Records
from lambda_latency.alarm.sinks import Topic, Webhook
from lambda_latency.fetch import Account, FetchError, Place
from lambda_latency.latency import AnalysisOptions, Owners

SPARE_S = 15  # for what follows the last fetch


def handle(event: Mapping[str, Any], context: Any) -> dict[str, object]:
    """Answers one state change of an alarm. Raises on failure, so that Lambda retries."""
    begin = time.monotonic()
    alarm = read_event(event)
    bucket, region = os.environ["ALARM_BUCKET"], os.environ["AWS_REGION"]
    s3 = _client("s3")

    def page(explanation: Explanation) -> Hyperlink | None:
        try:
            return put_page(s3, bucket, explanation)
        except (BotoCoreError, ClientError) as error:
            print(f"lambda-latency: no page of {alarm.name}: {error}")
            return None

    def left_s() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000 - SPARE_S

    def ran() -> tuple[Decimal, str]:
        memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"))
        processor = "arm64" if os.uname().machine == "aarch64" else "x86_64"
        return Decimal(time.monotonic() - begin) * memory / 1024, processor

    answerer = Answerer(
        account=_account(region),
        records=Records(s3, bucket),
        sinks=_sinks(),
        page=page,
        left_s=left_s,
        ran=ran,
        analysis_options=AnalysisOptions(owners=Owners(_patterns("ALARM_OURS"), _patterns("ALARM_THEIRS"))),
    )
    message = answerer.answer(alarm)
    print(f"lambda-latency: {alarm.state} of {alarm.name}: {message.title if message else 'nothing to send'}")
    return {"alarm": alarm.name, "state": alarm.state, "told": message.title if message is not None else None}


def _account(region: str) -> Fetches:
    """Return the account's traces. If they cannot be fetched, the message says so: it is sent all the same."""
    try:
        return Account(Place(region=region))
    except FetchError as error:
        return Unreachable(error)


@cache
def _client(service: str) -> Any:
    make: Any = boto3.client  # its stub has many overloads
    return make(service)


def _sinks() -> dict[str, Sink]:
    sinks: dict[str, Sink] = {}
    topic, parameter = os.environ.get("ALARM_TOPIC_ARN"), os.environ.get("ALARM_WEBHOOK_PARAMETER")
    if topic:
        sinks["topic"] = Topic(_client("sns"), topic)
    if parameter:
        sinks["chat"] = Webhook(lambda: _secret(parameter), os.environ.get("ALARM_CHAT") or "slack")
    return sinks


def _patterns(name: str) -> tuple[str, ...]:
    return tuple(pattern.strip() for pattern in os.environ.get(name, "").split(",") if pattern.strip())


def _secret(name: str) -> str:
    return str(_client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
