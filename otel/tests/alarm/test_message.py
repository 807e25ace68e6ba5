"""Messages for mail and chat: names in traces are not to be trusted, and limits of others are kept."""

import json
import re
from typing import Any

import pytest

from lambda_latency.alarm.event import read_event
from lambda_latency.alarm.explanation import FindingText
from lambda_latency.alarm.message import Hyperlink, Message, harmless, plain_text, short_message, subject_of
from lambda_latency.alarm.sinks import rendered, topic_texts
from tests.alarm.cloud import change

HOSTILE = (
    "https://evil.example/login",
    "HTTP://evil.example",
    "www.evil.example",
    "javascript:alert(1)",
    "mailto:boss@example.com",
    "[click](https://evil.example)",
    "<https://evil.example|click>",
    "<!channel>",
    "<@U0123>",
    "<script>alert(1)</script>",
    "\x1b[31mred\x07",
    "\u202egnp.exe",
    "line\r\nSubject: other",
    "x" * 5000,
    "**bold** `code` ~gone~ | a | b |",
)
LINK = Hyperlink("Page", "https://pages.s3.example/a?b=c&d=e", "It lives for 12 hours.")


def message(name: str) -> Message:
    """With a hostile name wherever one may stand."""
    said = harmless(name)
    finding = FindingText((f"{said} is slow.",), (f"Ask {said}.",))
    return Message(f"shop: {said}", (f"See {said}.",), (finding,), (LINK,), (f"Read {said}.",))


def texts(value: Any) -> list[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for member in inside for text in texts(member)]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_text_in_every_form(name: str) -> None:
    """No scheme before `//`, no markup, no control character, one line, not too long. In plain text, in Slack's and
    Teams' JSON, and in what the chat service takes our address is the only one."""
    said = harmless(f"GET {name} is slow")
    assert not re.search(r"(?i)[a-z]://|www\.|javascript:\S|mailto:\S|\]\(|[<>\x00-\x1f\x7f\u202e]", said)
    assert len(said) <= 600
    hostile = message(name)
    for text in (*(rendered(hostile, form) for form in ("slack", "teams")), *topic_texts(hostile, "thread").values()):
        addresses = set(re.findall(r"https?://[^\s\"\\]+", text))
        assert addresses <= {LINK.url, "http://adaptivecards.io/schemas/adaptive-card.json"}


def test_slack_knows_no_markup_in_it() -> None:
    """All texts are plain ones, within Slack's limits."""
    blocks = json.loads(rendered(message("<!channel> & " + "x" * 9000), "slack"))["blocks"]
    kinds = re.findall(r'"type": "(plain_text|mrkdwn)"', json.dumps(blocks))
    assert set(kinds) == {"plain_text"}
    assert max(map(len, texts(blocks))) <= 3000
    assert len(blocks[0]["text"]["text"]) <= 150
    assert "<" not in json.dumps(blocks)


def test_teams_knows_no_markup_in_it() -> None:
    """Names are in runs of text, which have none."""
    card = json.loads(rendered(message("[a](b)"), "teams"))["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert [action["url"] for action in card["actions"]] == [LINK.url]


def test_the_subject_is_what_sns_takes() -> None:
    """At most 100 letters of ASCII, none of them a control character."""
    subject = subject_of(message("payments.example.com \N{SNOWMAN}\n" + "y" * 200))
    assert len(subject) == 100
    assert subject.isascii()
    assert subject.isprintable()


@pytest.mark.parametrize("width", [40, 80, 100])
def test_lines_fit_and_addresses_stay_whole(width: int) -> None:
    """An address that is broken leads nowhere."""
    lines = plain_text(message("payments.example.com"), width).splitlines()
    assert [line for line in lines if len(line) > width] == ([LINK.url] if len(LINK.url) > width else [])
    assert LINK.url in lines


def test_a_short_message_has_the_time_of_the_change() -> None:
    """And the state before."""
    alarm = read_event(change(at_ns=1_795_560_300_989_000_000, state="OK", previous="ALARM"))
    short = short_message(alarm, "is over", "payments: 1 ms")
    assert (short.title, short.lines, short.facts) == (
        "shop-SlowAlarm: is over",
        ("payments: 1 ms",),
        ("OK since 2026-11-24 22:45 UTC, before that ALARM.",),
    )
