"""Databases: SQLite for real, the others as far as a refused connection shows them."""

import os
import sqlite3
import threading


def tried(call):
    try:
        return repr(call())
    except Exception as error:
        return [f"{type(error).__module__}.{type(error).__name__}", str(error)[:200]]


def cursor(event, context):
    connection = sqlite3.connect(":memory:")
    rows = connection.cursor()
    rows.execute("create table t(n, s)")
    rows.executemany("insert into t values(?, ?)", [(1, "a"), (2, "b")])
    connection.commit()
    rows.execute("select * from t where n = ?", (2,))
    return [rows.fetchall(), rows.rowcount, [column[0] for column in rows.description], rows.lastrowid]


def alchemy(event, context):
    from sqlalchemy import create_engine, text

    with create_engine("sqlite://").connect() as connection:
        return [list(row) for row in connection.execute(text("select 1, :p"), {"p": "x"})]


def alchemy_models(event, context):
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(User(name="ada"))
        session.commit()
        return [user.name for user in session.scalars(select(User))]


class Connection(sqlite3.Connection):
    def mine(self):
        return "mine"


def row_factory(connection):
    connection.row_factory = sqlite3.Row
    row = connection.execute("select 1 as one, 'x' as two").fetchone()
    return [dict(row), row.keys(), type(row).__name__]


def functions(connection):
    connection.create_function("double", 1, lambda number: number * 2)
    return [connection.execute("select double(21)").fetchone()[0], connection.in_transaction, connection.total_changes]


def types(connection):
    own = sqlite3.connect(":memory:", factory=Connection)
    names = [type(connection).__name__, isinstance(connection.cursor(), sqlite3.Cursor), hasattr(connection, "backup")]
    return [*names, own.mine(), isinstance(own, Connection), isinstance(own, sqlite3.Connection)]


def backup(connection):
    connection.execute("create table t(n)")
    target = sqlite3.connect(":memory:")
    connection.backup(target)
    return target.execute("select name from sqlite_master").fetchall()


def failing(connection):
    return [tried(lambda: connection.execute("select * from nowhere")),
            tried(lambda: connection.cursor().execute("nonsense"))]  # fmt: skip


def rolled_back(connection):
    connection.execute("create table t(n)")
    try:
        with connection:
            connection.execute("insert into t values(1)")
            raise ValueError("undo")
    except ValueError:
        return connection.execute("select count(*) from t").fetchone()


def other_thread(connection):
    got = []
    thread = threading.Thread(target=lambda: got.append(tried(lambda: connection.execute("select 1"))[0]))
    thread.start()
    thread.join()
    return got


USES = {
    "row factory": row_factory,
    "functions": functions,
    "types": types,
    "backup": backup,
    "failing": failing,
    "failing unhandled": lambda connection: connection.cursor().execute("select * from nowhere"),
    "rolled back": rolled_back,
    "other thread": other_thread,
}


def used(event, context):
    return USES[event["use"]](sqlite3.connect(":memory:"))
