"""Answers one state change of an alarm: explains it, and delivers the message to each sink once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from lambda_latency.alarm.cost import END, RING, Spent, cost_fact
from lambda_latency.alarm.event import Alarm
from lambda_latency.alarm.evidence import Evidence, Fetches, fetched, recent
from lambda_latency.alarm.explanation import Explanation, explain, mean_ns
from lambda_latency.alarm.message import Link, Message, clock, message_of, short_message
from lambda_latency.alarm.records import Records
from lambda_latency.latency import USUAL, Terms
from lambda_latency.text import Style, clean

Sink = Callable[[Message, "Alarm"], None]
HOUR_NS = 3600 * 1_000_000_000
FOLD_NS = HOUR_NS  # a repeated cause within this time gets a short message
UNTRACED = "No request of the alarm's window was traced: the sampling rules selected none, or tracing is off."
MOST_AN_HOUR = 12  # explanations per alarm: a flapping alarm is not explained each time


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers state changes of alarms.

    `sinks`: the receivers of messages, by name. `page` stores an explanation's page and returns the link. `left_s`
    returns the seconds that are left; `ran` the GB-seconds of the function so far and its processor.
    """

    account: Fetches
    records: Records
    sinks: Mapping[str, Sink]
    page: Callable[[Explanation], Link | None]
    left_s: Callable[[], float]
    ran: Callable[[], tuple[Decimal, str]] = lambda: (Decimal(0), "arm64")
    terms: Terms = USUAL

    def answer(self, alarm: Alarm) -> Message | None:
        """Sends the message of a change to each sink that has not received it; None if there is nothing to send.

        Raises `BusyError` if another environment handles the change, and a sink's error after serving the others.
        """
        if not (alarm.rings or alarm.previous == "ALARM"):
            return None
        heard = self.records.claim(alarm.identity)
        if heard is None:
            return None
        folder = Path(tempfile.mkdtemp(prefix="alarm-"))
        try:
            message = self._rung(alarm, folder) if alarm.rings else self._ended(alarm, folder)
            failed: Exception | None = None
            for name, sink in self.sinks.items():
                if name in heard:
                    continue
                try:
                    sink(message, alarm)
                except Exception as error:  # noqa: BLE001 - the other sinks are served first; raised below
                    failed = error
                    continue
                heard |= {name}
                self.records.told(alarm.identity, heard, done=heard >= self.sinks.keys())
            if failed is not None:
                raise failed
        except Exception:
            self.records.release(alarm.identity, heard)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return message

    def _rung(self, alarm: Alarm, folder: Path) -> Message:
        before = self.records.change(f"alarm {alarm.name}", lambda record: _counted(record, alarm))
        if len(_recent(before, alarm)) >= MOST_AN_HOUR:
            cause = f"last time it was {before['cause']}" if before.get("cause") else "no cause was found"
            said = (
                f"The alarm rang more than {MOST_AN_HOUR} times within an hour and is not explained this time: {cause}."
            )
            return short_message(alarm, "rings again", said)
        evidence = fetched(self.account, alarm, folder, self.left_s)
        if not (evidence.chosen or evidence.sample):
            return self._unexplained(alarm, evidence)
        found = explain(alarm, evidence, self.terms)
        self.records.change(f"alarm {alarm.name}", lambda record: _said(record, found))
        cost = self._cost(evidence, RING)
        if found.cause is not None:
            told = self.records.change(f"cause {found.cause.label}", lambda record: _first(record, alarm))
            if 0 <= alarm.at_ns - told.get("at_ns", 0) < FOLD_NS:
                return _folded(found, told, cost)
        link = self.page(found)
        return message_of(found, links=[link] if link is not None else [], facts=cost)

    def _unexplained(self, alarm: Alarm, evidence: Evidence) -> Message:
        lacks = evidence.lacks or [UNTRACED]
        return short_message(alarm, "the cause is not known", *lacks, facts=[alarm.reason, *self._cost(evidence, RING)])

    def _ended(self, alarm: Alarm, folder: Path) -> Message:
        record = self.records.read(f"alarm {alarm.name}")
        how = "is over" if alarm.state == "OK" else "no longer has data"
        cause, then_ns = record.get("cause"), record.get("cause_ns")
        if not cause or not then_ns or record.get("unexplained"):
            return short_message(alarm, how)
        evidence = recent(self.account, alarm, folder)
        now_ns, requests = mean_ns(evidence.sample, cause, self.terms)
        if not requests:
            return short_message(alarm, how, f"The cause was {cause}.", *evidence.lacks)
        then, now = f"{then_ns / 1e6:,.0f} ms", f"{now_ns / 1e6:,.0f} ms"
        said = f"{cause}: {then} on average in slow requests during the alarm, {now} in the {requests:,} traced since."
        return short_message(alarm, how, said, facts=self._cost(evidence, END))

    def _cost(self, evidence: Evidence, like: Spent) -> list[str]:
        return [cost_fact(evidence, like, *self.ran())]


def _recent(record: Mapping[str, Any], alarm: Alarm) -> list[int]:
    return [at for at in record.get("explained", ()) if 0 <= alarm.at_ns - at < HOUR_NS]


def _counted(record: dict[str, Any], alarm: Alarm) -> dict[str, Any]:
    explained = _recent(record, alarm)
    if len(explained) < MOST_AN_HOUR:
        explained.append(alarm.at_ns)
    return {**record, "explained": explained, "unexplained": True}  # until `_said`


def _said(record: dict[str, Any], found: Explanation) -> dict[str, Any]:
    return {**record, "cause": found.name, "cause_ns": found.cause_ns, "unexplained": False}


def _first(record: dict[str, Any], alarm: Alarm) -> dict[str, Any]:
    """The record of a cause's last full message; a repeat within `FOLD_NS` does not change it."""
    if record and 0 <= alarm.at_ns - record.get("at_ns", 0) < FOLD_NS:
        return record
    return {"at_ns": alarm.at_ns, "alarm": alarm.name}


def _folded(found: Explanation, told: Mapping[str, Any], cost: Sequence[str]) -> Message:
    by = "" if told.get("alarm") == found.alarm.name else f" ({clean(str(told.get('alarm')), Style())})"
    for_long = f", {found.cause_ns / 1e6:,.0f} ms on average" if found.cause_ns else ""
    said = f"The same cause as at {clock(told['at_ns'])}{by}: {found.name}{for_long}."
    return short_message(found.alarm, found.name, said, *found.lacks, facts=cost)
