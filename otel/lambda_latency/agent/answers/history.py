"""The answer of `query_archive`: named questions about a long time, not free SQL."""

from __future__ import annotations

from lambda_latency.agent.brief import DATA, shell
from lambda_latency.agent.budget import BoundedAnswer
from lambda_latency.agent.loading import Loader, ToolCall, time_of
from lambda_latency.agent.quoting import quoted, quoted_name
from lambda_latency.agent.roots import ARCHIVE_MARK
from lambda_latency.agent.tools import RefusedError

HOUR = "strftime(make_timestamp(start_time_unix_nano // 1000), '%Y-%m-%dT%H:00Z') as hour"
VALUES = {
    "accounts": "count(*) as requests, round(quantile_disc(wall_ns, 0.5) / 1e6, 1) as p50_ms, "
    "round(quantile_disc(wall_ns, 0.95) / 1e6, 1) as p95_ms, count(*) filter (error) as errors, "
    "count(*) filter (timed_out) as timeouts, count(*) filter (cold_start) as cold_starts",
    "parts": "count(distinct trace_id) as requests, round(sum(ns) / 1e6) as total_ms",
}
# The view, what its rows are grouped by, and their order
QUESTIONS = {
    "by_day": ("accounts", "day, route", "day desc, requests desc, route"),
    "by_hour": ("accounts", HOUR, "hour desc"),
    "by_route": ("accounts", "route", "requests desc, route"),
    "parts": ("parts", "bucket, name", "total_ms desc, bucket, name"),
    "parts_by_day": ("parts", "day, bucket, name", "day desc, total_ms desc, bucket, name"),
}
MOST_ROWS = 40


def query_archive(
    loader: Loader,
    _: ToolCall,
    question: str,
    archive: str = "archive",
    since: str | None = None,
    until: str | None = None,
    route: str | None = None,
) -> str:
    """Print the rows that answer a question, the newest or the largest first."""
    path = loader.roots.path(archive)
    if not (path / ARCHIVE_MARK).is_file():
        raise RefusedError(
            f"{quoted(archive)} is no archive", "lambda-latency archive add FILE --archive DIR makes one"
        )
    from lambda_latency.archive import query

    view, groups, order = QUESTIONS[question]
    conditions = " and ".join(_conditions(since, until, route)) or "true"
    sql = f"select {groups}, {VALUES[view]} from {view} where {conditions} group by all order by {order}"  # noqa: S608
    answered = query(str(path), sql)
    answer = BoundedAnswer()
    answer.add(f"{len(answered.rows):,} rows. All of them: {shell('archive', 'query', sql, '--archive', archive)}")
    answer.add(" | ".join(answered.names))
    for row in answered.rows[:MOST_ROWS]:
        if not answer.add(" | ".join(_edge(name, value) for name, value in zip(answered.names, row, strict=True))):
            break
    if len(answered.rows) > MOST_ROWS:
        answer.add(f"{len(answered.rows) - MOST_ROWS:,} more rows: the command prints them")
    return answer.text(DATA, more="the command prints all")


def _conditions(since: str | None, until: str | None, route: str | None) -> list[str]:
    conditions = []
    if (since_ns := time_of(since)) is not None:
        conditions.append(f"start_time_unix_nano >= {since_ns}")
    if (until_ns := time_of(until)) is not None:
        conditions.append(f"start_time_unix_nano < {until_ns}")
    if route is not None:
        text = route.strip('"').replace("'", "''")
        conditions.append(f"route = '{text}'")
    return conditions


def _edge(name: str, value: object) -> str:
    return quoted_name(str(value)) if name in ("route", "name") and value else str(value)
