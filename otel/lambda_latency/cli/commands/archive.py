"""`lambda-latency archive`: keeps traces in a folder or a bucket, finds and queries them."""

from __future__ import annotations

import csv
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import count, instant
from lambda_latency.cli.deploying import add_deploy_options, write_and_deploy
from lambda_latency.cli.exit_statuses import EXIT_STATUSES, FAILED, FINE, SOMETHING_SKIPPED
from lambda_latency.cli.messages import usage, warn

if TYPE_CHECKING:
    import argparse

    from lambda_latency.archive import Added

MOST_SKIPPED = 20  # lines about input that was not read
ACTIONS = {
    "add": "add the traces of files",
    "find": "list requests, such as 'slower than 2s and part ~ payments'",
    "show": "draw the waterfall of one request, by its trace id",
    "query": "run SQL (DuckDB) over the views accounts and parts",
    "sql": "print the SQL that defines the tables for duckdb, athena or spark",
    "compact": "merge small files",
    "prune": "remove days, with --older-than",
    "schedule": "print, write or deploy the stack that archives an account each hour",
}

NEEDED = {
    "add": "trace files: lambda-latency archive add FILE",
    "show": "a trace id: lambda-latency archive find prints them",
    "query": 'SQL, such as "select route, count(*) from accounts group by route"',
    "sql": "the name of an engine: duckdb, athena or spark",
}


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    actions = "\n".join(f"  {name:9}{what}" for name, what in ACTIONS.items())
    parser = subparsers.add_parser(
        "archive",
        help=summary,
        usage="%(prog)s ACTION [ARGUMENT ...] [OPTION ...]",
        description=f"Keeps traces: spans as OTLP/JSON by hour, accounts of requests as Parquet.\n\n{actions}",
        epilog=EXIT_STATUSES,
    )
    parser.rest = "arguments"
    parser.add_argument("action", choices=tuple(ACTIONS), metavar="ACTION", help="one of the above")
    parser.add_argument(
        "arguments", nargs="*", default=[], metavar="ARGUMENT", help="files; what to find; a trace id; SQL; an engine"
    )
    parser.add_argument("--archive", default="archive", metavar="DIR",
                        help="a folder, or an address such as s3://bucket/prefix; default: archive")  # fmt: skip
    parser.add_argument(
        "--older-than", type=instant, metavar="T", help="with prune: days that were over at T, or T ago"
    )
    parser.add_argument("--since", type=instant, metavar="T", help="with find: requests from T on")
    parser.add_argument("--until", type=instant, metavar="T", help="with find: requests before T")
    parser.add_argument("--route", metavar="R", help="with find: requests of one route")
    parser.add_argument("--limit", type=count, default=20, metavar="N", help="with find: the N slowest; default 20")
    parser.add_argument("--csv", action="store_true", help="with query: print CSV")
    parser.add_argument("--stack", metavar="S", help="with schedule: the name of the new stack")
    parser.add_argument(
        "--keep", type=count, metavar="DAYS", help="with schedule: days that traces are kept; default 400"
    )
    add_deploy_options(parser, "S", "with schedule: ")


def run(options: argparse.Namespace) -> int:
    """Run the action; returns the exit status."""
    if options.action == "prune" and options.older_than is None:
        return usage("prune needs --older-than", "add --older-than 90d")
    if options.action in ("compact", "prune", "schedule") and options.arguments:
        return usage(f"{options.arguments[0]!r}: unexpected argument", "the archive is named by --archive")
    if options.action in ("add", "show", "query", "sql") and not options.arguments:
        return usage(
            f"archive {options.action} needs {NEEDED[options.action]}", "lambda-latency archive --help has more"
        )
    actions = {
        "add": add,
        "find": find,
        "show": show,
        "query": query,
        "sql": sql,
        "compact": compact,
        "prune": prune,
        "schedule": schedule,
    }
    return actions[options.action](options)


def add(options: argparse.Namespace) -> int:
    """Add the traces of files; returns the exit status."""
    from contextlib import ExitStack, closing
    from functools import partial

    from lambda_latency import archive
    from lambda_latency.cli.terminal import Bar, spooled

    with ExitStack() as stack:
        bar = stack.enter_context(closing(Bar(quiet=options.quiet)))
        added = archive.add(options.archive, options.arguments, bar, partial(spooled, stack))
    return told_of(added, options.archive)


