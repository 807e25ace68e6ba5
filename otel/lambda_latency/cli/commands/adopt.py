"""`lambda-latency adopt`: edits an app so that it is traced; a dry run without --write."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import add_template_option, region
from lambda_latency.cli.exit_statuses import FINE, GATE_FAILED, SOMETHING_SKIPPED
from lambda_latency.cli.messages import fail, usage, warn
from lambda_latency.documentation import page_address

if TYPE_CHECKING:
    from lambda_latency.adopt import Plan

REGION = "us-east-1"  # where no number of a layer is needed
LAYER = re.compile(r"arn:aws[a-z-]*:lambda:[a-z]{2}(-[a-z]+)+-\d:\d{12}:layer:[A-Za-z0-9_-]+:\d+")
LAYERS = "--layer ARN, which `lambda-latency stack layer` deploys and prints, or --vendor for a copy in the app"
TRACED_BEFORE = ("as it is", "switched")
TEMPLATES = (".yaml", ".yml", ".json", ".template")
EPILOG = """\
exit status: 0 fine, 1 failed, 2 usage, 3 --check: not adopted or not up to
date, 4 some functions cannot be edited, 130 Ctrl-C
"""
HEADINGS = ("function", "runtime", "processor", "edited in", "bridge", "permission")


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "adopt",
        help=summary,
        description="Edits a SAM app so that its Python functions are traced, with the layer of `lambda-latency stack "
        "layer` (--layer ARN: a few lines in the template), or with a copy of the kit in the app (--vendor). Without "
        "--write nothing is written: the edits are printed. For CDK and the Serverless Framework, --layer prints the "
        "lines.",
        epilog=EPILOG,
    )
    parser.removed = {
        "PATH": "write --template PATH",
        "--rewrite": f"the kit runs X-Ray SDK code as it is; {page_address('how-to/adopt')} has the edits by hand",
    }
    add_template_option(parser)
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--write", action="store_true", help="write the edits")
    actions.add_argument("--undo", action="store_true", help="restore every byte that --write changed")
    actions.add_argument(
        "--check", action="store_true", help="exit with status 3 unless the app is adopted and up to date"
    )
    actions.add_argument("--upgrade", action="store_true", help="replace the kit's layer by the one of this release")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--layer", type=layer, metavar="ARN",
                       help="the kit's layer in the account, which `lambda-latency stack layer` deploys")  # fmt: skip
    kinds.add_argument("--vendor", action="store_true", help="copy the kit's layer into a folder of the app")
    parser.add_argument("--export", choices=("collector", "daemon", "otlp"),
                        help="what takes the spans to X-Ray: ADOT's collector, a layer; Lambda's daemon; or X-Ray's "
                        "own OTLP endpoint; default in a new app: daemon with --layer, collector with --vendor; "
                        "unchanged in an adopted one")  # fmt: skip
    parser.add_argument("--instrumentation", choices=("kit", "layer"),
                        help="what starts OpenTelemetry: the kit's wrapper, or that of ADOT's layer; default: kit in a "
                        "new app, unchanged in an adopted one")  # fmt: skip
    parser.add_argument("--packages", choices=("adot", "bundled"), default="adot",
                        help="where OpenTelemetry's packages are: in ADOT's layer, or in the kit's own; "
                        "default adot")  # fmt: skip
    parser.add_argument("--region", type=region, action="append", default=[], metavar="R",
                        help="with --vendor: where the app is deployed, for the number of ADOT's layer; may be "
                        "repeated; default: that of samconfig.toml, AWS_REGION or the AWS profile")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="write even if git has uncommitted changes")


def layer(text: str) -> str:
    """Return the ARN of a layer's version, as argparse's type."""
    if LAYER.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the ARN of a layer's version: arn:aws:lambda:REGION:ACCOUNT:layer:NAME:NUMBER"
        )
    return text


def run(options: argparse.Namespace) -> int:
    """Plan the edits, print them, and write them if requested; returns the exit status."""
    from lambda_latency.adopt import find_template, framework_lines, undo

    lines = framework_lines(options.template, options.layer or "")
    if lines:
        print(lines, end="")
        return FINE
    template = find_template(options.template)
    if options.undo:
        files = undo(template.parent)
        print(f"{template.parent} is restored: {len(files)} files.")
        return FINE
    return _adopt(options, template)


def _adopt(options: argparse.Namespace, template: Path) -> int:
    """Plan the edits of a template, print them, and write them if requested; returns the exit status."""
    from lambda_latency.adopt import AdoptOptions, make_plan

    regions, origin = _regions(options, template)
    goal = AdoptOptions(options.export, packages=options.packages, regions=regions,
                        instrumentation=options.instrumentation, layer=options.layer or "")  # fmt: skip
    plan = make_plan(template, goal)
    if options.check:
        return _check(plan, options)
    if options.upgrade and not _is_adopted(plan):
        return usage(f"{template} is not adopted", f"{_command(options, '--write')} adopts it")
    if _is_layer_missing(plan, options):
        return usage("name the layer that the functions get", LAYERS)
    print(_text(plan), end="")
    if origin and not _is_complete(plan):
        print(f"ADOT's layer is that of {', '.join(regions)} ({origin}).")
    _finish(plan, template, options)
    return SOMETHING_SKIPPED if plan.skipped else FINE


def _is_layer_missing(plan: Plan, options: argparse.Namespace) -> bool:
    """Return whether nothing says where a new app has the kit's layer."""
    return not (options.layer or options.vendor or _is_adopted(plan)) and bool(plan.summaries)


