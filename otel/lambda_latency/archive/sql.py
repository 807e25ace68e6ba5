"""Queries an archive with embedded DuckDB, and defines its tables for Athena and Spark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from lambda_latency.archive.layout import ACCOUNTS
from lambda_latency.archive.places import ArchiveError, Folder, need
from lambda_latency.archive.reading import open_archive

PART = ("bucket string", "name string", "owner string")
CALL = (*PART, "calls int", "errors int", "throttles int", "retries int", "ns bigint")
COLUMNS = (
    ("trace_id", "string"), ("function", "string"), ("status_code", "int"), ("start_time_unix_nano", "bigint"),
    ("wall_ns", "bigint"), ("cold_start", "boolean"), ("error", "boolean"), ("timed_out", "boolean"), ("flaws", "int"),
    ("parts", (*PART, "ns bigint")), ("calls", CALL),
    ("callers", "array<string>"), ("call_callers", "array<string>"), ("spans", "string"), ("written_ns", "bigint"),
    ("outline", "string"), ("sample", "string"),
)  # fmt: skip
DUCKDB = """\
create view accounts as
  select * from read_parquet({files}, hive_partitioning = true, union_by_name = true)
  qualify row_number() over (partition by trace_id order by written_ns desc) = 1;
"""
PARTS = """\
create view parts as
  select trace_id, day, route, start_time_unix_nano, wall_ns, cold_start, error, timed_out,
         part.bucket, part.name, part.owner, part.ns
  from (select *, unnest(parts) as part from accounts);
"""
DIALECTS = ("duckdb", "athena", "spark")


class QueryResult(NamedTuple):
    """The result of a query: column names, and rows."""

    names: list[str]
    rows: list[tuple[Any, ...]]


def query(where: str, text: str) -> QueryResult:
    """Run SQL in DuckDB over the views `accounts` and `parts`. Raises ArchiveError.

    The query can read only files of the archive, and cannot write.
    """
    need("duckdb")
    place = open_archive(where)
    import duckdb

    files = [place.address(name) for name in place.names(ACCOUNTS)]
    if not files:
        raise ArchiveError(f"{where} has no requests", "add some: lambda-latency archive add")
    if not isinstance(place, Folder):
        raise ArchiveError("archive query reads folders only", f"lambda-latency archive sql duckdb --archive {where}")
    connection = duckdb.connect()
    try:
        listed = ", ".join(_quoted(file) for file in files)
        connection.execute(f"set allowed_directories = [{_quoted(str(place.root) + '/')}]")
        connection.execute("set enable_external_access = false")
        connection.execute(DUCKDB.format(files=f"[{listed}]") + PARTS)
        connection.execute("set lock_configuration = true")
        result = connection.execute(text)
        return QueryResult([column[0] for column in result.description or ()], result.fetchall())
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise ArchiveError(f"DuckDB says: {reason}", "the views are accounts and parts", exit_status=2) from error
    finally:
        connection.close()


def definitions(dialect: str, location: str) -> str:
    """Return the SQL that defines the table of breakdowns and a view of their components, in one of `DIALECTS`."""
    location = location.rstrip("/")
    if dialect == "duckdb":
        return DUCKDB.format(files=_quoted(f"{location}/{ACCOUNTS}/**/*.parquet")) + PARTS
    return "\n".join(_external(dialect, f"{location}/{ACCOUNTS}/")) + "\n"


def _external(dialect: str, location: str) -> Iterator[str]:
    columns = ",\n".join(f"  {name} {type_of(kind)}" for name, kind in COLUMNS)
    if dialect == "athena":
        yield f"create external table account_rows (\n{columns}\n)\npartitioned by (day string, route string)"
        yield f"stored as parquet\nlocation {_quoted(location)};"
        yield "msck repair table account_rows;"
        lateral = "cross join unnest(parts) as p (part)"
    else:
        yield f"create table account_rows (\n{columns},\n  day string,\n  route string\n)\nusing parquet"
        yield f"partitioned by (day, route)\nlocation {_quoted(location)};"
        yield "msck repair table account_rows;"
        lateral = "lateral view explode(parts) p as part"
    names = [name for name, _ in COLUMNS]
    yield "create view accounts as"
    yield f"  select {', '.join(names)}, day, route"
    yield "  from (select *, row_number() over (partition by trace_id order by written_ns desc) as version"
    yield "        from account_rows) every where version = 1;"
    yield "create view parts as"
    yield "  select trace_id, day, route, start_time_unix_nano, wall_ns, cold_start, error, timed_out,"
    yield f"         part.bucket, part.name, part.owner, part.ns\n  from accounts {lateral};"


def type_of(kind: str | tuple[str, ...]) -> str:
    """Return the SQL type of a column of `COLUMNS`, as Athena and Spark spell it."""
    if isinstance(kind, str):
        return kind
    return f"array<struct<{', '.join(':'.join(field.split()) for field in kind)}>>"


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
