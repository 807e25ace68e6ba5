"""The table of libraries is true."""

import ast
import importlib
import importlib.util
import sqlite3
import sys
import types
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from lambda_latency.runtime.libraries import DRIVERS, LIBRARIES, UNTRACEABLE, Library, on_first_call
from tests.runtime.conftest import Function


@pytest.mark.parametrize(
    "library", [lib for lib in LIBRARIES if lib.instrumentor], ids=lambda library: library.instrumentor
)
def test_an_instrumentor_is_where_the_table_says(library: Library) -> None:
    """Read, not imported: most of the libraries are not installed here."""
    pytest.importorskip("amazon", reason="the distribution that brings them all is not here (python -m lab versions)")
    package, name = library.instrumentor.split(".")
    spec = importlib.util.find_spec(f"opentelemetry.instrumentation.{package}")
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert name in names | imported


@pytest.mark.parametrize("library", [lib for lib in LIBRARIES if lib.driver], ids=lambda library: library.module)
def test_what_upstream_leaves_out_has_a_function(library: Library) -> None:
    """Which is found where the table says."""
    name, _, function = library.driver.partition(".")
    assert callable(getattr(importlib.import_module(DRIVERS + name), function or "instrument"))


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.module)
def test_each_library_is_traced_by_somebody(library: Library) -> None:
    """By upstream, or by a module of ours."""
    assert library.instrumentor or library.driver


@pytest.mark.parametrize(("named", "traced"), [("sqlite3,botocore", True), ("requests", False), ("none", False)])
def test_a_library_that_the_setting_does_not_name_is_not_traced(
    start: Callable[..., Function], caplog: pytest.LogCaptureFixture, named: str, *, traced: bool
) -> None:
    """And nothing is said of it."""
    function = start(LAMBDA_LATENCY_INSTRUMENTATIONS=named)

    def handler(*_: object) -> None:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("select 1")

    function.invoke(handler)
    assert [span.name for span in function.spans if span.kind.name == "CLIENT"] == ["select"] * traced
    assert caplog.messages == []


def test_a_missing_instrumentation_is_one_warning(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The library itself works on."""
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.pymemcache", None)
    monkeypatch.setitem(sys.modules, "pymemcache", types.ModuleType("pymemcache"))
    function.runtime.stop()
    function.runtime.start()
    (message,) = caplog.messages
    assert message.startswith(
        "lambda-latency: pymemcache is not traced: no module opentelemetry.instrumentation.pymemcache; put it"
    )


def test_versions_are_not_checked_at_a_cold_start(
    start: Callable[..., Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Upstream's check reads the metadata of every package it names."""
    checked: list[object] = []
    monkeypatch.setattr("opentelemetry.instrumentation.instrumentor.get_dependency_conflicts", checked.append)
    start(LAMBDA_LATENCY_INSTRUMENTATIONS="botocore,requests")
    assert checked == []


def test_a_method_that_somebody_wrapped_since_is_left_alone() -> None:
    """Their wrapper runs once, as they wrote it."""

    class Pool:
        def call(self) -> str:
            return "called"

    applied: list[bool] = []
    undo = on_first_call(Pool, "call", lambda: applied.append(True))
    original = Pool.call

    def theirs(self: Pool) -> str:
        return original(self) + " twice"

    Pool.call = theirs  # type: ignore[method-assign]
    assert Pool().call() == "called twice"
    undo()
    assert Pool.__dict__["call"] is theirs
    assert applied == []


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
