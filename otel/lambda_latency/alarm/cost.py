"""The cost of a message: traces read, bytes scanned, the function's time, requests to S3, SNS and EventBridge.

AWS's free monthly quantities are not taken off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from lambda_latency.prices import read_prices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_latency.alarm.evidence import Evidence
    from lambda_latency.prices import Prices

BILLION, MILLION, THOUSAND = Decimal(10**9), Decimal(10**6), Decimal(10**3)
ONE_PROCESSOR_MB = 1769


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer to a change of an alarm takes. `page_bytes` are kept for a month."""

    traces: int = 0
    scanned_bytes: Decimal = Decimal(0)
    gb_seconds: Decimal = Decimal(0)
    invocations: int = 1
    s3_writes: int = 0
    s3_reads: int = 0
    page_bytes: int = 0
    mails: int = 1

    def dollars(self, prices: Prices, processor: str) -> Mapping[str, Decimal]:
        """The cost in US dollars by service, without free quantities."""
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
    """The GB-seconds of measured times: below 1,769 MB a function has a share of a processor."""
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
    """A sentence with the cost of a message in US dollars.

    `like`: `RING` or `END`; `ran`: the GB-seconds of the function so far.
    """
    prices = read_prices(evidence.region)
    spent = replace(like, traces=evidence.traces, scanned_bytes=Decimal(evidence.billed), gb_seconds=ran)
    whole = sum(spent.dollars(prices, processor).values(), Decimal(0))
    scanned = f", {evidence.billed / BILLION:,.2f} GB scanned" if evidence.billed else ""
    return f"This message cost about ${whole:,.4f}: {evidence.traces:,} traces scanned or read{scanned}."
