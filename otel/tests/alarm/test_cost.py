"""What explanations cost: by hand, by what was measured, and by what the code asks of S3."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from lambda_latency.alarm import answer
from lambda_latency.alarm.answer import MEASURED, Spent
from lambda_latency.prices import read_prices
from tests.alarm.conftest import Ringing
from tests.alarm.test_answer import AT_NS, BEGIN_S, rung, slow_provider

ROOT = Path(__file__).parents[3]


def test_what_is_charged_is_what_was_measured() -> None:
    """In docs/alarm.json."""
    measured = json.loads((ROOT / "docs" / "alarm.json").read_text())
    assert {name: measured[name] for name in MEASURED} == MEASURED


def test_the_page_about_alarms_has_the_figures() -> None:
    """As they were measured, rounded."""
    measured = json.loads((ROOT / "docs" / "alarm.json").read_text())
    seconds = {name: f"{measured[name] / 1000:.2f} s" for name in ("cold_ms", "ring_ms", "end_ms")}
    whole = explanation()
    gb_seconds = answer.RING.gb_seconds + answer.END.gb_seconds
    page = (ROOT / "docs" / "how-to" / "explain-alarms.md").read_text()
    figures = [
        f"| {measured['ring_traces']:,} for an alarm, {measured['end_traces']:,} for its end; ",
        f"| {seconds['cold_ms']} for each of the two |",
        f"| {seconds['ring_ms']} for an alarm, {seconds['end_ms']} for its end; with the cold starts ",
        f"with the cold starts {gb_seconds:.1f} GB-s at 1,024 MB",
        f"| memory | {measured['peak_mb']} MB of 1,024;",
        f"a page of {measured['page_bytes'] / 1e6:.1f} MB",
        *(f"| ${whole[service]:.5f} |" for service in ("X-Ray", "Lambda", "S3", "SNS")),
    ]
    assert [figure for figure in figures if figure not in page] == []


def test_one_explanation_is_the_one_worked_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a ten-millionth of a dollar, each service."""
    usual(monkeypatch)
    costs = explanation()
    assert {service: f"{dollars:.7f}" for service, dollars in costs.items()} == {
        "X-Ray": "0.0007500",  # 1,500 traces x $0.50 / M
        "Logs Insights": "0.0000000",
        "Lambda": "0.0000404",  # 3 GB-s x 0.0000133334, and 2 x $0.20 / M
        "S3": "0.0000876",  # 8 writes x $0.005 / 1,000, 4 reads x $0.0004 / 1,000, 2 MB x 0.023
        "SNS": "0.0000410",  # 2 x $0.50 / M, 2 mails x $20 / M
        "EventBridge": "0.0000000",
    }


def test_the_bytes_that_logs_insights_scans_have_a_price() -> None:
    """Where Transaction Search is on; Ireland: 10 GB x 0.0057."""
    costs = Spent(scanned_bytes=Decimal(10**10)).dollars(read_prices("eu-west-1"), "arm64")
    assert (f"{costs['X-Ray']:.4f}", f"{costs['Logs Insights']:.4f}") == ("0.0000", "0.0570")


def test_the_requests_to_s3_are_those_of_the_code(ringing: Callable[..., Ringing]) -> None:
    """For a whole message and for the end."""
    alarm = ringing(slow_provider())
    alarm(rung())
    assert alarm.bucket.calls == {"PutObject": answer.RING.s3_writes, "GetObject": answer.RING.s3_reads}
    alarm.bucket.calls.clear()
    alarm(rung(state="OK", previous="ALARM", at_ns=AT_NS + 900 * 10**9, begin_ns=BEGIN_S * 10**9))
    assert alarm.bucket.calls == {"PutObject": answer.END.s3_writes, "GetObject": answer.END.s3_reads}


def explanation() -> dict[str, Decimal]:
    """The cost of explaining an alarm and its end, by service."""
    ring, end = (spent.dollars(read_prices(), "arm64") for spent in (answer.RING, answer.END))
    return {service: ring[service] + end[service] for service in ring}


def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an explanation takes as the cases by hand have it: a later measurement does not change them."""
    ring = Spent(1200, gb_seconds=Decimal(2), s3_writes=6, s3_reads=3, page_bytes=2_000_000)
    monkeypatch.setattr("lambda_latency.alarm.answer.RING", ring)
    monkeypatch.setattr("lambda_latency.alarm.answer.END", Spent(300, gb_seconds=Decimal(1), s3_writes=2, s3_reads=1))
