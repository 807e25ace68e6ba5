"""The receivers of messages: an SNS topic, and the webhook of a chat program."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lambda_latency.alarm.chat import rendered, topic_texts
from lambda_latency.alarm.event import Alarm
from lambda_latency.alarm.message import Message, subject_of

TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Topic:
    """Publishes to a topic; `sns` is boto3's client."""

    sns: Any
    arn: str

    def __call__(self, message: Message, alarm: Alarm) -> None:
        """Publishes the message. Raises boto3's error."""
        texts = topic_texts(message, f"{alarm.account}/{alarm.region}/{alarm.name}")
        self.sns.publish(
            TopicArn=self.arn, Subject=subject_of(message), Message=json.dumps(texts), MessageStructure="json"
        )


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts to an incoming webhook of Slack, or of a Teams workflow. `url` returns the URL, which is a secret."""

    url: Callable[[], str]
    form: str

    def __call__(self, message: Message, alarm: Alarm) -> None:
        """Posts the message. Raises ValueError for an invalid URL, OSError on failure; neither contains the URL."""
        url = self.url().strip()
        if not url.startswith("https://"):
            raise ValueError(f"the webhook of {alarm.name} must be an https URL")
        body = rendered(message, self.form).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - https alone
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310
                return
        except OSError as error:
            code = getattr(error, "code", None)
            told = f"status {code}" if code is not None else type(error).__name__
            raise OSError(f"the webhook of {alarm.name} does not accept the message: {told}") from None
