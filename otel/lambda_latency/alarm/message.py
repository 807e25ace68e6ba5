"""The message of an alarm, its plain text for mail and terminal, and its page. Names from traces are untrusted."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from lambda_latency.alarm.event import Alarm
from lambda_latency.alarm.explanation import Explanation, FindingText
from lambda_latency.alarm.records import key_part
from lambda_latency.fetch import console
from lambda_latency.latency import trace_name
from lambda_latency.page import build_page, page_values
from lambda_latency.text import Style, clean, flat, sentence
from lambda_latency.version import VERSION

LONGEST_SUBJECT = 100  # ASCII, by SNS
LONGEST_LINE = 600
WIDTH = 80


@dataclass(frozen=True, slots=True)
class Hyperlink:
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
    findings: tuple[FindingText, ...] = ()
    links: tuple[Hyperlink, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def paragraphs(self) -> list[str]:
        """All sentences in their order: each finding with its next steps, then the others."""
        paragraphs: list[str] = []
        for finding in self.findings:
            paragraphs += [*finding.lines, *(f"Next: {step}" for step in finding.steps)]
        return [*paragraphs, *self.lines]


def message_of(explanation: Explanation, *, links: Sequence[Hyperlink] = (), facts: Sequence[str] = ()) -> Message:
    """Return the message of a whole explanation."""
    alarm, trace_id = explanation.alarm, explanation.trace_id
    about = harmless(explanation.name) if explanation.name else "no cause found in the traces"
    lines = [f"Not known: {harmless(line)}" for line in explanation.lacks]
    traces: list[Hyperlink] = []
    if trace_id is not None:
        name = trace_name(trace_id, explanation.trace_start_ns)
        lines.append(f"A request that shows it: {name}.")
        traces = [Hyperlink("The request in the console", f"{console(alarm.region)}{name}")] if alarm.region else []
        traces += _log_links(explanation)
    return Message(
        title=f"{harmless(alarm.name)}: {about}",
        lines=tuple(lines),
        findings=tuple(_harmless_finding(finding) for finding in explanation.findings),
        links=(*links, *traces),
        facts=(f"{_when(alarm)} {harmless(alarm.reason)}".strip(), *map(harmless, explanation.read), *facts),
    )


def _harmless_finding(finding: FindingText) -> FindingText:
    return FindingText(tuple(map(harmless, finding.lines)), tuple(map(harmless, finding.steps)))


def _log_links(explanation: Explanation) -> list[Hyperlink]:
    """Return the log lines of the request that shows the cause, as a query of Logs Insights."""
    diagnoses = explanation.report.diagnoses.values()
    logs = {diagnosis.trace_id: diagnosis.log for diagnosis in diagnoses if diagnosis.log is not None}
    log = logs.get(explanation.trace_id or "")
    region = log.region or explanation.alarm.region if log is not None else ""
    if log is None or not region:
        return []
    return [
        Hyperlink(
            "Its log lines (a query of Logs Insights)", log.link_in(region), harmless(f"{log.group}: {log.query}")
        )
    ]


def short_message(alarm: Alarm, title: str, *lines: str, facts: Sequence[str] = ()) -> Message:
    """Return a message without a new verdict: a repeat, an end, or an unknown cause."""
    sentences = tuple(map(harmless, lines))
    return Message(f"{harmless(alarm.name)}: {harmless(title)}", sentences, facts=(_when(alarm), *facts))


def plain_text(message: Message, width: int = WIDTH) -> str:
    """Return the message in lines of at most `width` characters; each URL has a line of its own."""
    blocks = ["\n".join(_wrapped(line, width)) for line in (message.title, *message.paragraphs)]
    for link in message.links:
        note = [*_wrapped(link.note, width)] if link.note else []
        blocks.append("\n".join([f"{link.name}:", link.url, *note]))
    blocks.append("\n".join(line for fact in message.facts for line in _wrapped(fact, width)))
    return "\n\n".join(block for block in blocks if block) + "\n"


def subject_of(message: Message) -> str:
    """Return the title as a subject of SNS: at most 100 ASCII characters."""
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in message.title).strip()
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 3]}..."


def clock(ns: int) -> str:
    """Return an instant (nanoseconds since 1970) as `2026-11-25 10:02 UTC`."""
    return datetime.fromtimestamp(ns // 1_000_000_000, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def harmless(text: str) -> str:
    """Return the text on one line of limited length, in which mail and chat programs find no URL, mention or markup."""
    plain = clean(text.replace("\n", " "), Style())
    plain = re.sub(r"(?i)\b([a-z][a-z0-9+.-]*):(?=//)", r"\1[:]", plain)
    plain = re.sub(r"(?i)\b(www)\.", r"\1[.]", plain)
    plain = re.sub(r"(?i)\b(mailto|javascript|data|tel):(?=\S)", r"\1[:]", plain)
    plain = plain.replace("](", "] (").replace("<", "\u2039").replace(">", "\u203a")
    return plain if len(plain) <= LONGEST_LINE else f"{plain[: LONGEST_LINE - 3]}..."


def _when(alarm: Alarm) -> str:
    previous = f", before that {alarm.previous}" if alarm.previous else ""
    return f"{alarm.state} since {clock(alarm.at_ns)}{previous}."


def _wrapped(text: str, width: int) -> list[str]:
    """Return the text in lines, broken at spaces; a word longer than a line is split."""
    return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


LINK_HOURS = 12


def command_of(explanation: Explanation) -> str:
    """Return the command that explains the same alarm again, in a terminal."""
    alarm = explanation.alarm
    words = f"{shlex.quote(alarm.name)} --until {_iso(alarm.at_ns)} --region {alarm.region}"
    return f"lambda-latency report --alarm {words}"


def page_of(explanation: Explanation) -> str:
    """Return the HTML page of an explanation."""
    report = explanation.report
    values, spans = page_values(report, explanation.find, command=command_of(explanation), version=VERSION)
    return build_page(values, spans, flat(sentence(report, Style())))


def put_page(s3: Any, bucket: str, explanation: Explanation) -> Hyperlink:
    """Stores the page in a bucket, and returns its link. Raises boto3's error."""
    alarm = explanation.alarm
    key = f"pages/{key_part(alarm.name)[:100]}/{_iso(alarm.at_ns)}.html"
    page = page_of(explanation).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=page, ContentType="text/html; charset=utf-8")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=LINK_HOURS * 3600)
    note = (
        f"The link is valid for {LINK_HOURS} hours at most, or until the session of the function's role ends. "
        f"To create the page again: {command_of(explanation)} --html page.html"
    )
    return Hyperlink("Page", url, note)


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
