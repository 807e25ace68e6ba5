"""Advice: a next step for every bucket."""

from __future__ import annotations

from lambda_latency.latency.accounts.part import BUCKETS, Part
from lambda_latency.latency.judge.advice import ADVICE, advice


def test_every_bucket_has_its_advice() -> None:
    """The table has the buckets and no other keys."""
    assert set(ADVICE) == set(BUCKETS)
    assert all(advice(Part(bucket, "DynamoDB PutItem orders")) for bucket in BUCKETS)


def test_advice_names_its_subject() -> None:
    """The host, or the resource with too little capacity."""
    assert "a timeout for the call to payments.example.com" in advice(Part("external", "payments.example.com"))
    assert advice(Part("retries", "DynamoDB orders")).startswith("Give orders more capacity")
    assert advice(Part("retries", "Events")).startswith("Call Events less often or raise its quota")
    assert advice(Part("own code")).startswith("Profile the handler")
    assert advice(Part("own code", "checkout")).startswith("Profile checkout, give it more CPU")
    assert advice(Part("external", "payment", "ours")).startswith("Find out why payment did not record this call")
