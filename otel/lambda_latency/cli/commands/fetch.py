"""`lambda-latency fetch`: fetches traces from an AWS account into a file."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import count, gigabytes, ms
from lambda_latency.cli.exit_statuses import FINE, INTERRUPTED
from lambda_latency.cli.messages import usage
from lambda_latency.cli.settings import settings_of
from lambda_latency.cli.xray import account_of, add_choice_options, progress_of, warn_of_early_end

if TYPE_CHECKING:
    import argparse

    from lambda_latency.cli.parser import Parser
    from lambda_latency.fetch import Account, Result, Selection

STDOUT = Path("-")
EPILOG = """\
exit status: 0 fine, 1 failed or no trace, 2 usage, 4 fetched but something is
missing, 130 Ctrl-C
"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser: Parser = subparsers.add_parser(
        "fetch",
        help=summary,
        description="Fetches traces from X-Ray or Transaction Search into a file of JSON lines that `report` reads: "
        "the last hour or any period, each trace once. Handles throttling, pages and limits of AWS's APIs.",
        epilog=EPILOG,
    )
    add_choice_options(parser)
    add = parser.add_argument
    add("--slower-than", type=ms, metavar="MS", help="only requests that took over MS milliseconds")
    add("--errors", action="store_true", help="only requests that were answered with 4xx or 5xx")
    add("--filter", metavar="EXPR", help="only traces that match this filter expression of X-Ray")
    add("--max", type=count, metavar="N", help="at most N traces, the newest")
    add("--max-gb", type=gigabytes, metavar="GB", help="stop before Logs Insights scans more (Transaction Search)")
    add(
        "--source",
        choices=("x-ray", "transaction-search", "both"),
        help="where to read traces (default: the destination that the account is set to)",
    )
    add("--out", type=Path, metavar="FILE", help="the file to write; - for standard output")
    add("--archive", metavar="DIR", help="the archive to add to, in place of --out")
    add("--resume", action="store_true", help="continue the interrupted fetch into --out, with its selection")
    add("--dry-run", action="store_true", help="print the number of calls and what X-Ray charges")
    add("--profile", metavar="P", help="profile of the AWS configuration")
    add("--region", metavar="R", help="region of X-Ray")
    add("-q", "--quiet", action="store_true", help="no progress and no notes")


def run(options: argparse.Namespace) -> int:
    """Fetch traces from an AWS account into a file; returns the exit status."""
    if options.archive is not None and options.out is not None:
        return usage("--out and --archive cannot be combined", "remove one of them")
    if options.archive is not None and not options.dry_run:
        options.out = incoming(options.archive)
    if options.out is None and not options.dry_run:
        return usage("--out is missing", "add --out FILE, or --archive DIR")
    return resume(options) if options.resume else fetch(options)


def fetch(options: argparse.Namespace) -> int:
    """Fetch the traces that the options select; returns the exit status."""
    from lambda_latency.fetch import Choice, resolve  # a slow import that no wrong command line needs

    options.region = options.region or settings_of(options).region
    choice = Choice((options.filter or "").strip() or None, options.slower_than, options.errors, options.route)
    selection = resolve(
        options.since,
        options.until,
        now_ns=time.time_ns(),
        choice=choice,
        most=options.max,
        most_billed=options.max_gb,
    )
    account = account_of(options)
    if options.dry_run:
        print(account.estimate(selection, options.source or ""), end="")
        return FINE
    if options.out == STDOUT:
        return print_traces(account, selection, options)
    result = account.fetch(selection, options.out, progress_of(options), source=options.source or "", notes=True)
    return report_result(result, options)


def print_traces(account: Account, selection: Selection, options: argparse.Namespace) -> int:
    """Write the traces to standard output, once all are fetched; returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        path = Path(folder, "traces.jsonl")
        result = account.fetch(selection, path, progress_of(options), source=options.source or "")
        with path.open(encoding="utf-8") as traces:
            shutil.copyfileobj(traces, sys.stdout)
    if not options.quiet:
        print(result.sentence, file=sys.stderr)
    warn_of_early_end(result)
    return result.status


def incoming(archive: str) -> Path:
    """Return the file that receives traces before they are added to the archive."""
    from lambda_latency.archive import open_archive

    open_archive(archive, make=True)
    if "://" in archive:
        return Path(".lambda-latency-fetched")
    return Path(archive, ".fetched")


def resume(options: argparse.Namespace) -> int:
    """Continue an interrupted fetch; returns the exit status."""
    from lambda_latency.fetch import read_stopped

    if options.out == STDOUT:
        return usage("--resume needs the file of the interrupted fetch", "name it with --out")
    chosen = ("since", "until", "route", "slower_than", "errors", "filter", "max", "max_gb", "source", "dry_run")
    typed = [name for name in chosen if getattr(options, name)]
    if typed:
        name = "--" + typed[0].replace("_", "-")
        return usage(f"--resume continues with the selection of the interrupted fetch, got {name}", f"remove {name}")
    stopped = read_stopped(options.out)
    options.region = options.region or stopped.region
    return report_result(account_of(options).resume(stopped, options.out, progress_of(options)), options)


def report_result(result: Result, options: argparse.Namespace) -> int:
    """Print the result, and add the traces to the archive with --archive; returns the exit status."""
    if options.archive is None:
        print(result.text)
        warn_of_early_end(result)
        return result.status
    print(result.sentence)
    for problem in result.problems:
        print(f"{problem.effect}: {problem.reason}")
    warn_of_early_end(result)
    if result.status == INTERRUPTED or result.fetched.ended is not None:
        print(f"Go on: lambda-latency fetch --resume --archive {options.archive}")
        return result.status
    from lambda_latency import archive
    from lambda_latency.cli.commands.archive import report_added

    try:
        added = archive.add(options.archive, [options.out])
    except archive.ArchiveError as error:
        todo = f"lambda-latency archive add {options.out} --archive {options.archive}"
        raise archive.ArchiveError(error.what, f"what was fetched is kept; add it later: {todo}") from error
    status = report_added(added, options.archive)
    options.out.unlink()
    return max(status, result.status)
