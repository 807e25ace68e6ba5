"""The options of `lambda-latency report`: their declaration, their conflicts, and the request that they make."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import gate, ms
from lambda_latency.cli.settings import BEGINNINGS, COLOURS
from lambda_latency.cli.xray import XRAY_ONLY, add_choice_options, add_xray_options

if TYPE_CHECKING:
    import argparse

    from lambda_latency.cli.request import Request


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a report."""
    _add_input(parser.add_argument_group("input"))
    _add_filter(parser.add_argument_group("filter"))
    _add_output(parser.add_argument_group("output"))
    _add_gate(parser.add_argument_group("gate"))
    add_xray_options(parser.add_argument_group("account, with --xray"), "keep the fetched traces in this file")


def conflict_of(options: argparse.Namespace) -> tuple[str, str] | None:
    """The first conflict of options and its remedy; None if there is none."""
    if options.per_request and options.json is None:
        return "--per-request needs --json", "add --json FILE or --json -"
    if options.trace and (options.against or options.fail_if or options.markdown or options.by):
        return (
            "--trace shows one request and cannot be combined with --against, --fail-if, --markdown or --by",
            "remove one of them",
        )
    if options.redact and (options.trace or options.route):
        return "--redact renames routes and traces and cannot be combined with --trace or --route", "remove one of them"
    return _wrong_output(options) or _wrong_input(options)


def _wrong_output(options: argparse.Namespace) -> tuple[str, str] | None:
    for name in ("html", "flame"):
        if getattr(options, name) == "-":
            return f"--{name} cannot print to standard output", "name a file"
    if options.json == options.markdown == "-":
        return "--json - and --markdown - both write to standard output", "name a file for one of them"
    if options.brief and "-" in (options.json, options.markdown):
        return "--brief, --json - and --markdown - write to standard output", "name a file for the others"
    if options.against is None and any(one.what == "slower" for one in options.fail_if or ()):
        return "--fail-if 'slower ...' needs --against", "add --against BASELINE"
    return None


def _wrong_input(options: argparse.Namespace) -> tuple[str, str] | None:
    if options.xray and options.sources:
        return "files and --xray cannot be combined", "remove --xray or the files"
    alone = [name for name in XRAY_ONLY if getattr(options, name) not in (None, False)]
    if alone and not options.xray:
        return f"--{alone[0].replace('_', '-')} needs --xray", "add --xray"
    if [*options.sources, options.against].count("-") > 1:
        return "standard input is named twice, and can be read once", "name a file for one of them"
    if options.since is not None and options.until is not None and options.since >= options.until:
        return (
            "--since must be before --until",
            "a duration is an age: --since 2h --until 1h is the hour before the last",
        )
    if not options.xray and not options.sources:
        return "there is no input", "name a trace file or a folder, use - for standard input, or add --xray"
    return None


def _add_input(group: Any) -> None:
    group.add_argument("sources", nargs="*", metavar="SOURCE", help="a file, a folder, a pattern, or - for stdin")
    group.add_argument(
        "--xray", action="store_true", help="fetch the traces of the last hour, or --since T, from X-Ray"
    )
    group.add_argument(
        "--ours",
        action="append",
        metavar="PATTERN",
        help="services, hosts and parts that are internal, such as '*.example.com'; may be repeated",
    )
    group.add_argument("--theirs", action="append", metavar="PATTERN", help="the same for external ones")
    group.add_argument(
        "--from",
        dest="from_",
        choices=BEGINNINGS,
        metavar="WHERE",
        help="a request begins at its root (default), or at Lambda's own spans (lambda)",
    )
    group.add_argument("--no-skew", action="store_true", help="do not correct clock differences between services")
    group.add_argument(
        "--follow-links", action="store_true", help="join traces that span links connect, with the waits between them"
    )


