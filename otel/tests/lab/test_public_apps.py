"""The lists of public apps: every call says how it is made and what the app's code implies."""

from __future__ import annotations

import pytest

from lab.public_apps.__main__ import HERE, Result, Spans, listed
from lambda_latency.trace import Scope, Span

KIT = "lambda_latency.runtime"
KINDS = {"request", "invoke", "send", "fire"}
WANTED = {"status", "answer", "runs"}


@pytest.mark.parametrize("name", ["apps.toml", "own.toml"])
def test_every_call_has_one_kind_and_an_answer(name: str) -> None:
    """A call without either would be right whatever the app does."""
    for app in listed(name):
        assert app["calls"], app["folder"]
        for call in app["calls"]:
            assert len(KINDS & call.keys()) == 1, call
            assert WANTED & call.keys(), call
            assert isinstance(call["spans"], list), call


def test_the_projects_own_apps_are_there() -> None:
    """Each with its template."""
    assert all((HERE / "own" / app["folder"] / "template.yaml").is_file() for app in listed("own.toml"))
    assert len(listed("apps.toml")) >= 20


def test_a_call_is_right_if_it_is_as_wanted() -> None:
    """Whole."""
    assert Result("a", "request GET /", "200; x", "200; x").is_right
    assert not Result("a", "request GET /", "200; x", "200; y").is_right


def test_spans_are_told_by_function_in_their_order() -> None:
    """Those of its code alone, once the platform has ended the invocation; other traces are left out."""
    spans = Spans()
    platform, of_the_platform = "lambda_latency.local", {"aws.xray.origin": "AWS::Lambda::Function"}
    rows = [("S3.HeadObject", 3, "botocore"), ("S3.PutObject", 2, "botocore"), ("tcp", 2, KIT), ("Work", 1, KIT),
            ("Work", 1, platform)]  # fmt: skip
    for name, start, scope in rows:
        given = of_the_platform if scope == platform else {}
        one = Span(trace_id="a", span_id=name + scope, name=name, start_ns=start, scope=Scope(scope), attributes=given,
                   resource={"service.name": "Work"})  # fmt: skip
        spans.watch([one])
    assert spans.told({"a"}, 1, 0) == ["Work: S3.PutObject, S3.HeadObject"]
    assert spans.told({"b"}, 0, 0) == []
