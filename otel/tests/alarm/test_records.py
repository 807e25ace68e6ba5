"""What was said: each change is told by one, however many try at the same time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambda_latency.alarm.records import LEASE_S, BusyError, Records
from tests.alarm.cloud import Bucket

NOBODY: frozenset[str] = frozenset()


def test_one_of_many_gets_a_change() -> None:
    """The others hear that it is being told."""
    records = Records(Bucket(), "bucket")

    def claim(_: int) -> object:
        try:
            return records.claim("change")
        except BusyError:
            return "busy"

    with ThreadPoolExecutor(16) as pool:
        claims = list(pool.map(claim, range(64)))
    assert sorted(map(str, claims)) == sorted(["frozenset()", *["busy"] * 63])


def test_a_change_that_was_told_is_told_no_more() -> None:
    """Nor by another name's key."""
    records = Records(Bucket(), "bucket")
    assert records.claim("change/1") == NOBODY
    records.save("change/1", frozenset({"topic"}), done=True)
    assert records.claim("change/1") is None
    assert records.claim("change-1") == NOBODY


def test_a_claim_lapses() -> None:
    """Whoever held it was killed; the next one knows who has heard already."""
    clock = [1000.0]
    records = Records(Bucket(), "bucket", lambda: clock[0])
    assert records.claim("change") == NOBODY
    records.save("change", frozenset({"topic"}), done=False)
    with pytest.raises(BusyError):
        records.claim("change")
    clock[0] += LEASE_S
    assert records.claim("change") == frozenset({"topic"})
    with pytest.raises(BusyError):
        records.claim("change")


def test_a_claim_that_is_given_back_can_be_taken_at_once() -> None:
    """After an error the next try is a minute away, and shall not wait for longer."""
    records = Records(Bucket(), "bucket")
    assert records.claim("change") == NOBODY
    records.release("change", frozenset({"topic"}))
    assert records.claim("change") == frozenset({"topic"})


def test_no_edit_of_a_record_is_lost() -> None:
    """Sixteen at the same time: each sees the others'."""
    records = Records(Bucket(), "bucket")

    def edit(number: int) -> None:
        def more(record: dict[str, Any]) -> dict[str, Any]:
            return {"numbers": [*record.get("numbers", ()), number]}

        while True:
            try:
                records.change("alarm", more)
            except BusyError:
                continue
            return

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(edit, range(48)))
    assert sorted(records.read("alarm")["numbers"]) == list(range(48))


def test_a_broken_record_counts_as_empty() -> None:
    """It is written anew."""
    bucket = Bucket()
    records = Records(bucket, "bucket")
    records.change("alarm", lambda _: {"cause": "x"})
    for key in bucket.objects:
        bucket.objects[key] = b"[1, 2"
    assert records.read("alarm") == {}
    assert records.change("alarm", lambda _: {"cause": "y"}) == {}
    assert records.read("alarm") == {"cause": "y"}