def _finish(plan: Plan, template: Path, options: argparse.Namespace) -> None:
    """Write the edits, or say what writes them."""
    if not plan.changes and not plan.outdated:
        print(f"Nothing to do: {_nothing_to_do(plan)}")
    elif options.write or options.upgrade:
        _write(plan, template, options)
    else:
        print(f"Nothing was written. `{_command(options, '--write')}` writes it.")


def _regions(options: argparse.Namespace, template: Path) -> tuple[tuple[str, ...], str]:
    """Return the regions of an app and their origin, empty where no number of a layer is needed.

    A person is asked for what nothing names; without a terminal it is an error.
    """
    from lambda_latency.adopt import regions_of

    if not options.vendor or options.packages == "bundled":
        return (REGION,), ""
    regions, origin = regions_of(template.parent, options.region, os.environ)
    if regions:
        return regions, origin
    if options.check:
        return (REGION,), ""  # the numbers that an adopted app has are those of its own region
    if not sys.stdin.isatty():
        fail("the region of the app is not known", "--region R, AWS_REGION, or a profile with a region")
    return (region(input("Region of the app: ").strip()),), "as you say"


def _command(options: argparse.Namespace, action: str) -> str:
    """Return the command line that repeats the given options with another action."""
    words = ["lambda-latency", "adopt", *(["--vendor"] if options.vendor else [])]
    chosen = {"template": options.template, "layer": options.layer, "export": options.export,
             "instrumentation": options.instrumentation, "packages": options.packages}  # fmt: skip
    pairs = [(name, str(value)) for name, value in chosen.items() if value not in (None, "adot", Path())]
    for name, value in [*pairs, *(("region", name) for name in options.region)]:
        words += [f"--{name}", value]
    return shlex.join([*words, action])


def _nothing_to_do(plan: Plan) -> str:
    if plan.summaries:
        return "it is adopted."
    return "no function can be adopted as it is." if plan.skipped else "it has no Python function to adopt."


def _write(plan: Plan, template: Path, options: argparse.Namespace) -> None:
    from lambda_latency.adopt import add_packages, check_clean, compile_layer, write
    from lambda_latency.template import usual_template

    if not options.force:
        check_clean(plan.root)
    add_packages(plan)
    write(plan)
    missing = compile_layer(plan.root, [row.runtime for row in plan.summaries])
    if missing:
        print(f"No bytecode for {', '.join(missing)} (not installed): each cold start will compile the layer.")
    removed = f" Removed: {len(plan.outdated)} of an earlier release." if plan.outdated else ""
    default_template = usual_template(Path())
    is_found = default_template is not None and default_template.samefile(template)  # the commands find it, too
    option = "" if is_found else f" --template {shlex.quote(str(template))}"
    undo = f"lambda-latency adopt{option} --undo"
    print(f"Written: {len(plan.changes)} files.{removed} `{undo}` reverts them. Next:\n")
    print(f"  lambda-latency doctor{option}\n  lambda-latency serve{option}")


def _check(plan: Plan, options: argparse.Namespace) -> int:
    """Print whether the app is adopted and up to date; returns the exit status."""
    if plan.unswitched:
        warn(f"{plan.template} has functions that cannot be switched\n  leave out --check: the command lists them")
        return GATE_FAILED
    if not plan.changes and not plan.outdated and plan.summaries:
        print(f"{plan.template} is adopted and up to date.")
        return FINE
    warn(f"{plan.template}{_difference(plan, options)}")
    return GATE_FAILED


def _difference(plan: Plan, options: argparse.Namespace) -> str:
    """Say why an app is not adopted or not up to date, and what to do."""
    from lambda_latency.adopt import read_record

    adopts = _command(options, "--write")
    if any(row.where == "switched" for row in plan.summaries):
        return f" is traced in another way\n  {adopts}"
    if read_record(plan.root) is None or not _is_adopted(plan):
        return f" is not adopted\n  {adopts}"
    if _is_outdated(plan):
        outdated = next((change.shown for change in plan.changes), None) or plan.outdated[0]
        return f": {outdated} is not of this release\n  {_command(options, '--upgrade')}"
    reason = "another version of the layer" if _is_complete(plan) else "functions that are not adopted"
    return f" has {reason}\n  {adopts}"


def _is_outdated(plan: Plan) -> bool:
    """Return whether the kit's layer, and not only a template, differs from this release."""
    return bool(plan.outdated) or not plan.edited or not all(c.shown.endswith(TEMPLATES) for c in plan.edited)


def _is_complete(plan: Plan) -> bool:
    """Return whether all functions were adopted before."""
    return all(row.where in TRACED_BEFORE for row in plan.summaries)


def _is_adopted(plan: Plan) -> bool:
    return any(row.where in TRACED_BEFORE for row in plan.summaries)


def _text(plan: Plan) -> str:
    """Return the diff, the table of functions, and the steps that remain for the user."""
    from lambda_latency.text import aligned

    texts = [plan.diff()]
    texts.append(_files("new", [change.shown for change in plan.changes if change.original is None]))
    texts.append(_files("changed", [change.shown for change in plan.edited if change.is_of_layer]))
    if plan.summaries:
        rows = [(r.function, r.runtime, r.architecture, r.where, r.bridge, r.permission) for r in plan.summaries]
        texts.append("\n" + aligned([HEADINGS, *rows]))
    if plan.findings:
        texts.append("\nFor you:\n" + "".join(f"{finding}\n" for finding in plan.findings))
    if plan.summaries or plan.findings:
        texts.append("\n")
    return "".join(texts)


def _files(kind: str, paths: list[str]) -> str:
    return f"{paths[0].partition('/')[0]}/: {len(paths)} {kind} files\n" if paths else ""
