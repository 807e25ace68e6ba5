"""Answers one state change of an alarm: explains it, and delivers the message to each sink once, with what it cost."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from lambda_latency.alarm.event import Alarm
from lambda_latency.alarm.evidence import Evidence, Fetches, fetched, recent
from lambda_latency.alarm.explanation import Explanation, explain, mean_ns
from lambda_latency.alarm.message import Hyperlink, Message, clock, message_of, short_message
from lambda_latency.alarm.records import Records
from lambda_latency.latency import DEFAULT_OPTIONS, AnalysisOptions
from lambda_latency.prices import Prices, read_prices
from lambda_latency.text import Style, clean

BILLION, MILLION, THOUSAND = Decimal(10**9), Decimal(10**6), Decimal(10**3)
ONE_PROCESSOR_MB = 1769
Sink = Callable[[Message, "Alarm"], None]
HOUR_NS = 3600 * 1_000_000_000
FOLD_NS = HOUR_NS  # a repeat gets a short message
UNTRACED = "No request of the alarm's window was traced: the sampling rules selected none, or tracing is off."
MOST_AN_HOUR = 12  # explanations of a flapping alarm


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers state changes of alarms.

    `sinks`: the receivers of messages, by name. `page` stores an explanation's page and returns the link. `left_s`
    returns the seconds that are left; `ran` the GB-seconds of the function so far and its processor.
    """

    account: Fetches
    records: Records
    sinks: Mapping[str, Sink]
    page: Callable[[Explanation], Hyperlink | None]
    left_s: Callable[[], float]
    ran: Callable[[], tuple[Decimal, str]] = lambda: (Decimal(0), "arm64")
    analysis_options: AnalysisOptions = DEFAULT_OPTIONS

    def answer(self, alarm: Alarm) -> Message | None:
        """Sends the message of a change to each sink that has not received it; None if there is nothing to send.

        Raises `BusyError` if another environment handles the change, and a sink's error after serving the others.
        """
        if not (alarm.rings or alarm.previous == "ALARM"):
            return None
        served = self.records.claim(alarm.identity)
        if served is None:
            return None
        folder = Path(tempfile.mkdtemp(prefix="alarm-"))
        try:
            message = self._explained(alarm, folder) if alarm.rings else self._ended(alarm, folder)
            failed: Exception | None = None
            for name, sink in self.sinks.items():
                if name in served:
                    continue
                try:
                    sink(message, alarm)
                except Exception as error:  # noqa: BLE001 - the other sinks are served first; raised below
                    failed = error
                    continue
                served |= {name}
                self.records.save(alarm.identity, served, done=served >= self.sinks.keys())
            if failed is not None:
                raise failed
        except Exception:
            self.records.release(alarm.identity, served)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return message

    def _explained(self, alarm: Alarm, folder: Path) -> Message:
        previous = self.records.change(f"alarm {alarm.name}", lambda record: _with_ring(record, alarm))
        if len(_recent_rings_ns(previous, alarm)) >= MOST_AN_HOUR:
            cause = f"last time it was {previous['cause']}" if previous.get("cause") else "no cause was found"
            rings = f"The alarm rang more than {MOST_AN_HOUR} times within an hour"
            return short_message(alarm, "rings again", f"{rings} and is not explained this time: {cause}.")
        evidence = fetched(self.account, alarm, folder, self.left_s)
        if not (evidence.chosen or evidence.sample):
            facts = [alarm.reason, *self._cost(evidence, RING)]
            return short_message(alarm, "the cause is not known", *(evidence.lacks or [UNTRACED]), facts=facts)
        explanation = explain(alarm, evidence, self.analysis_options)
        self.records.change(f"alarm {alarm.name}", lambda record: _with_cause(record, explanation))
        cost = self._cost(evidence, RING)
        if explanation.cause is not None:
            name = f"cause {explanation.cause.label}"
            reported = self.records.change(name, lambda record: _last_report(record, alarm))
            if _is_repeat(reported, alarm):
                return _repeated(explanation, reported, cost)
        link = self.page(explanation)
        return message_of(explanation, links=[link] if link is not None else [], facts=cost)

    def _ended(self, alarm: Alarm, folder: Path) -> Message:
        record = self.records.read(f"alarm {alarm.name}")
        how = "is over" if alarm.state == "OK" else "no longer has data"
        cause, then_ns = record.get("cause"), record.get("cause_ns")
        if not cause or not then_ns or record.get("unexplained"):
            return short_message(alarm, how)
        evidence = recent(self.account, alarm, folder)
        current_ns, requests = mean_ns(evidence.sample, cause, self.analysis_options)
        if not requests:
            return short_message(alarm, how, f"The cause was {cause}.", *evidence.lacks)
        during, since = f"{then_ns / 1e6:,.0f} ms", f"{current_ns / 1e6:,.0f} ms"
        times = f"{during} on average in slow requests during the alarm, {since} in the {requests:,} traced since"
        return short_message(alarm, how, f"{cause}: {times}.", facts=self._cost(evidence, END))

    def _cost(self, evidence: Evidence, like: Spent) -> list[str]:
        return [cost_fact(evidence, like, *self.ran())]


