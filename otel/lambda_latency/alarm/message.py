"""The message of an alarm, and its plain text for mail and terminal. Names from traces are untrusted input."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from lambda_latency.alarm.event import Alarm
from lambda_latency.alarm.explanation import Explanation, Told
from lambda_latency.fetch import console
from lambda_latency.latency import trace_name
from lambda_latency.text import Style, clean

LONGEST_SUBJECT = 100  # limit of SNS; ASCII, no control characters
LONGEST_LINE = 600
WIDTH = 80


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the message: label, URL and note."""

    name: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message: `title` is one line, `findings` have sentences and next steps, `lines` are sentences after them, and
    `facts` details in small print."""

    title: str
    lines: tuple[str, ...]
    findings: tuple[Told, ...] = ()
    links: tuple[Link, ...] = ()
    facts: tuple[str, ...] = ()
    rings: bool = True

    @property
    def paragraphs(self) -> list[str]:
        """All sentences in their order: each finding with its next steps, then the others."""
        found = [[*one.lines, *(f"Next: {step}" for step in one.steps)] for one in self.findings]
        return [*(line for each in found for line in each), *self.lines]


def message_of(one: Explanation, *, links: Sequence[Link] = (), facts: Sequence[str] = ()) -> Message:
    """The message of a whole explanation."""
    alarm = one.alarm
    about = harmless(one.name) if one.name else "no cause found in the traces"
    findings = [Told(*(tuple(map(harmless, texts)) for texts in told)) for told in one.findings]
    lines = [f"Not known: {harmless(line)}" for line in one.lacks]
    shown, traces = [], []
    if one.trace_id is not None:
        name = trace_name(one.trace_id, one.trace_start_ns)
        shown = [f"A request that shows it: {name}."]
        traces = [Link("The request in the console", f"{console(alarm.region)}{name}")] if alarm.region else []
        traces += _log_links(one)
    return Message(
        title=f"{harmless(alarm.name)}: {about}",
        lines=(*lines, *shown),
        findings=tuple(findings),
        links=(*links, *traces),
        facts=(f"{_when(alarm)} {harmless(alarm.reason)}".strip(), *map(harmless, one.read), *facts),
    )


def _log_links(one: Explanation) -> list[Link]:
    """The log lines of the request that shows the cause, as a query of Logs Insights."""
    logs = {found.trace_id: found.log for found in one.report.diagnoses.values() if found.log is not None}
    log = logs.get(one.trace_id or "")
    region = log.region or one.alarm.region if log is not None else ""
    if log is None or not region:
        return []
    return [
        Link("Its log lines (a query of Logs Insights)", log.link_in(region), harmless(f"{log.group}: {log.query}"))
    ]


def short_message(alarm: Alarm, title: str, *lines: str, facts: Sequence[str] = ()) -> Message:
    """A message without a new verdict: a repeat, an end, or an unknown cause."""
    said = tuple(harmless(line) for line in lines)
    return Message(f"{harmless(alarm.name)}: {harmless(title)}", said, facts=(_when(alarm), *facts), rings=alarm.rings)


def plain_text(message: Message, width: int = WIDTH) -> str:
    """The message in lines of at most `width` characters; each URL has a line of its own."""
    blocks = ["\n".join(_wrapped(line, width)) for line in (message.title, *message.paragraphs)]
    for link in message.links:
        note = [*_wrapped(link.note, width)] if link.note else []
        blocks.append("\n".join([f"{link.name}:", link.url, *note]))
    blocks.append("\n".join(line for fact in message.facts for line in _wrapped(fact, width)))
    return "\n\n".join(block for block in blocks if block) + "\n"


def subject_of(message: Message) -> str:
    """The title as a subject of SNS: at most 100 ASCII characters."""
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in message.title).strip()
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 3]}..."


def clock(ns: int) -> str:
    """An instant (nanoseconds since 1970) as `2026-11-25 10:02 UTC`."""
    return datetime.fromtimestamp(ns // 1_000_000_000, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def harmless(text: str) -> str:
    """The text on one line of limited length, in which mail and chat programs find no URL, mention or markup."""
    plain = clean(text.replace("\n", " "), Style())
    plain = re.sub(r"(?i)\b([a-z][a-z0-9+.-]*):(?=//)", r"\1[:]", plain)
    plain = re.sub(r"(?i)\b(www)\.", r"\1[.]", plain)
    plain = re.sub(r"(?i)\b(mailto|javascript|data|tel):(?=\S)", r"\1[:]", plain)
    plain = plain.replace("](", "] (").replace("<", "\u2039").replace(">", "\u203a")
    return plain if len(plain) <= LONGEST_LINE else f"{plain[: LONGEST_LINE - 3]}..."


def _when(alarm: Alarm) -> str:
    if not alarm.state:  # a requested time without an alarm
        return f"From {clock(alarm.begin_ns)} to {clock(alarm.at_ns)}."
    before = f", before that {alarm.previous}" if alarm.previous else ""
    return f"{alarm.state} since {clock(alarm.at_ns)}{before}."


def _wrapped(text: str, width: int) -> list[str]:
    """The text in lines, broken at spaces; a word longer than a line is split."""
    return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)
