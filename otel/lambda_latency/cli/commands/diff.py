"""`lambda-latency diff`: compares two versions of a SAM app by counts."""

from __future__ import annotations

import argparse
import itertools
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import gate
from lambda_latency.cli.exit_statuses import FINE, GATE_FAILED, SOMETHING_SKIPPED
from lambda_latency.cli.laptop import add_app_options, progress_bar, require_local
from lambda_latency.cli.messages import usage
from lambda_latency.cli.report_options import form, wrong_formats
from lambda_latency.cli.settings import settings_of
from lambda_latency.files import replace_files, unwritable, writable_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambda_latency.diff import CountsDifference, DiffReport, Repository, SessionCall, Version
    from lambda_latency.latency import Gate

SESSION = Path("session.json")
FORMATS = ("text", "markdown", "json")
EPILOG = """\
exit status: 0 no condition was met, 3 one was met, 4 something was not
compared, 1 a version does not start, 2 usage"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "diff",
        help=summary,
        description="Runs two versions of the SAM app of this folder in the local system with the same requests, and "
        "compares what does not depend on the machine: calls, bytecodes by line of code, modules and bytecodes of a "
        "cold start, bytes. With one REF the other version is the working tree. Requests come from a session file that "
        "`serve --record` has written; without one, from example events (events/) and GET routes.",
        epilog=EPILOG,
    )
    parser.add_argument("ref", metavar="REF", help="the commit, branch or tag to compare with, such as main")
    parser.add_argument("head", nargs="?", metavar="REF", help="the version that is judged (default: the working tree)")
    parser.add_argument(
        "--session", type=Path, metavar="FILE", help=f"the recorded requests (default: {SESSION}, if there is one)"
    )
    parser.add_argument(
        "--fail-if",
        type=_condition,
        action="append",
        metavar="EXPR",
        help="exit with status 3 if 'calls > 0', 'work > 1%%', 'cold > 1%%' (these are the default), 'bytes > 10%%'; "
        "may be repeated",
    )
    parser.add_argument(
        "--format",
        type=partial(form, formats=FORMATS),
        action="append",
        metavar="FORMAT[=F]",
        help="print as text (default), markdown or json; with =F write it to the file F; may be repeated",
    )
    add_app_options(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")


def run(options: argparse.Namespace) -> int:
    """Compare two versions; returns the exit status."""
    require_local()
    from lambda_latency.diff import DEFAULTS, DiffReport, Repository, read_condition
    from lambda_latency.local import find_template

    conflict = wrong_formats(options.format or ())
    if conflict is not None:
        return usage(*conflict)
    repository = Repository(find_template(options.template))
    base = repository.version(options.ref)
    head = repository.version(options.head) if options.head else repository.working_tree()
    calls, requests = _session(options.session or SESSION, is_named=options.session is not None)
    difference = _compared(repository, base, head, calls, options)
    judged = [condition.judge(difference) for condition in options.fail_if or map(read_condition, DEFAULTS)]
    about = f"{head.label} was compared with {base.label}. Requests: {requests}."
    report = DiffReport(difference, judged, (base.label, head.label), [about, *repository.cautions(base, head)])
    _write(report, options.format or [("text", "-")])
    is_complete = not difference.not_compared and (difference.changes or difference.unchanged)
    return GATE_FAILED if report.failures else FINE if is_complete else SOMETHING_SKIPPED


def _session(path: Path, *, is_named: bool) -> tuple[list[SessionCall] | None, str]:
    """Return the calls of a file, and where the requests come from; None without the default file."""
    from lambda_latency.diff import read_session

    if not is_named and not path.exists():
        return None, "example events and GET routes, because there is no session"
    calls = read_session(path)
    return calls, f"{len(calls)} of {path}"


def _compared(
    repository: Repository, base: Version, head: Version, calls: list[SessionCall] | None, options: argparse.Namespace
) -> CountsDifference:
    """Run both versions and compare them, with a progress bar."""
    from lambda_latency.diff import DiffOptions, run_diff

    settings = settings_of(options)
    with progress_bar(quiet=options.quiet) as (stage, step):
        stage("starting both versions", 0)
        ended = itertools.count(1)

        def progress(total: int) -> None:
            if next(ended) == 1:
                stage("requests to both versions", total)
            step()

        authorizers, instrument = settings.authorizers == "on", settings.instrument or "kit"
        chosen = DiffOptions(calls, dict(options.parameter), authorizers, instrument)
        return run_diff(repository, base, head, chosen, progress)


def _write(report: DiffReport, forms: Sequence[tuple[str, str]]) -> None:
    """Write the difference in each form: files first, then what is printed. Raises `LocalError`."""
    from lambda_latency.diff import document, markdown, text
    from lambda_latency.local import LocalError

    render: dict[str, Callable[[DiffReport], str]] = {"text": text, "markdown": markdown, "json": document}
    texts = [(target, render[name](report)) for name, target in forms]
    try:
        replace_files([(Path(target), content) for target, content in texts if target != "-"])
    except OSError as error:
        raise LocalError(unwritable(error.filename, error), writable_by(error)) from error
    sys.stdout.writelines(content for target, content in texts if target == "-")


def _condition(expression: str) -> Gate:
    """Read a condition, such as `calls > 0`."""
    from lambda_latency.diff import read_condition

    return gate(expression, read_condition)
