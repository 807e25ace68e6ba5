"""Draws the messages of an alarm for the docs: mail, Slack and plain text at 80 columns, as SVG.

The messages are those of the function's own code about a slow provider in
a stand-in for X-Ray; a test draws them again and compares.
"""

import json
import os
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from lambda_latency.alarm import explain, fetched, message_of, plain_text, read_event, rendered
from lambda_latency.fetch import Account, Place
from tests.alarm.cloud import REGION
from tests.alarm.conftest import Ringing
from tests.alarm.test_answer import rung, slow_provider
from tests.fetch.standin import KNOWN
from tests.latency.system import THEIRS

FOLDER = Path(__file__).parents[3] / "docs" / "how-to"
COLUMNS = 80
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SANS = "-apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
SIZE, LINE = 13, 19  # of a text in pixels
LETTER = 7.83  # the width of a monospaced letter of that size
WIDTH = 2 * 24 + round(COLUMNS * LETTER)


def main() -> int:
    """Write the pictures."""
    os.environ.update(AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="secret", NO_PROXY="*")
    for name, picture in drawn().items():
        (FOLDER / name).write_text(picture)
        print(f"docs/how-to/{name}: {len(picture) / 1000:.0f} kB")
    return 0


def drawn() -> dict[str, str]:
    """The pictures by file name, from messages that are made now."""
    xray = slow_provider()
    account, alarm = Account(Place(region=REGION, endpoint_url=xray.url)), read_event(rung())
    try:
        ringing = Ringing(account)
        message = ringing(rung())
        with tempfile.TemporaryDirectory(prefix="pictures-") as folder:  # as `lambda-latency report --alarm` does
            plain = message_of(explain(alarm, fetched(account, alarm, Path(folder), lambda: 60.0), THEIRS))
    finally:
        xray.close()
    assert message is not None
    [sent] = ringing.topic.published
    return {
        "alarm-mail.svg": _mail(sent["Subject"], sent["Message"]["email"]),
        "alarm-slack.svg": _slack(json.loads(rendered(message, "slack"))),
        "alarm-plain.svg": _plain(plain_text(plain)),
    }


@dataclass
class Canvas:
    """An SVG picture from top to bottom."""

    title: str
    background: str
    ink: str
    parts: list[str] = field(default_factory=list)
    y: int = 0

    def box(self, height: int, fill: str) -> None:
        """A bar over the whole width, which the next texts stand on."""
        self.parts.append(f'<rect y="{self.y}" width="{WIDTH}" height="{height}" fill="{fill}"/>')

    def text(self, text: str, *, font: str = MONO, fill: str = "", size: int = SIZE, bold: bool = False) -> None:
        """A line of text."""
        self.y += round(LINE * size / SIZE)
        if text:
            look = f' fill="{fill}"' if fill else ""
            look += f' font-size="{size}"' if size != SIZE else ""
            look += ' font-weight="bold"' if bold else ""
            family = f' font-family="{SANS}"' if font == SANS else ""
            self.parts.append(f'<text x="24" y="{self.y}"{family}{look} xml:space="preserve">{escape(text)}</text>')

    def svg(self) -> str:
        """The whole picture."""
        height = self.y + 20
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
            f'role="img" aria-label="{escape(self.title)}" font-family="{MONO}" font-size="{SIZE}" '
            f'fill="{self.ink}">\n'
            f'<rect width="{WIDTH}" height="{height}" rx="6" fill="{self.background}" stroke="#d0d7de"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


def _mail(subject: str, body: str) -> str:
    canvas = Canvas("The message of an alarm as a mail", "#ffffff", "#1f2328")
    canvas.box(68, "#f3f4f6")
    canvas.y = 8
    canvas.text(subject, font=SANS, size=16, bold=True)
    canvas.text("AWS Notifications, by the SNS topic of the alarms", font=SANS, fill="#59636e")
    canvas.y = 76
    for line in _lines(body):
        canvas.text(line)
    return canvas.svg()


def _plain(text: str) -> str:
    canvas = Canvas("The message of an alarm in a terminal", "#16191f", "#d6dae0")
    canvas.y = 8
    canvas.text("$ lambda-latency report --alarm shop-SlowAlarm", fill="#7ee787")
    for line in _lines(text):
        canvas.text(line)
    return canvas.svg()


def _lines(text: str) -> Iterator[str]:
    """The lines of a text, cut where a terminal would."""
    for line in text.rstrip("\n").split("\n"):
        yield from (line[start : start + COLUMNS] for start in range(0, max(1, len(line)), COLUMNS))


def _slack(document: Mapping[str, Any]) -> str:
    canvas = Canvas("The message of an alarm in Slack", "#ffffff", "#1d1c1d")
    canvas.y = 8
    for block in document["blocks"]:
        if block["type"] == "header":
            canvas.text(_said(block["text"]), font=SANS, size=18, bold=True)
        elif block["type"] == "section":
            canvas.y += 8
            _paragraph(canvas, _said(block["text"]), 88)
        elif block["type"] == "actions":
            _buttons(canvas, block["elements"])
        elif block["type"] == "context":
            for element in block["elements"]:
                canvas.y += 6
                _paragraph(canvas, _said(element), 100, size=11, fill="#616061")
        else:
            raise ValueError(f"no picture of a block {block['type']!r}")
    return canvas.svg()


def _paragraph(canvas: Canvas, text: str, columns: int, **look: Any) -> None:
    for line in textwrap.wrap(text, columns):
        canvas.text(line, font=SANS, **look)


def _buttons(canvas: Canvas, buttons: Sequence[Mapping[str, Any]]) -> None:
    canvas.y += 10
    x = 24
    for button in buttons:
        label = _said(button["text"])
        width = 24 + round(len(label) * 7.2)
        canvas.parts.append(
            f'<rect x="{x}" y="{canvas.y}" width="{width}" height="30" rx="4" fill="#ffffff" stroke="#bbbabb"/>'
            f'<text x="{x + width // 2}" y="{canvas.y + 20}" text-anchor="middle" font-family="{SANS}" '
            f'font-weight="bold">{escape(label)}</text>'
        )
        x += width + 10
    canvas.y += 32


def _said(text: Mapping[str, str]) -> str:
    """A `plain_text` object as Slack shows it."""
    assert text["type"] == "plain_text"
    return text["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
