"""`lambda-latency archive`: keeps traces in a folder or a bucket, finds and queries them."""

from __future__ import annotations

import csv
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import count, instant
from lambda_latency.cli.exit_statuses import FAILED, FINE, SOMETHING_SKIPPED
from lambda_latency.cli.messages import warn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from lambda_latency.archive import Added
    from lambda_latency.cli.parser import Parser

MOST_SKIPPED = 20  # lines
ENGINES = ("duckdb", "athena", "spark")
EPILOG_OF_ADD = """\
exit status: 0 fine, 1 failed or nothing readable, 2 usage, 4 added but
something was skipped, 130 Ctrl-C"""
DESCRIPTION = "Keeps traces: spans as OTLP/JSON by hour, accounts of requests as Parquet."
ARCHIVE = "a folder, or an address such as s3://bucket/prefix; default: archive"
REMOVED = {"schedule": "lambda-latency stack archive NAME"}


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments, a parser for each action."""
    parser: Parser = subparsers.add_parser("archive", help=summary, description=DESCRIPTION)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)

    def action(run_action: Callable[[argparse.Namespace], int], name: str, sentence: str, **settings: Any) -> Parser:
        """Return a parser of one action, with the archive that it is about."""
        description = f"{sentence[0].upper()}{sentence[1:]}."
        made: Parser = actions.add_parser(name, help=sentence, description=description, **settings)
        made.add_argument("--archive", default="archive", metavar="DIR", help=ARCHIVE)
        made.set_defaults(run_action=run_action)
        return made

    adding = action(add, "add", "add the traces of files", epilog=EPILOG_OF_ADD)
    adding.continued = "files"
    adding.add_argument("files", nargs="+", metavar="FILE", help="trace files, folders or patterns")
    adding.add_argument("-q", "--quiet", action="store_true", help="no progress")
    finding = action(find, "find", "list requests, such as 'slower than 2s and part ~ payments'")
    finding.continued = "words"
    finding.add_argument("words", nargs="*", default=[], metavar="WORD", help="what to find; all requests without it")
    finding.add_argument("--since", type=instant, metavar="T", help="requests from T on")
    finding.add_argument("--until", type=instant, metavar="T", help="requests before T")
    finding.add_argument("--route", metavar="R", help="requests of one route")
    finding.add_argument("--limit", type=count, default=20, metavar="N", help="the N slowest; default 20")
    showing = action(show, "show", "draw the waterfall of one request")
    showing.add_argument("trace_id", metavar="ID", help="its trace id: lambda-latency archive find prints them")
    querying = action(query, "query", "run SQL (DuckDB) over the views accounts and parts")
    querying.continued = "words"
    querying.add_argument(
        "words", nargs="+", metavar="SQL", help='such as "select route, count(*) from accounts group by route"'
    )
    querying.add_argument("--csv", action="store_true", help="print CSV")
    defining = action(sql, "sql", "print the SQL that defines the tables for an engine")
    defining.add_argument("engine", choices=ENGINES, metavar="ENGINE", help=f"one of {', '.join(ENGINES)}")
    action(spark_job, "spark-job", "print the job for spark-submit that reports on an archive of any size")
    action(compact, "compact", "merge small files")
    pruning = action(prune, "prune", "remove old days")
    pruning.add_argument(
        "--older-than", type=instant, required=True, metavar="T", help="days that were over at T, or T ago"
    )
    parser.removed = REMOVED


def run(options: argparse.Namespace) -> int:
    """Run the action; returns the exit status."""
    status: int = options.run_action(options)
    return status


def add(options: argparse.Namespace) -> int:
    """Add the traces of files; returns the exit status."""
    from contextlib import ExitStack, closing
    from functools import partial

    from lambda_latency import archive
    from lambda_latency.cli.terminal import ProgressBar, spooled

    with ExitStack() as stack:
        bar = stack.enter_context(closing(ProgressBar(quiet=options.quiet)))
        added = archive.add(options.archive, options.files, bar, partial(spooled, stack))
    return report_added(added, options.archive)


def report_added(added: Added, where: str) -> int:
    """Print what was added; returns the exit status."""
    skipped = [problem for problem in added.problems if problem.effect == "skipped"]
    if skipped and not added.traces:
        from lambda_latency.cli.inputs import unread

        warn(f"nothing to add: {unread(skipped, ())}")
        return FAILED
    for problem in skipped[:MOST_SKIPPED]:
        warn(str(problem))
    if len(skipped) > MOST_SKIPPED:
        warn(f"{len(skipped) - MOST_SKIPPED:,} more parts were skipped")
    merged = f", {added.merged:,} of them merged with archived spans" if added.merged else ""
    print(f"{where}: {added.traces:,} traces with {added.spans:,} spans added{merged}.")
    if not added.traces:
        return FAILED
    return SOMETHING_SKIPPED if skipped else FINE


def find(options: argparse.Namespace) -> int:
    """Print one line per request, the slowest first; returns the exit status."""
    from lambda_latency.archive import open_archive, read_filter, rows_of

    mask = read_filter(" ".join(options.words))
    table, _ = rows_of(open_archive(options.archive), options.since, options.until, options.route)
    table = table.filter(mask(table))
    starts = table["start_time_unix_nano"].to_pylist()
    since, until = options.since or 0, options.until or 1 << 62
    indices = [index for index, start in enumerate(starts) if since <= start < until]
    if not indices:
        warn("no request matches")
        return FAILED
    walls = table["wall_ns"].to_pylist()
    indices.sort(key=lambda index: (-walls[index], starts[index]))
    for row in table.take(indices[: options.limit]).to_pylist():
        start = datetime.fromtimestamp(row["start_time_unix_nano"] // 10**9, timezone.utc)
        parts: Any = sorted(row["parts"], key=lambda component: -component["ns"])
        component: Any = parts[0] if parts else {"bucket": "", "name": "", "ns": 0}
        largest = f"{component['bucket']} {component['name']}".strip()
        status = row["status_code"] if row["status_code"] is not None else "-"
        print(f"{start:%Y-%m-%dT%H:%M:%SZ}  {row['wall_ns'] / 1e6:>10,.1f} ms  {status:>3}  {row['route']}  "
              f"{largest} {component['ns'] / 1e6:,.1f} ms  {row['trace_id']}")  # fmt: skip
    if len(indices) > options.limit:
        print(f"{len(indices):,} requests, the {options.limit} slowest are shown (--limit).")
    return FINE


def spark_job(_: argparse.Namespace) -> int:
    """Print the job; returns the exit status."""
    from importlib.resources import files

    print(files("lambda_latency.cli").joinpath("spark_job.py").read_text(encoding="utf-8"), end="")
    return FINE


def show(options: argparse.Namespace) -> int:
    """Draw the waterfall of one request, as `report --trace` does; returns the exit status."""
    from lambda_latency.archive import open_archive
    from lambda_latency.cli.commands.report import run_report
    from lambda_latency.cli.request import Request
    from lambda_latency.text import style_for

    open_archive(options.archive)
    request = Request(sources=[options.archive], trace_id=options.trace_id)
    return run_report(request, style_for(sys.stdout), sys.stdout)


def query(options: argparse.Namespace) -> int:
    """Print the result of a query as a table, or as CSV; returns the exit status."""
    from lambda_latency import archive
    from lambda_latency.text import aligned

    names, rows = archive.query(options.archive, " ".join(options.words))
    if options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([names, *rows])
        return FINE
    print(aligned([names, *([str(value) for value in row] for row in rows)]), end="")
    return FINE


def sql(options: argparse.Namespace) -> int:
    """Print the table definitions for one engine; returns the exit status."""
    from lambda_latency.archive import definitions

    print(definitions(options.engine, options.archive), end="")
    return FINE


def compact(options: argparse.Namespace) -> int:
    """Merge small files; returns the exit status."""
    from lambda_latency import archive

    done = archive.compact(options.archive)
    recovered = f" {done.recovered:,} traces of an interrupted writer were recovered." if done.recovered else ""
    print(f"{options.archive}: {done.files_before:,} files before, {done.files_after:,} now.{recovered}")
    return FINE


def prune(options: argparse.Namespace) -> int:
    """Remove old days; returns the exit status."""
    from lambda_latency import archive

    days = archive.prune(options.archive, options.older_than)
    print(f"{options.archive}: {days:,} {'day' if days == 1 else 'days'} removed.")
    return FINE