def told_of(added: Added, where: str) -> int:
    """Print what was added; returns the exit status."""
    skipped = [one for one in added.problems if one.effect == "skipped"]
    for one in skipped[:MOST_SKIPPED]:
        warn(str(one))
    if len(skipped) > MOST_SKIPPED:
        warn(f"{len(skipped) - MOST_SKIPPED:,} more parts were skipped")
    known = f", {added.known:,} of them merged with archived spans" if added.known else ""
    print(f"{where}: {added.traces:,} traces with {added.spans:,} spans added{known}.")
    if not added.traces:
        return FAILED
    return SOMETHING_SKIPPED if skipped else FINE


def find(options: argparse.Namespace) -> int:
    """Print one line per request, the slowest first; returns the exit status."""
    from lambda_latency.archive import open_archive, rows_of, wanted

    mask = wanted(" ".join(options.arguments))
    table, _ = rows_of(open_archive(options.archive), options.since, options.until, options.route)
    table = table.filter(mask(table))
    starts = table["start_time_unix_nano"].to_pylist()
    since, until = options.since or 0, options.until or 1 << 62
    places = [at for at, start in enumerate(starts) if since <= start < until]
    if not places:
        warn("no request matches")
        return FAILED
    walls = table["wall_ns"].to_pylist()
    places.sort(key=lambda at: (-walls[at], starts[at]))
    for row in table.take(places[: options.limit]).to_pylist():
        begun = datetime.fromtimestamp(row["start_time_unix_nano"] // 10**9, timezone.utc)
        parts: Any = sorted(row["parts"], key=lambda one: -one["ns"])
        part: Any = parts[0] if parts else {"bucket": "", "name": "", "ns": 0}
        largest = f"{part['bucket']} {part['name']}".strip()
        status = row["status_code"] if row["status_code"] is not None else "-"
        print(f"{begun:%Y-%m-%dT%H:%M:%SZ}  {row['wall_ns'] / 1e6:>10,.1f} ms  {status:>3}  {row['route']}  "
              f"{largest} {part['ns'] / 1e6:,.1f} ms  {row['trace_id']}")  # fmt: skip
    if len(places) > options.limit and not options.quiet:
        print(f"{len(places):,} requests, the {options.limit} slowest are shown (--limit).")
    return FINE


def show(options: argparse.Namespace) -> int:
    """Draw the waterfall of one request, as `report --trace` does; returns the exit status."""
    from lambda_latency.archive import open_archive
    from lambda_latency.cli.commands.report import run_report
    from lambda_latency.cli.request import Request
    from lambda_latency.text import style_for

    open_archive(options.archive)
    request = Request(sources=[options.archive], trace_id=options.arguments[0])
    return run_report(request, style_for(sys.stdout), sys.stdout)


def query(options: argparse.Namespace) -> int:
    """Print the result of a query as a table, or as CSV; returns the exit status."""
    from lambda_latency import archive
    from lambda_latency.text import aligned

    names, rows = archive.query(options.archive, " ".join(options.arguments))
    if options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([names, *rows])
        return FINE
    print(aligned([names, *([str(value) for value in row] for row in rows)]), end="")
    return FINE


def sql(options: argparse.Namespace) -> int:
    """Print the table definitions for one engine; returns the exit status."""
    from lambda_latency.archive import DIALECTS, definitions

    dialect = options.arguments[0]
    if dialect not in DIALECTS:
        return usage(f"there is no engine {dialect!r}", f"choose from {', '.join(DIALECTS)}")
    print(definitions(dialect, options.archive), end="")
    return FINE


def compact(options: argparse.Namespace) -> int:
    """Merge small files; returns the exit status."""
    from lambda_latency import archive

    done = archive.compact(options.archive)
    found = f" {done.found:,} traces of an interrupted writer were recovered." if done.found else ""
    print(f"{options.archive}: {done.before:,} files before, {done.after:,} now.{found}")
    return FINE


def prune(options: argparse.Namespace) -> int:
    """Remove old days; returns the exit status."""
    from lambda_latency import archive

    days = archive.prune(options.archive, options.older_than)
    print(f"{options.archive}: {days:,} {'day' if days == 1 else 'days'} removed.")
    return FINE


def schedule(options: argparse.Namespace) -> int:
    """Print, write or deploy the stack that archives an account each hour; returns the exit status."""
    from lambda_latency.archive import TEMPLATE, install_packages, write_part

    if not (options.out or options.deploy):
        print(TEMPLATE.read_text(encoding="utf-8"), end="")
        return FINE
    if options.stack is None:
        return usage("--stack is missing", "add --stack and a name for the new stack")
    values = {"KeepDays": str(options.keep or ""), "Architecture": options.architecture}
    return write_and_deploy(
        options, options.stack, values, lambda folder: write_part(folder, options.architecture, install_packages)
    )