def _add_filter(group: Any) -> None:
    add_choice_options(group)
    group.add_argument(
        "--slow", type=ms, metavar="MS", help="requests over MS milliseconds are slow (default: over p95)"
    )
    group.add_argument("--trace", metavar="ID", help="draw the waterfall of one request, with its critical path")


def _add_output(group: Any) -> None:
    group.add_argument("--json", metavar="F", help="write the report as JSON too; - prints it instead of the text")
    group.add_argument(
        "--html", metavar="F", help="write the report as an HTML page too: one file, without network access"
    )
    group.add_argument("--open", action="store_true", help="open the page in the browser")
    group.add_argument(
        "--markdown", metavar="F", help="write the report as Markdown too, for a pull request; - prints it"
    )
    group.add_argument(
        "--flame", metavar="F", help="a flame graph of all critical paths: folded stacks; *.json: Perfetto, speedscope"
    )
    group.add_argument("--per-request", action="store_true", help="with --json: each request, its parts and its path")
    group.add_argument(
        "--what-if", action="store_true", help="print the largest possible saving of each of the largest parts"
    )
    group.add_argument(
        "--by",
        metavar="ATTRIBUTE",
        help="print a table of its values (tenant.id, route, ...): requests, p50, p95, slow",
    )
    group.add_argument(
        "--redact", action="store_true", help="replace names of services, hosts, tables and paths, and ids"
    )
    group.add_argument("--problems", action="store_true", help="list what was skipped and what is inconsistent")
    group.add_argument(
        "--all", action="store_true", help="print table and waterfall even if nothing stands out, and every stack frame"
    )
    group.add_argument(
        "--brief", action="store_true", help="print the report for an assistant: at most 2,000 tokens, quoted names"
    )
    group.add_argument("--ascii", action="store_true", help="print ASCII only")
    group.add_argument("--color", choices=COLOURS, metavar="WHEN", help="auto (default), always or never")


def _add_gate(group: Any) -> None:
    group.add_argument(
        "--against", metavar="BASELINE", help="report which part became slower or faster since these traces"
    )
    group.add_argument(
        "--fail-if",
        type=gate,
        action="append",
        metavar="EXPR",
        help="exit with status 3 if 'p95 > 800ms', 'errors > 5%%', 'share(external) > 60%%', or with --against "
        "'slower > 5%%'; may be repeated",
    )


def request_of(options: argparse.Namespace) -> Request:
    """The request that the options make."""
    from lambda_latency.cli.request import Request
    from lambda_latency.latency import Owners, Terms
    from lambda_latency.trace import View

    view = View(skew=not options.no_skew, from_lambda=options.from_ == "lambda")
    html = options.html
    if options.open and html is None:
        html = str(Path(tempfile.mkdtemp(prefix="lambda-latency-"), "report.html"))
    return Request(
        sources=options.sources,
        slow_ns=options.slow,
        since_ns=options.since,
        until_ns=options.until,
        route=options.route,
        trace_id=options.trace,
        json=options.json,
        html=html,
        markdown=options.markdown,
        flame=options.flame,
        against=options.against,
        fail_if=options.fail_if,
        per_request=options.per_request,
        problems=options.problems,
        everything=options.all,
        what_if=options.what_if,
        brief=options.brief,
        by=options.by,
        command=shlex.join(["lambda-latency", *options.typed]),
        proof=_proof(options),
        terms=Terms(view, Owners(tuple(options.ours), tuple(options.theirs))),
        follow_links=options.follow_links,
        redact=options.redact,
    )


def _proof(options: argparse.Namespace) -> list[str]:
    """The command as it was typed, without --brief, and with times in place of ages."""
    from lambda_latency.text import instant_of

    words = [word for word in options.typed if word != "--brief"]
    for name in ("since", "until"):
        at = getattr(options, name)
        for place, word in enumerate(words):
            if at is not None and word == f"--{name}" and place + 1 < len(words):
                words[place + 1] = instant_of(at)
            elif at is not None and word.startswith(f"--{name}="):
                words[place] = f"--{name}={instant_of(at)}"
    return words
