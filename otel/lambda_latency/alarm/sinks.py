"""The receivers of messages: an SNS topic, and the webhook of a chat program, each with its format.

Slack: https://api.slack.com/reference/block-kit; Teams: https://adaptivecards.io/explorer; AWS's own chat service, for
Slack and Teams behind an SNS topic:
https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lambda_latency.alarm.event import Alarm
from lambda_latency.alarm.message import Message, plain_text, subject_of

LONGEST_HEADER, LONGEST_SECTION = 150, 3000  # Slack's limits
LONGEST_DESCRIPTION = 4000  # of the chat service


def rendered(message: Message, chat: str) -> str:
    """Return the message as JSON for a chat program, `slack` or `teams`."""
    document = _slack(message) if chat == "slack" else _teams(message)
    return json.dumps(document, indent=1)


def topic_texts(message: Message, thread: str) -> dict[str, str]:
    """Return the texts of an SNS message by protocol: plain text, and for `https` a notification of AWS's chat service.

    The chat service groups messages by `thread`.
    """
    text = plain_text(message)
    return {"default": text, "email": text, "https": json.dumps(_notification(message, thread))}


def _slack(message: Message) -> dict[str, Any]:
    """Block Kit; names are only in `plain_text` objects, which have no markup, mentions or links."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(message.title, LONGEST_HEADER)}]
    blocks += [{"type": "section", "text": _plain(line)} for line in message.paragraphs]
    if message.links:
        buttons = [{"type": "button", "text": _plain(link.name, 75), "url": link.url} for link in message.links]
        blocks.append({"type": "actions", "elements": buttons})
    small = _small_print(message)
    if small:
        blocks.append({"type": "context", "elements": [_plain(line, 2000) for line in small[:10]]})
    return {"text": _escaped(message.title), "blocks": blocks}


def _small_print(message: Message) -> list[str]:
    return [link.note for link in message.links if link.note] + list(message.facts)


def _plain(text: str, longest: int = LONGEST_SECTION) -> dict[str, Any]:
    return {"type": "plain_text", "text": _escaped(text)[:longest], "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: Message) -> dict[str, Any]:
    """Return an Adaptive Card; a TextRun, unlike a TextBlock, has no markup."""
    body = [_run(message.title, weight="Bolder", size="Medium"), *map(_run, message.paragraphs)]
    body += [_run(line, isSubtle=True, size="Small") for line in _small_print(message)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": link.name, "url": link.url} for link in message.links],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _run(text: str, **look: object) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _notification(message: Message, thread: str) -> dict[str, Any]:
    sentences = [*(line for finding in message.findings for line in finding.lines), *message.lines]
    links = [f"{link.name}: {link.url} {link.note}".strip() for link in message.links]
    description = "\n".join(map(_unmarked, (*sentences, *links, *message.facts)))[:LONGEST_DESCRIPTION]
    content: dict[str, Any] = {"textType": "client-markdown", "title": subject_of(message), "description": description}
    steps = [step for finding in message.findings for step in finding.steps]
    if steps:
        content["nextSteps"] = [_unmarked(step) for step in steps]
    return {"version": "1.0", "source": "custom", "content": content, "metadata": {"threadId": thread}}


def _unmarked(text: str) -> str:
    """Return the text without markup characters, which Slack and Teams interpret differently."""
    return text.translate(str.maketrans("*`~|", "\u2217'\u223c\u2223"))


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
    chat: str

    def __call__(self, message: Message, alarm: Alarm) -> None:
        """Posts the message. Raises ValueError for an invalid URL, OSError on failure; neither contains the URL."""
        url = self.url().strip()
        if not url.startswith("https://"):
            raise ValueError(f"the webhook of {alarm.name} must be an https URL")
        body = rendered(message, self.chat).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - https alone
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310
                return
        except OSError as error:
            code = getattr(error, "code", None)
            reason = f"status {code}" if code is not None else type(error).__name__
            raise OSError(f"the webhook of {alarm.name} does not accept the message: {reason}") from None
