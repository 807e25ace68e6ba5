"""Advice: a next step for every category."""

import re

import pytest

from lambda_latency.latency.analysis.advice import ADVICE, advice
from lambda_latency.latency.analysis.services import Place
from lambda_latency.latency.breakdowns.component import CATEGORIES, Component

PLACES: tuple[Place, ...] = ("lambda", "server", "proxy", "browser")
# Words that fit one place only, and the buckets of AWS's own services, which are the same everywhere.
OF_LAMBDA = re.compile(r"handler|function|provisioned concurrency|SnapStart|module load|memory", re.IGNORECASE)
OF_PROXIES = re.compile(r"proxy|upstream|cluster", re.IGNORECASE)
OF_BROWSERS = re.compile(r"page|browser|bundle|paint|preconnect|user", re.IGNORECASE)
PLATFORM = ("api gateway", "lambda", "step functions", "queue")


def test_every_bucket_has_its_advice() -> None:
    """The table has the buckets and no other keys."""
    assert set(ADVICE) == set(CATEGORIES)
    assert all(advice(Component(bucket, "DynamoDB PutItem orders")) for bucket in CATEGORIES)


def test_advice_names_its_subject() -> None:
    """The host, or the resource with too little capacity."""
    assert "a timeout for the call to payments.example.com" in advice(Component("external", "payments.example.com"))
    assert advice(Component("retries", "DynamoDB orders")).startswith("Give orders more capacity")
    assert advice(Component("retries", "Events")).startswith("Call Events less often or raise its quota")
    assert advice(Component("own code")).startswith("Profile the handler")
    assert advice(Component("own code", "checkout")).startswith("Profile checkout, give it more CPU")
    assert advice(Component("external", "payment", "ours")).startswith("Find out why payment did not record this call")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bucket", [bucket for bucket in CATEGORIES if bucket not in PLATFORM])
def test_each_advice_fits_its_place(bucket: str, place: Place) -> None:
    """A container hears nothing about Lambda, a proxy of its own settings, a function nothing of either."""
    for name in ("orders", "DynamoDB GetItem orders"):
        text = advice(Component(bucket, name), place)
        assert text[0].isupper()
        assert text.endswith(".")
        assert "{" not in text
        if place != "lambda":
            assert not OF_LAMBDA.search(text), text
        if place in ("lambda", "server"):
            assert not OF_BROWSERS.search(text), text
            assert not OF_PROXIES.search(text), text


@pytest.mark.parametrize("bucket", PLATFORM)
def test_advice_about_the_platform_is_the_same_everywhere(bucket: str) -> None:
    """Its settings do not depend on who waits."""
    texts = {advice(Component(bucket, "orders"), place).partition(" (")[0] for place in PLACES}
    assert len({text.partition(".")[0] for text in texts}) == 1


def test_proxies_and_servers_hear_of_different_settings() -> None:
    """Of every category that they can wait for: steps, replays and waits are of functions."""
    alike = [
        bucket
        for bucket in CATEGORIES
        if bucket not in PLATFORM
        and len({advice(Component(bucket), place) for place in ("lambda", "server", "proxy")}) < 3
    ]
    assert alike == ["step", "replay", "wait", "laptop", "unknown"]


def test_without_a_place_no_word_is_about_lambda() -> None:
    """An unknown place is told as a server."""
    assert not OF_LAMBDA.search(advice(Component("external", "pay.example.com"), None))
