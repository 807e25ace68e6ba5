"""Conditions of a template, with the values of its parameters."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_latency.local.app.read.choices import Choices

OFF = {"Fn::Equals": [{"Ref": "Tracing"}, "Off"]}
CONDITIONS: dict[str, Any] = {
    "IsTraced": {"Fn::Not": [OFF]},
    "IsHere": {"Fn::And": [{"Condition": "IsTraced"}, {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}]},
    "IsEither": {"Fn::Or": [OFF, {"Condition": "IsHere"}]},
    "Itself": {"Condition": "Itself"},
    "Unknown": {"Fn::Contains": [["a"], "b"]},
}
NOTHING = {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize(
    ("tracing", "true"),
    [
        ("Active", {"IsTraced", "IsHere", "IsEither", "Itself", "Unknown", "Missing"}),
        ("Off", {"IsEither", "Itself", "Unknown", "Missing"}),
    ],
)
def test_conditions_hold_or_not(tracing: str, true: set[str]) -> None:
    """One that cannot be decided holds."""
    choices = Choices(CONDITIONS, {"Tracing": tracing})
    assert {name for name in (*CONDITIONS, "Missing") if choices.holds(name)} == true


def test_a_branch_takes_the_place_of_the_choice() -> None:
    """At any depth; what is left out leaves no trace, and everything else stays."""
    value = {
        "Layers": [{"Fn::If": ["IsTraced", {"Ref": "Kit"}, NOTHING]}, {"Fn::If": ["Gone", NOTHING, "other"]}, "arn"],
        "Wrapper": {"Fn::If": ["IsTraced", {"Fn::If": ["IsHere", "/opt/wrapper", "/other"]}, NOTHING]},
        "Number": 3,
    }
    on, off = (Choices({**CONDITIONS, "Gone": OFF}, {"Tracing": one}) for one in ("Active", "Off"))
    assert on.taken(value) == {"Layers": [{"Ref": "Kit"}, "other", "arn"], "Wrapper": "/opt/wrapper", "Number": 3}
    assert off.taken(value) == {"Layers": ["arn"], "Number": 3}
