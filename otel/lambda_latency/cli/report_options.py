"""The options of `lambda-latency report`: their declaration, their conflicts, and the request that they make."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import gate, ms
from lambda_latency.cli.parser import Parser
from lambda_latency.cli.settings import analysis_options_of
from lambda_latency.cli.xray import add_choice_options

if TYPE_CHECKING:
    from lambda_latency.cli.request import Request

FORMATS = ("text", "brief", "markdown", "json")
CONDITIONS = (
    "exit with status 3 if 'p95 > 800ms', 'errors > 5%%', 'share(external) > 60%%', or with --against "
    "'slower > 5%%'; may be repeated"
)
FETCH_FIRST = "lambda-latency fetch has it: `lambda-latency fetch ... --out - | lambda-latency report -`"
# What to do in place of the options of earlier versions.
REMOVED = {
    "--json": "write --format json to print it, or --format json=FILE",
    "--markdown": "write --format markdown to print it, or --format markdown=FILE",
    "--brief": "write --format brief",
    "--open": "open the file of --html",
    "--per-request": "--all with --format json writes each request",
    "--what-if": "--all prints the largest possible savings, and the page of --html has them",
    "--ascii": "the output is ASCII where the terminal or the locale has no more (LC_ALL=C)",
    "--color": "set color in lambda-latency.toml, or the variable LAMBDA_LATENCY_COLOR or NO_COLOR",
    "--from": "set from in lambda-latency.toml, or the variable LAMBDA_LATENCY_FROM",
    "--no-skew": 'set clock-skew = "keep" in lambda-latency.toml, or LAMBDA_LATENCY_CLOCK_SKEW=keep',
    **dict.fromkeys(
        ("--slower-than", "--errors", "--filter", "--max", "--max-gb", "--source", "--out", "--dry-run"), FETCH_FIRST
    ),
}
# Options that only a report on an account takes.
ACCOUNT_ONLY = ("profile", "region")
# Options that explain an alarm takes; all others of a report are about sources.
ALARM_TAKES = frozenset({"alarm", "until", "slow", "ours", "theirs", "html", "profile", "region", "quiet"})


def add_report_options(parser: Parser) -> None:
    """Add the options of a report."""
    parser.removed = REMOVED
    _add_input(parser.add_argument_group("input"))
    choosing = parser.add_argument_group("filter")
    add_choice_options(choosing)
    choosing.add_argument(
        "--slow", type=ms, metavar="MS", help="requests over MS milliseconds are slow (default: over p95)"
    )
    choosing.add_argument("--trace", metavar="ID", help="draw the waterfall of one request, with its critical path")
    _add_output(parser.add_argument_group("output"))
    add = parser.add_argument_group("gate").add_argument
    add("--against", metavar="BASELINE", help="report which part became slower or faster since these traces")
    add("--fail-if", type=gate, action="append", metavar="EXPR", help=CONDITIONS)


def conflict_of(options: argparse.Namespace) -> tuple[str, str] | None:
    """Return the first conflict of options and its remedy; None if there is none."""
    if options.alarm is not None:
        return _wrong_with_alarm(options)
    documents = _format_of(options, "markdown") or _format_of(options, "json")
    if options.trace and any((options.against, options.fail_if, documents, options.by)):
        return (
            "--trace shows one request and cannot be combined with --against, --fail-if, --by, or another --format",
            "remove one of them",
        )
    if options.redact and (options.trace or options.route):
        return "--redact renames routes and traces and cannot be combined with --trace or --route", "remove one of them"
    return _wrong_output(options) or _wrong_input(options)


def _wrong_with_alarm(options: argparse.Namespace) -> tuple[str, str] | None:
    """Return a conflict with --alarm, which names the traces: no other option may select them."""
    if options.sources or options.xray:
        return "--alarm reads the traces of the alarm's window and takes no other input", "remove --alarm or the input"
    unrelated = vars(options).keys() - ALARM_TAKES - {"command", "sources", "xray", "typed", "verbose"}
    typed = sorted(_typed(options, unrelated))
    if typed:
        return f"--alarm and --{typed[0].replace('_', '-')} cannot be combined", "remove one of them"
    return None


def _typed(options: argparse.Namespace, names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(options, name) not in (None, False)]


def _format_of(options: argparse.Namespace, name: str) -> str | None:
    """Return the target of a format: a file's name, - for standard output, or None."""
    return dict(options.format or ()).get(name)


def _wrong_output(options: argparse.Namespace) -> tuple[str, str] | None:
    for name in ("html", "flame"):
        if getattr(options, name) == "-":
            return f"--{name} cannot print to standard output", "name a file"
    wrong = wrong_formats(options.format or ())
    if wrong is not None:
        return wrong
    needing = [gate.value for gate in options.fail_if or () if gate.condition.needs_baseline]
    if options.against is None and needing:
        return f"--fail-if '{needing[0]} ...' needs --against", "add --against BASELINE"
    return None