def _recent_rings_ns(record: Mapping[str, Any], alarm: Alarm) -> list[int]:
    return [ns for ns in record.get("explained", ()) if 0 <= alarm.at_ns - ns < HOUR_NS]


def _with_ring(record: dict[str, Any], alarm: Alarm) -> dict[str, Any]:
    explained = _recent_rings_ns(record, alarm)
    if len(explained) < MOST_AN_HOUR:
        explained.append(alarm.at_ns)
    return {**record, "explained": explained, "unexplained": True}  # until `_with_cause`


def _with_cause(record: dict[str, Any], explanation: Explanation) -> dict[str, Any]:
    return {**record, "cause": explanation.name, "cause_ns": explanation.cause_ns, "unexplained": False}


def _is_repeat(record: Mapping[str, Any], alarm: Alarm) -> bool:
    """Return whether a cause's last full message was sent within `FOLD_NS` before the change."""
    return bool(0 <= alarm.at_ns - record.get("at_ns", 0) < FOLD_NS)


def _last_report(record: dict[str, Any], alarm: Alarm) -> dict[str, Any]:
    """Return the record of a cause's last full message; a repeat does not change it."""
    return record if record and _is_repeat(record, alarm) else {"at_ns": alarm.at_ns, "alarm": alarm.name}


def _repeated(explanation: Explanation, reported: Mapping[str, Any], cost: Sequence[str]) -> Message:
    alarm, ns = explanation.alarm, explanation.cause_ns
    other_alarm = reported.get("alarm")
    by = "" if other_alarm == alarm.name else f" ({clean(str(other_alarm), Style())})"
    mean = f", {ns / 1e6:,.0f} ms on average" if ns else ""
    sentence = f"The same cause as at {clock(reported['at_ns'])}{by}: {explanation.name}{mean}."
    return short_message(alarm, explanation.name, sentence, *explanation.lacks, facts=cost)


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer to a change of an alarm takes: traces read, bytes scanned, the function's time, other requests.

    `page_bytes` are stored for a month.
    """

    traces: int = 0
    scanned_bytes: Decimal = Decimal(0)
    gb_seconds: Decimal = Decimal(0)
    invocations: int = 1
    s3_writes: int = 0
    s3_reads: int = 0
    page_bytes: int = 0
    mails: int = 1

    def dollars(self, prices: Prices, processor: str) -> Mapping[str, Decimal]:
        """Return the cost in US dollars by service, without AWS's free monthly quantities."""
        s3 = (self.s3_writes * prices.s3_writes_thousand + self.s3_reads * prices.s3_reads_thousand) / THOUSAND
        return {
            "X-Ray": self.traces * prices.traces_read_million / MILLION,
            "Logs Insights": self.scanned_bytes / BILLION * prices.logs_scanned_gb,
            "Lambda": self.gb_seconds * prices.gb_second(processor)
            + self.invocations * prices.lambda_requests_million / MILLION,
            "S3": s3 + self.page_bytes / BILLION * prices.s3_gb_month,
            "SNS": (self.invocations * prices.sns_requests_million + self.mails * prices.sns_mails_million) / MILLION,
            "EventBridge": self.invocations * prices.service_events_million / MILLION,
        }


# docs/alarm.json, which `python -m lab alarm-cost` writes; times are milliseconds of a whole processor.
MEASURED = {
    "cold_ms": 536,
    "ring_ms": 834,
    "end_ms": 249,
    "ring_traces": 1181,
    "end_traces": 350,
    "page_bytes": 1743020,
}


def _gb_seconds(*names: str) -> Decimal:
    """Return the GB-seconds of measured times: below 1,769 MB a function has a share of a processor."""
    return sum((Decimal(MEASURED[name]) for name in names), Decimal(0)) / THOUSAND * ONE_PROCESSOR_MB / 1024


# Writes and reads are those of the records and of the page. Each answer is a cold start, because alarms are rare.
RING = Spent(
    MEASURED["ring_traces"],
    gb_seconds=_gb_seconds("cold_ms", "ring_ms"),
    s3_writes=6,
    s3_reads=3,
    page_bytes=MEASURED["page_bytes"],
)
END = Spent(MEASURED["end_traces"], gb_seconds=_gb_seconds("cold_ms", "end_ms"), s3_writes=2, s3_reads=1)


def cost_fact(evidence: Evidence, like: Spent, ran: Decimal, processor: str) -> str:
    """Return a sentence with the cost of a message in US dollars.

    `like`: `RING` or `END`; `ran`: the GB-seconds of the function so far.
    """
    prices = read_prices(evidence.region)
    spent = replace(like, traces=evidence.traces, scanned_bytes=Decimal(evidence.billed), gb_seconds=ran)
    whole = sum(spent.dollars(prices, processor).values(), Decimal(0))
    scanned = f", {evidence.billed / BILLION:,.2f} GB scanned" if evidence.billed else ""
    return f"This message cost about ${whole:,.4f}: {evidence.traces:,} traces scanned or read{scanned}."
