"""`lambda-latency doctor`: finds what is wrong with an app's tracing, before it is deployed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import add_parameter_option, add_template_option
from lambda_latency.cli.exit_statuses import FINE, GATE_FAILED, SOMETHING_SKIPPED
from lambda_latency.cli.messages import usage, warn
from lambda_latency.spelling import did_you_mean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Sequence

    from lambda_latency.doctor import Finding

EPILOG = """\
examples:
  lambda-latency doctor                         the template of this folder
  lambda-latency doctor --template app/template.yaml --region eu-west-1
  lambda-latency doctor --format sarif >doctor.sarif
  lambda-latency doctor --explain packages-clash

exit status: 0 fine, 1 failed, 2 usage, 3 an error was found (with --strict: or
a warning), 4 AWS refused a call, so not everything was checked, 130 Ctrl-C
"""
FORMATS = ("text", "json", "sarif")
# What to do in place of the options of earlier versions.
REMOVED = {
    "PATH": "write --template PATH",
    "--json": "write --format json",
    "--sarif": "write --format sarif",
    "--trace": "lambda-latency report FILE --problems; for an id: report --xray --trace ID --problems",
    "--print-policy": "lambda-latency policy doctor prints it",
}


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "doctor",
        help=summary,
        description="Reads a SAM or CloudFormation template, the collector's file, the sources and what is built, and "
        "reports what would make tracing fail or lose spans silently. Only --account, --stack and --online call AWS.",
        epilog=EPILOG,
    )
    add_template_option(parser)
    parser.add_argument("--region", default="", metavar="R", help="region of the deployment")
    add_parameter_option(parser)
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="RULE", help="leave a rule out; may be repeated"
    )
    parser.add_argument("--strict", action="store_true", help="exit with status 3 for warnings, too")
    parser.add_argument("--format", choices=FORMATS, default="text", help="text (default), json, or sarif for GitHub")
    account = parser.add_argument_group("deployed resources, by read-only calls (extra doctor)")
    account.add_argument("--account", action="store_true", help="check what is deployed instead of a template")
    account.add_argument("--stack", default="", metavar="S", help="compare the functions of a stack with the template")
    account.add_argument("--online", action="store_true", help="ask Lambda for the packages of the template's layers")
    account.add_argument("--profile", metavar="P", help="a profile of the AWS configuration")
    parser.add_argument("--explain", metavar="RULE", help="explain a rule and exit")
    parser.removed = REMOVED


def run(options: argparse.Namespace) -> int:
    """Print the findings; returns the exit status: 3 for errors, with --strict for warnings too, 4 if a call failed."""
    from lambda_latency.cli.settings import settings_of
    from lambda_latency.doctor import ALL_RULES, explained, rule_of

    if options.explain is not None:
        rule = rule_of(options.explain)
        if rule is None:
            return _no_rule(options.explain)
        print(explained(rule), end="")
        return FINE
    ignored = {*settings_of(options).ignore, *options.ignore}
    unknown = sorted(ignored - {rule.name for rule in ALL_RULES})
    if unknown:
        return _no_rule(unknown[0])
    from_account = options.account or options.stack
    findings, failed = _of_account(options, ignored) if from_account else _of_template(options, ignored)
    if failed:
        _warn_of_refusals(failed, options.format)
    print(_document(findings, options.format))
    return _status(findings, failed, ("error", "warning") if options.strict else ("error",))


def _warn_of_refusals(failed: int, form: str) -> None:
    text = f"Not everything was checked: AWS refused {failed} call{'s' if failed > 1 else ''}.\n"
    print(text, file=None if form == "text" else sys.stderr)


def _status(findings: Sequence[Finding], failed: int, severities: Sequence[str]) -> int:
    if any(finding.severity in severities for finding in findings):
        return GATE_FAILED
    return SOMETHING_SKIPPED if failed else FINE


def _of_template(options: argparse.Namespace, ignored: Collection[str]) -> tuple[tuple[Finding, ...], int]:
    """Return the findings about a template, and the number of refused calls."""
    from lambda_latency.doctor import Deployment, Online, diagnose
    from lambda_latency.fetch import Place

    online = Online(Place(options.profile)) if options.online else None
    findings = diagnose(options.template, Deployment(dict(options.parameter), options.region, online), ignored)
    failed = online.failed if online is not None else {}
    for arn, why in failed.items():
        warn(f"Lambda does not tell the packages of {arn}: {why}\n  lambda-latency policy doctor")
    return findings, len(failed)


def _of_account(options: argparse.Namespace, ignored: Collection[str]) -> tuple[tuple[Finding, ...], int]:
    """Return the findings about deployed resources, and the number of refused calls.

    A stack is compared with its template, if there is one.
    """
    from lambda_latency.doctor import Deployment, diagnose_account, read_app, template_in
    from lambda_latency.fetch import Place
    from lambda_latency.template import Diagnostic

    app = None
    if options.stack:
        read = read_app(template_in(options.template), Deployment(dict(options.parameter), options.region))
        app = None if isinstance(read, Diagnostic) else read
    place = Place(options.profile, options.region or None)
    findings = tuple(f for f in diagnose_account(place, options.stack, app) if f.rule not in ignored)
    return findings, sum(finding.rule == "account-rights" for finding in findings)


def _document(findings: Sequence[Finding], form: str) -> str:
    from lambda_latency.doctor import ALL_RULES, as_json, as_sarif, as_text
    from lambda_latency.version import VERSION

    if form == "json":
        return as_json(findings)
    return as_sarif(findings, ALL_RULES, VERSION) if form == "sarif" else as_text(findings).rstrip("\n")


def _no_rule(name: str) -> int:
    from lambda_latency.doctor import ALL_RULES

    names = [rule.name for rule in ALL_RULES]
    return usage(f"there is no rule {name!r}", did_you_mean(name, names, f"known are {', '.join(names)}"))
