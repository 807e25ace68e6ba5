"""The event that serve's command sends to a bus is one that a rule matches."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_latency.local.app.triggers.patterns import matching_entry


@pytest.mark.parametrize(
    ("pattern", "entry"),
    [
        ({}, ("my.app", "test", {})),
        ({"source": ["shop", "other"]}, ("shop", "test", {})),
        (
            {"source": [{"prefix": "com.shop"}], "detail-type": ["Order Created"], "detail": {"state": ["paid"]}},
            ("com.shop", "Order Created", {"state": "paid"}),
        ),
        ({"detail": {"order": {"total": [{"numeric": [">", 10]}]}}}, ("my.app", "test", {"order": {"total": 11}})),
        ({"detail": {"n": [{"numeric": ["<", 10, ">=", 5]}]}}, ("my.app", "test", {"n": 9})),
        ({"detail": {"name": [{"suffix": ".png"}, 1]}}, ("my.app", "test", {"name": ".png"})),
        ({"detail": {"name": [{"prefix": {"equals-ignore-case": "A"}}]}}, ("my.app", "test", {"name": "A"})),
        ({"detail": {"path": [{"wildcard": "a*/b"}]}}, ("my.app", "test", {"path": "a/b"})),
        (
            {"detail": {"a": [{"anything-but": ["x"]}], "b": [{"exists": True}], "c": [{"exists": False}]}},
            ("my.app", "test", {"a": "other", "b": "1"}),
        ),
        ({"detail": {"$or": [{"a": [1]}, {"b": [2]}], "c": [None]}}, ("my.app", "test", {"a": 1, "c": None})),
        ({"detail": {"a": []}, "source": [], "region": ["us-east-1"]}, ("my.app", "test", {"a": ""})),
    ],
)
def test_an_entry_matches_its_pattern(pattern: dict[str, Any], entry: tuple[str, str, Any]) -> None:
    """The first alternative of each field."""
    found = matching_entry(pattern)
    assert found is not None
    assert (found["Source"], found["DetailType"], json.loads(found["Detail"])) == entry


def test_an_event_of_a_service_of_aws_cannot_be_sent() -> None:
    """PutEvents refuses such a source, on AWS and in the emulator."""
    assert matching_entry({"source": ["aws.s3"], "detail-type": ["Object Created"]}) is None
