"""What one can do: a next step for every bucket."""

from __future__ import annotations

from lambda_latency.latency.advice import ADVICE, advice
from lambda_latency.latency.part import BUCKETS, Part


def test_every_bucket_has_its_advice() -> None:
    """None more, none less."""
    assert set(ADVICE) == set(BUCKETS)
    assert all(advice(Part(bucket, "DynamoDB PutItem orders")) for bucket in BUCKETS)


def test_advice_names_what_it_is_about() -> None:
    """The host, or the resource whose capacity is short."""
    assert "the call to payments.example.com a timeout" in advice(Part("external", "payments.example.com"))
    assert advice(Part("retries", "DynamoDB PutItem orders")).startswith("Give orders more capacity")
