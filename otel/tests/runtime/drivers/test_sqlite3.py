"""sqlite3's statements are spans, and its connections are sqlite3's."""

import functools
import sqlite3
import sys
import warnings
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.conftest import Function


def statements(function: Function) -> list[tuple[str, str, str]]:
    """Name, status and statement of each call, by start."""
    spans = sorted(function.spans, key=lambda span: span.start_time or 0)
    return [
        (span.name, span.status.status_code.name, str((span.attributes or {})["db.statement"]))
        for span in spans
        if span.kind.name == "CLIENT"
    ]


def query(database: str | Path) -> Any:
    """The answer to one statement."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("select 1").fetchone()


def test_a_statement_is_a_span_by_a_cursor_and_by_a_connection(function: Function) -> None:
    """One each, without literals."""

    def handler(*_: object) -> Any:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.cursor().execute("create table t(n, s)")
            connection.executemany("insert into t values(?, ?)", [(1, "a"), (2, "b")])
            connection.executescript("delete from t where n = 1;")
            return connection.execute("select s from t where n = 2").fetchall()

    assert function.invoke(handler) == [("b",)]
    assert statements(function) == [
        ("create", "UNSET", "create table t(n, s)"),
        ("insert", "UNSET", "insert into t values(?, ?)"),
        ("delete", "UNSET", "delete from t where n = ?;"),
        ("select", "UNSET", "select s from t where n = ?"),
    ]


def test_a_statement_that_fails_is_an_error(function: Function) -> None:
    """The exception is sqlite3's own."""

    def handler(*_: object) -> None:
        refused = pytest.raises(sqlite3.OperationalError, match="no such table: nowhere")
        with closing(sqlite3.connect(":memory:")) as connection, refused:
            connection.execute("select * from nowhere")

    function.invoke(handler)
    assert statements(function) == [("select", "ERROR", "select * from nowhere")]


def test_the_database_is_named_by_its_file(function: Function, tmp_path: Path) -> None:
    """Not by its path."""
    function.invoke(lambda *_: query(tmp_path / "shop.db"))
    (span,) = [span for span in function.spans if span.kind.name == "CLIENT"]
    attributes = span.attributes or {}
    assert (attributes["db.system"], attributes["db.name"]) == ("sqlite", "shop.db")


class Own(sqlite3.Connection):
    """A subclass of a user's."""

    def execute(self, *args: Any) -> Any:
        """Their own."""
        return super().execute("select 'own'") if args[0] == "own" else super().execute(*args)


@pytest.mark.usefixtures("function")
def test_a_connection_is_what_it_was() -> None:
    """Its class, its name, and what C takes of it."""
    with closing(sqlite3.connect(":memory:")) as connection, closing(sqlite3.connect(":memory:")) as target:
        connection.execute("create table t(n)")
        connection.backup(target)
        assert (type(connection).__name__, type(connection).__module__) == ("Connection", "sqlite3")
        assert isinstance(connection, sqlite3.Connection)
        assert isinstance(connection.cursor(), sqlite3.Cursor)
        assert target.execute("select name from sqlite_master").fetchall() == [("t",)]
        connection.row_factory = sqlite3.Row
        assert dict(connection.execute("select 1 as one").fetchone()) == {"one": 1}


@pytest.mark.usefixtures("function")
def test_a_class_of_the_users_is_what_it_was() -> None:
    """By its place among the arguments too, which newer Pythons warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = sqlite3.connect(":memory:", 5.0, 0, "DEFERRED", True, Own)
    with closing(made) as connection:
        assert isinstance(connection, Own)
        assert connection.execute("own").fetchall() == [("own",)]
    untyped: Any = functools.partial(Own)  # no class: what it makes is not touched
    with closing(sqlite3.connect(":memory:", factory=untyped)) as connection:
        assert type(connection) is Own


def test_what_nobody_records_has_no_span(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the same answer."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0")
    assert function.invoke(lambda *_: query(":memory:")) == (1,)
    assert function.spans == ()


def test_sqlite3_is_as_before_when_the_runtime_stops(start: Callable[..., Function]) -> None:
    """Both names of `connect`."""
    originals = (sqlite3.connect, sqlite3.dbapi2.connect)
    function = start()
    during = (sqlite3.connect, sqlite3.dbapi2.connect)
    function.runtime.stop()
    assert [original is traced for original, traced in zip(originals, during, strict=True)] == [False, False]
    assert (sqlite3.connect, sqlite3.dbapi2.connect) == originals


PYSQLITE3 = """\
from _sqlite3 import *

from pysqlite3 import dbapi2
"""


def test_pysqlite3_in_place_of_sqlite3_is_traced(
    function: Function, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As code does that needs a newer SQLite: nothing imports the module of the standard library then."""
    package = tmp_path / "pysqlite3"
    package.mkdir()
    (package / "__init__.py").write_text(PYSQLITE3)
    (package / "dbapi2.py").write_text("from _sqlite3 import *\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("pysqlite3", "pysqlite3.dbapi2"):
        monkeypatch.setitem(sys.modules, name, None)  # restored after the test
        monkeypatch.delitem(sys.modules, name)

    def handler(_event: object, _context: object) -> object:
        monkeypatch.setitem(sys.modules, "sqlite3", import_module("pysqlite3"))
        with closing(import_module("sqlite3").connect(":memory:")) as connection:
            return connection.execute("select 1").fetchone()

    assert function.invoke(handler) == (1,)
    assert statements(function) == [("select", "UNSET", "select ?")]
