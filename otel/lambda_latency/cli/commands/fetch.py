"""`lambda-latency fetch`: fetches traces from an AWS account into a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.exit_statuses import EXIT_STATUSES, INTERRUPTED
from lambda_latency.cli.messages import usage
from lambda_latency.cli.settings import settings_of
from lambda_latency.cli.xray import (
    account_of,
    add_choice_options,
    add_xray_options,
    asked_for,
    print_estimate,
    print_policy,
    progress_of,
    warn_of_early_end,
)

if TYPE_CHECKING:
    import argparse

    from lambda_latency.fetch import Result


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "fetch",
        help=summary,
        description="Fetches traces from X-Ray or Transaction Search into a file of JSON lines that `report` reads: "
        "the last hour or any period, each trace once. Handles throttling, pages and limits of AWS's APIs.",
        epilog=EXIT_STATUSES,
    )
    add_choice_options(parser)
    add_xray_options(parser, "the file to write")
    parser.add_argument("--archive", metavar="DIR", help="the archive to add to, in place of --out")
    parser.add_argument("--resume", action="store_true",
                        help="continue the interrupted fetch into --out, with its selection")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Fetch traces from an AWS account into a file; returns the exit status."""
    if options.print_policy:
        return print_policy()
    if options.archive is not None and options.out is not None:
        return usage("--out and --archive cannot be combined", "remove one of them")
    if options.archive is not None and not options.dry_run:
        options.out = incoming(options.archive)
    if options.out is None and not options.dry_run:
        return usage("--out is missing", "add --out FILE, or --archive DIR")
    if options.resume:
        return resume(options)
    options.region = options.region or settings_of(options).region
    asked = asked_for(options)
    account = account_of(options)
    if options.dry_run:
        return print_estimate(account, asked, options.source or "")
    result = account.fetch(asked, options.out, progress_of(options), source=options.source or "", notes=True)
    return told(result, options)


def incoming(archive: str) -> Path:
    """The file that receives traces before they are added to the archive."""
    from lambda_latency.archive import open_archive

    open_archive(archive, make=True)
    if "://" in archive:
        return Path(".lambda-latency-fetched")
    return Path(archive, ".fetched")


def resume(options: argparse.Namespace) -> int:
    """Continue an interrupted fetch; returns the exit status."""
    from lambda_latency.fetch import read_stopped

    chosen = ("since", "until", "route", "slower_than", "errors", "filter", "max", "max_gb", "source", "dry_run")
    given = [name for name in chosen if getattr(options, name)]
    if given:
        name = "--" + given[0].replace("_", "-")
        return usage(f"--resume continues with the selection of the interrupted fetch, got {name}", f"remove {name}")
    stopped = read_stopped(options.out)
    options.region = options.region or stopped.region
    return told(account_of(options).resume(stopped, options.out, progress_of(options)), options)


def told(result: Result, options: argparse.Namespace) -> int:
    """Print the result, and add the traces to the archive with --archive; returns the exit status."""
    if options.archive is None:
        print(result.told)
        warn_of_early_end(result)
        return result.status
    print(result.sentence)
    for one in result.problems:
        print(f"{one.effect}: {one.reason}")
    warn_of_early_end(result)
    if result.status == INTERRUPTED or result.fetched.ended is not None:
        print(f"Go on: lambda-latency fetch --resume --archive {options.archive}")
        return result.status
    from lambda_latency import archive
    from lambda_latency.cli.commands.archive import told_of

    try:
        added = archive.add(options.archive, [options.out])
    except archive.ArchiveError as error:
        todo = f"lambda-latency archive add {options.out} --archive {options.archive}"
        raise archive.ArchiveError(error.what, f"what was fetched is kept; add it later: {todo}") from error
    status = told_of(added, options.archive)
    options.out.unlink()
    return max(status, result.status)
