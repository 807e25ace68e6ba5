"""Renders the message of an alarm for chat programs.

Slack: https://api.slack.com/reference/block-kit; Teams: https://adaptivecards.io/explorer; AWS's own chat service, for
Slack and Teams behind an SNS topic:
https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
"""

from __future__ import annotations

import json
from typing import Any

from lambda_latency.alarm.message import Message, plain_text, subject_of

LONGEST_HEADER, LONGEST_SECTION = 150, 3000  # Slack's limits
LONGEST_DESCRIPTION = 4000  # of the chat service

SLACK, TEAMS, PLAIN = "slack", "teams", "plain"
FORMATS = (PLAIN, SLACK, TEAMS)


def rendered(message: Message, form: str) -> str:
    """The message as text in one of `FORMATS`; the chat formats are JSON."""
    if form == SLACK:
        return json.dumps(_slack(message), indent=1)
    return json.dumps(_teams(message), indent=1) if form == TEAMS else plain_text(message)


def topic_texts(message: Message, thread: str) -> dict[str, str]:
    """The texts of an SNS message by protocol: plain text, and for `https` a notification of AWS's chat service.

    The chat service groups messages by `thread`.
    """
    text = plain_text(message)
    return {"default": text, "email": text, "https": json.dumps(_notification(message, thread))}


def _slack(message: Message) -> dict[str, Any]:
    """Block Kit; names are only in `plain_text` objects, which have no markup, mentions or links."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(message.title, LONGEST_HEADER)}]
    blocks += [{"type": "section", "text": _plain(line)} for line in message.paragraphs]
    if message.links:
        buttons = [{"type": "button", "text": _plain(one.name, 75), "url": one.url} for one in message.links]
        blocks.append({"type": "actions", "elements": buttons})
    small = [one.note for one in message.links if one.note] + list(message.facts)
    if small:
        blocks.append({"type": "context", "elements": [_plain(one, 2000) for one in small[:10]]})
    return {"text": _escaped(message.title), "blocks": blocks}


def _plain(text: str, longest: int = LONGEST_SECTION) -> dict[str, Any]:
    return {"type": "plain_text", "text": _escaped(text)[:longest], "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: Message) -> dict[str, Any]:
    """An Adaptive Card; a TextRun, unlike a TextBlock, has no markup."""
    body = [_run(message.title, weight="Bolder", size="Medium"), *map(_run, message.paragraphs)]
    small = [one.note for one in message.links if one.note] + list(message.facts)
    body += [_run(one, isSubtle=True, size="Small") for one in small]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": one.name, "url": one.url} for one in message.links],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _run(text: str, **look: object) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _notification(message: Message, thread: str) -> dict[str, Any]:
    said = [*(line for told in message.findings for line in told.lines), *message.lines]
    lines = [*said, *(f"{one.name}: {one.url} {one.note}".strip() for one in message.links), *message.facts]
    description = "\n".join(_unmarked(line) for line in lines)[:LONGEST_DESCRIPTION]
    content: dict[str, Any] = {"textType": "client-markdown", "title": subject_of(message), "description": description}
    steps = [step for told in message.findings for step in told.steps]
    if steps:
        content["nextSteps"] = [_unmarked(step) for step in steps]
    return {"version": "1.0", "source": "custom", "content": content, "metadata": {"threadId": thread}}


def _unmarked(text: str) -> str:
    """The text without markup characters, which Slack and Teams interpret differently."""
    return text.translate(str.maketrans("*`~|", "\u2217'\u223c\u2223"))
