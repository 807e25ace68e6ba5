"""`lambda-latency doctor`: finds what is wrong with an app's tracing, before it is deployed."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import add_parameter_option
from lambda_latency.cli.exit_statuses import EXIT_STATUSES, FINE, GATE_FAILED
from lambda_latency.cli.messages import fail, usage, warn
from lambda_latency.spelling import did_you_mean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Sequence

    from lambda_latency.doctor import Finding

EPILOG = f"""\
examples:
  lambda-latency doctor                         the template of this folder
  lambda-latency doctor app/template.yaml --region eu-west-1
  lambda-latency doctor --sarif doctor.sarif    for GitHub's code scanning
  lambda-latency doctor --explain packages-clash

{EXIT_STATUSES}
"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "doctor",
        help=summary,
        description="Reads a SAM or CloudFormation template, the collector's file, the sources and what is built, and "
        "reports what would make tracing fail or lose spans silently. Only --account, --stack, --online and --trace ID "
        "call AWS.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="a template, or a folder with one; default ."
    )
    parser.add_argument("--region", default="", metavar="R", help="region of the deployment")
    add_parameter_option(parser)
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="RULE", help="leave a rule out; may be repeated"
    )
    parser.add_argument("--strict", action="store_true", help="exit with status 3 for warnings, too")
    parser.add_argument(
        "--json", type=Path, metavar="F", help="write the findings as JSON; - prints them instead of text"
    )
    parser.add_argument(
        "--sarif", type=Path, metavar="F", help="write the findings as SARIF; - prints them instead of text"
    )
    parser.add_argument("--trace", metavar="FILE|ID", help="find why the traces of a file, or one of X-Ray, are broken")
    account = parser.add_argument_group("deployed resources, by read-only calls (extra doctor)")
    account.add_argument("--account", action="store_true", help="check what is deployed instead of a template")
    account.add_argument("--stack", default="", metavar="S", help="compare the functions of a stack with PATH")
    account.add_argument("--online", action="store_true", help="ask Lambda which packages PATH's ADOT layers have")
    account.add_argument("--profile", metavar="P", help="a profile of the AWS configuration")
    account.add_argument("--endpoint-url", metavar="U", help="address of AWS's services, if not AWS")
    account.add_argument("--print-policy", action="store_true", help="print the minimal IAM policy and exit")
    parser.add_argument("--explain", metavar="RULE", help="explain a rule and exit")


def run(options: argparse.Namespace) -> int:
    """Print the findings; returns the exit status: 3 for errors, with --strict for warnings too."""
    from lambda_latency.cli.settings import settings_of
    from lambda_latency.doctor import (
        ALL_RULES,
        ONLINE_POLICY,
        Online,
        Where,
        account_policy,
        diagnose,
        explained,
        rule_of,
    )
    from lambda_latency.fetch import Place

    if options.explain is not None:
        rule = rule_of(options.explain)
        if rule is None:
            return _no_rule(options.explain)
        print(explained(rule), end="")
        return FINE
    if options.print_policy:
        print(json.dumps(ONLINE_POLICY, indent=2) if options.online else account_policy())
        return FINE
    ignored = {*settings_of(options).ignore, *options.ignore}
    unknown = sorted(ignored - {rule.name for rule in ALL_RULES})
    if unknown:
        return _no_rule(unknown[0])
    if options.trace is not None:
        findings = tuple(one for one in _of_traces(options) if one.rule not in ignored)
    elif options.account or options.stack:
        findings = _of_account(options, ignored)
    else:
        online = Online(Place(options.profile, None, options.endpoint_url)) if options.online else None
        findings = diagnose(Path(options.path), Where(dict(options.parameter), options.region, online), ignored)
        for arn, why in online.failed.items() if online is not None else ():
            warn(f"Lambda does not tell the packages of {arn}: {why}\n  lambda-latency doctor --online --print-policy")
    _write(findings, options)
    levels = ("error", "warning") if options.strict else ("error",)
    return GATE_FAILED if any(one.severity in levels for one in findings) else FINE


def _of_account(options: argparse.Namespace, ignored: Collection[str]) -> tuple[Finding, ...]:
    """The findings about deployed resources; a stack is compared with its template, if there is one."""
    from lambda_latency.doctor import Where, diagnose_account, read_app, template_in
    from lambda_latency.fetch import Place
    from lambda_latency.template import Finding as Unread

    app = None
    if options.stack:
        read = read_app(template_in(Path(options.path)), Where(dict(options.parameter), options.region))
        app = None if isinstance(read, Unread) else read
    place = Place(options.profile, options.region or None, options.endpoint_url)
    return tuple(one for one in diagnose_account(place, options.stack, app) if one.rule not in ignored)


def _of_traces(options: argparse.Namespace) -> tuple[Finding, ...]:
    """The findings about the traces of a file, or about the trace in X-Ray that has the given id."""
    import tempfile
    import time

    from lambda_latency.doctor import diagnose_traces
    from lambda_latency.fetch import Account, NothingFoundError, Place, resolve
    from lambda_latency.trace import read_traces

    if Path(options.trace).exists():
        reading = read_traces(options.trace)
        skipped = sum(problem.effect == "skipped" for problem in reading.problems)
        if skipped:
            parts = "1 part of it" if skipped == 1 else f"{skipped:,} parts of it"
            warn(f"{parts} could not be read\n  lambda-latency report {options.trace} --problems lists them")
        return diagnose_traces(options.trace, reading.traces)
    if not re.fullmatch(r"(?i)(1-)?[0-9a-f]{8}-?[0-9a-f]{24}", options.trace):
        fail(f"{options.trace!r} is neither a file nor a trace id", "name a trace file, or the id of a trace in X-Ray")
    account = Account(Place(options.profile, options.region or None, options.endpoint_url))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "trace.jsonl")
        with contextlib.suppress(NothingFoundError):  # a missing trace is a finding
            account.fetch(resolve(None, None, now_ns=time.time_ns(), trace_id=options.trace), out, io.StringIO())
        return diagnose_traces(options.trace, read_traces(out).traces if out.exists() else ())


def _write(findings: Sequence[Finding], options: argparse.Namespace) -> None:
    from lambda_latency.doctor import ALL_RULES, as_json, as_sarif, as_text
    from lambda_latency.files import replace_files
    from lambda_latency.version import VERSION

    documents = (
        (options.json, as_json(findings)),
        (options.sarif, as_sarif(findings, ALL_RULES, VERSION)),
    )
    replace_files((path, f"{text}\n") for path, text in documents if path is not None and str(path) != "-")
    printed = [text for path, text in documents if str(path) == "-"]
    print(*(printed or [as_text(findings).rstrip("\n")]), sep="\n")


def _no_rule(name: str) -> int:
    from lambda_latency.doctor import ALL_RULES

    known = [rule.name for rule in ALL_RULES]
    return usage(f"there is no rule {name!r}", did_you_mean(name, known, f"known are {', '.join(known)}"))