def wrong_formats(formats: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """Return a conflict of formats and its remedy; None if there is none."""
    names = [name for name, _ in formats]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return f"--format {twice} is named twice", "remove one of them"
    printed = [name for name, target in formats if target == "-"]
    if len(printed) > 1:
        return (
            f"--format {printed[0]} and --format {printed[1]} both print",
            f"name a file for one of them: --format {printed[1]}=FILE",
        )
    return None


def _wrong_input(options: argparse.Namespace) -> tuple[str, str] | None:
    if options.xray and options.sources:
        return "files and --xray cannot be combined", "remove --xray or the files"
    alone = _typed(options, ACCOUNT_ONLY)
    if alone and not options.xray:
        return f"--{alone[0]} needs --xray or --alarm", "add --xray"
    if [*options.sources, options.against].count("-") > 1:
        return "standard input is named twice, and can be read once", "name a file for one of them"
    if None not in (options.since, options.until) and options.since >= options.until:
        return (
            "--since must be before --until",
            "a duration is an age: --since 2h --until 1h is the hour before the last",
        )
    if not options.xray and not options.sources:
        return "there is no input", "name a trace file or a folder, use - for standard input, or add --xray"
    return None


def _add_input(group: Any) -> None:
    add = group.add_argument
    add("sources", nargs="*", metavar="SOURCE", help="a file, a folder, a pattern, or - for stdin")
    add("--xray", action="store_true", help="fetch the traces of the last hour, or --since T, from X-Ray")
    add("--alarm", metavar="NAME", help="explain why this CloudWatch alarm fired last, or last before --until T")
    add("--profile", metavar="P", help="with --xray or --alarm: profile of the AWS configuration")
    add("--region", metavar="R", help="with --xray or --alarm: region of the traces")
    add(
        "--ours",
        action="append",
        metavar="PATTERN",
        help="services, hosts and parts that are internal, such as '*.example.com'; may be repeated",
    )
    add("--theirs", action="append", metavar="PATTERN", help="the same for external ones")
    add("--follow-links", action="store_true", help="join traces that span links connect, with the waits between them")


def _add_output(group: Any) -> None:
    add = group.add_argument
    add(
        "--format",
        type=form,
        action="append",
        metavar="FORMAT[=F]",
        help="print as text (default), brief (for an assistant: at most 2,000 tokens), markdown or json; with =F "
        "write it to the file F; may be repeated",
    )
    add("--html", metavar="F", help="write the report as an HTML page too: one file, without network access")
    add("--flame", metavar="F", help="a flame graph of all critical paths: folded stacks; *.json: Perfetto, speedscope")
    add(
        "--by",
        metavar="ATTRIBUTE",
        help="print a table of its values (tenant.id, route, ...): requests, p50, p95, slow",
    )
    add("--redact", action="store_true", help="replace names of services, hosts, tables and paths, and ids")
    add("--no-redaction", action="store_true", help="keep secrets in the values of attributes on the page of --html")
    add("--problems", action="store_true", help="list what was skipped, what is inconsistent, and broken traces")
    add(
        "--all",
        action="store_true",
        help="print all tables, the waterfall and every stack frame; with --format json each request",
    )
    add("-q", "--quiet", action="store_true", help="no progress and no notes")


def form(text: str, formats: Sequence[str] = FORMATS) -> tuple[str, str]:
    """Split `json` or `json=report.json` into a format and the report's target, `-` for standard output."""
    name, equals, target = text.partition("=")
    if name not in formats:
        raise argparse.ArgumentTypeError(f"must be {', '.join(formats)}, or one of them and a file, got {text!r}")
    if equals and not target:
        raise argparse.ArgumentTypeError(f"names no file, got {text!r}")
    if equals and name in ("text", "brief"):
        raise argparse.ArgumentTypeError(f"prints {name}: write > {target}")
    return name, target or "-"


def request_of(options: argparse.Namespace) -> Request:
    """Return the request that the options make."""
    from lambda_latency.cli.request import Request

    return Request(
        sources=options.sources,
        slow_ns=options.slow,
        since_ns=options.since,
        until_ns=options.until,
        route=options.route,
        trace_id=options.trace,
        json=_format_of(options, "json"),
        html=options.html,
        markdown=_format_of(options, "markdown"),
        flame=options.flame,
        against=options.against,
        fail_if=options.fail_if,
        problems=options.problems,
        ignored=options.ignore,
        everything=options.all,
        brief=_format_of(options, "brief") is not None,
        by=options.by,
        command=shlex.join(["lambda-latency", *options.typed]),
        proof=_proof(options),
        analysis_options=analysis_options_of(options),
        follow_links=options.follow_links,
        redact=options.redact,
        redaction=not options.no_redaction,
    )


def _proof(options: argparse.Namespace) -> list[str]:
    """Return the command as it was typed, without its formats, and with times in place of ages."""
    from lambda_latency.text import instant_of

    typed, words = iter(options.typed), list[str]()
    for word in typed:
        if word == "--format":
            next(typed, None)
        elif not word.startswith("--format="):
            words.append(word)
    for name in ("since", "until"):
        time_ns = getattr(options, name)
        if time_ns is None:
            continue
        for index, word in enumerate(words):
            if word == f"--{name}" and index + 1 < len(words):
                words[index + 1] = instant_of(time_ns)
            elif word.startswith(f"--{name}="):
                words[index] = f"--{name}={instant_of(time_ns)}"
    return words
