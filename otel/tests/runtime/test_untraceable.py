"""A library that nothing traces is one line of the log."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

import pytest

from lambda_latency.runtime.libraries import LIBRARIES
from lambda_latency.runtime.untraceable import UNTRACEABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.runtime.conftest import Function


def test_it_is_told_once_an_environment(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After the response, also where a later request imports it."""
    function.invoke(lambda *_: None)
    assert caplog.messages == []
    monkeypatch.setitem(sys.modules, "oracledb", types.ModuleType("oracledb"))
    for _ in range(2):
        function.invoke(lambda *_: None)
        function.runtime.after_response()
    (message,) = caplog.messages
    assert message.startswith("lambda-latency: oracledb is imported, and nothing traces its calls")


def test_sqlalchemy_traces_the_drivers_below_it(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is to be said of those then."""
    for name in ("oracledb", "sqlalchemy"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    function.invoke(lambda *_: None)
    function.runtime.after_response()
    assert caplog.messages == []


def test_nothing_is_said_where_nothing_is_to_be_traced(
    start: Callable[..., Function], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who says `none` knows."""
    monkeypatch.setitem(sys.modules, "oracledb", types.ModuleType("oracledb"))
    function = start(LAMBDA_LATENCY_INSTRUMENTATIONS="none")
    function.invoke(lambda *_: None)
    function.runtime.after_response()
    assert caplog.messages == []


def test_none_of_them_is_traced() -> None:
    """The two tables do not contradict each other."""
    assert {library.module for library in LIBRARIES} & UNTRACEABLE == set()
