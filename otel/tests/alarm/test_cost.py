"""What explanations cost: by hand, by what was measured, and by what the code asks of S3."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.alarm import END, MEASURED, RING, a_month, explanation
from lambda_latency.alarm.cost import Spent
from lambda_latency.cli import main
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
    whole = explanation(read_prices(), "arm64")
    gb_seconds = RING.gb_seconds + END.gb_seconds
    page = (ROOT / "docs" / "how-to" / "explain-alarms.md").read_text()
    wanted = [
        f"| {measured['ring_traces']:,} for an alarm, {measured['end_traces']:,} for its end; ",
        f"| {seconds['cold_ms']} for each of the two |",
        f"| {seconds['ring_ms']} for an alarm, {seconds['end_ms']} for its end; with the cold starts ",
        f"with the cold starts {gb_seconds:.1f} GB-s at 1,024 MB",
        f"| memory | {measured['peak_mb']} MB of 1,024;",
        f"a page of {measured['page_bytes'] / 1e6:.1f} MB",
        *(f"| ${whole[service]:.5f} |" for service in ("X-Ray", "Lambda", "S3", "SNS")),
    ]
    assert [one for one in wanted if one not in page] == []


def test_one_explanation_is_the_one_worked_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a ten-millionth of a dollar, each service."""
    usual(monkeypatch)
    found = explanation(read_prices(), "arm64")
    assert {service: f"{dollars:.7f}" for service, dollars in found.items()} == {
        "X-Ray": "0.0007500",  # 1,500 traces x $0.50 / M
        "Logs Insights": "0.0000000",
        "Lambda": "0.0000404",  # 3 GB-s x 0.0000133334, and 2 x $0.20 / M
        "S3": "0.0000876",  # 8 writes x $0.005 / 1,000, 4 reads x $0.0004 / 1,000, 2 MB x 0.023
        "SNS": "0.0000410",  # 2 x $0.50 / M, 2 mails x $20 / M
        "EventBridge": "0.0000000",
    }


def test_a_month_is_the_one_worked_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """3,000 explanations, to the cent: a million traces and a thousand mails are free."""
    usual(monkeypatch)
    found = a_month(Decimal(3000), read_prices(), "arm64")
    assert {service: f"{dollars:.2f}" for service, dollars in found.items()} == {
        "X-Ray": "1.75",  # 4.5 M - 1 M = 3.5 M x $0.50 / M
        "Logs Insights": "0.00",
        "Lambda": "0.12",  # 3,000 x 0.0000404
        "S3": "0.26",  # 3,000 x 0.0000876
        "SNS": "0.10",  # 6,000 - 1,000 = 5,000 mails x $20 / M
        "EventBridge": "0.00",
    }
    read = a_month(Decimal(3000), read_prices(), "arm64", read=Decimal(1_000_000))
    assert f"{read['X-Ray']:.2f}" == "2.25"  # the free ones are used up


def test_logs_insights_takes_the_place_of_x_ray() -> None:
    """Where Transaction Search is on; Ireland: 10 GB x 0.0057."""
    found = explanation(read_prices("eu-west-1"), "arm64", scanned_bytes=Decimal(10**10))
    assert (str(found["X-Ray"]), f"{found['Logs Insights']:.4f}") == ("0", "0.0570")


def test_the_requests_to_s3_are_those_of_the_code(ringing: Callable[..., Ringing]) -> None:
    """For a whole message and for the end."""
    alarm = ringing(slow_provider())
    asked: Counter[str] = Counter()
    for name in ("put_object", "get_object"):
        count(alarm.bucket, name, asked)
    alarm(rung())
    assert (asked["put_object"], asked["get_object"]) == (RING.s3_writes, RING.s3_reads)
    asked.clear()
    alarm(rung(state="OK", previous="ALARM", at_ns=AT_NS + 900 * 10**9, begin_ns=BEGIN_S * 10**9))
    assert (asked["put_object"], asked["get_object"]) == (END.s3_writes, END.s3_reads)


def test_the_command_says_what_explanations_cost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One, and a month of them, with the prices; JSON has the same."""
    usual(monkeypatch)
    assert main(["cost", "--explanations", "3000", "--region", "us-west-2"]) == 0
    assert capsys.readouterr().out.partition("\n\nExplaining ")[2] == (
        "an alarm and its end costs $0.0009: X-Ray 0.00075, Lambda 0.00004, S3 0.00009, SNS 0.00004.\n"
        "3,000 a month cost $2.23 beyond the free quantities.\n"
        "Prices: public list prices of us-west-2, 2026-08-08 to 2026-08-31 (traces read, invocations, S3 writes, "
        "S3 reads, S3 storage, SNS and Lambda); public list prices of us-east-1, 2026-05-29 to 2026-10-08 "
        "(mail and events). Of us-west-2 the list lacks mail and events.\n"
    )
    assert main(["cost", "--explanations", "30", "--transaction-search", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["explanations"]
    # A million requests a month are all traced: 0.38580 a second x 8 x 1,500 bytes x (300 + 300 + 3,600 + 300) s.
    assert (told["count"], told["scanned_bytes"]) == (30, 20_833_333)
    assert told["one"]["Logs Insights"] == 0.0001042


def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an explanation takes as the cases by hand have it: a later measurement does not change them."""
    ring = Spent(1200, gb_seconds=Decimal(2), s3_writes=6, s3_reads=3, page_bytes=2_000_000)
    monkeypatch.setattr("lambda_latency.alarm.cost.RING", ring)
    monkeypatch.setattr("lambda_latency.alarm.cost.END", Spent(300, gb_seconds=Decimal(1), s3_writes=2, s3_reads=1))


def count(bucket: Any, name: str, asked: Counter[str]) -> None:
    """Counts the calls of a bucket's operation."""
    call = getattr(bucket, name)

    def counted(**more: Any) -> Any:
        asked[name] += 1
        return call(**more)

    setattr(bucket, name, counted)
