"""Advice: a next step for every bucket."""

from __future__ import annotations

import re

import pytest

from lambda_latency.latency.accounts.part import BUCKETS, Part
from lambda_latency.latency.judge.advice import ADVICE, advice
from lambda_latency.latency.judge.services import Place

PLACES: tuple[Place, ...] = ("lambda", "server", "proxy", "browser")
# Words that fit one place only, and the buckets of AWS's own services, which are the same everywhere.
OF_LAMBDA = re.compile(r"handler|function|provisioned concurrency|SnapStart|module load|memory", re.IGNORECASE)
OF_PROXIES = re.compile(r"proxy|upstream|cluster", re.IGNORECASE)
OF_BROWSERS = re.compile(r"page|browser|bundle|paint|preconnect|user", re.IGNORECASE)
PLATFORM = ("api gateway", "lambda", "step functions", "queue")


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


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bucket", [bucket for bucket in BUCKETS if bucket not in PLATFORM])
def test_each_advice_fits_its_place(bucket: str, place: Place) -> None:
    """A container hears nothing about Lambda, a proxy of its own settings, a function nothing of either."""
    for name in ("orders", "DynamoDB GetItem orders"):
        told = advice(Part(bucket, name), place)
        assert told[0].isupper()
        assert told.endswith(".")
        assert "{" not in told
        if place != "lambda":
            assert not OF_LAMBDA.search(told), told
        if place in ("lambda", "server"):
            assert not OF_BROWSERS.search(told), told
            assert not OF_PROXIES.search(told), told


@pytest.mark.parametrize("bucket", PLATFORM)
def test_advice_about_the_platform_is_the_same_everywhere(bucket: str) -> None:
    """Its settings do not depend on who waits."""
    told = {advice(Part(bucket, "orders"), place).partition(" (")[0] for place in PLACES}
    assert len({one.partition(".")[0] for one in told}) == 1


def test_proxies_and_servers_hear_of_different_settings() -> None:
    """Of every bucket that they can wait for."""
    same = [
        bucket
        for bucket in BUCKETS
        if bucket not in PLATFORM and len({advice(Part(bucket), place) for place in ("lambda", "server", "proxy")}) < 3
    ]
    assert same == ["laptop", "unknown"]


def test_without_a_place_no_word_is_about_lambda() -> None:
    """An unknown place is told as a server."""
    assert not OF_LAMBDA.search(advice(Part("external", "pay.example.com"), None))
