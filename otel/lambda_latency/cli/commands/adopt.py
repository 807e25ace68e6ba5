"""`lambda-latency adopt`: edits an app so that it is traced; a dry run without --write."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import add_template_option, region
from lambda_latency.cli.exit_statuses import FINE, GATE_FAILED, SOMETHING_SKIPPED
from lambda_latency.cli.messages import usage, warn

if TYPE_CHECKING:
    import argparse

    from lambda_latency.adopt import Plan

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
        description="Edits a SAM app so that its Python functions are traced: the template, the requirements, and a "
        "folder with the kit's layer. Without an option nothing is written: the edits are printed.",
        epilog=EPILOG,
    )
    parser.removed = {
        "PATH": "write --template PATH",
        "--rewrite": "the kit runs X-Ray SDK code as it is; docs/how-to/adopt.md has the edits by hand",
    }
    add_template_option(parser)
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--write", action="store_true", help="write the edits")
    actions.add_argument("--undo", action="store_true", help="restore every byte that --write changed")
    actions.add_argument(
        "--check", action="store_true", help="exit with status 3 unless the app is adopted and up to date"
    )
    actions.add_argument("--upgrade", action="store_true", help="replace the kit's layer by the one of this release")
    parser.add_argument("--export", choices=("collector", "daemon", "otlp"),
                        help="what takes the spans to X-Ray: ADOT's collector, a layer; Lambda's daemon; or X-Ray's "
                        "own OTLP endpoint; default: collector in a new app, unchanged in an adopted one")  # fmt: skip
    parser.add_argument("--instrumentation", choices=("kit", "layer"),
                        help="what starts OpenTelemetry: the kit's wrapper, or that of ADOT's layer; default: kit in a "
                        "new app, unchanged in an adopted one")  # fmt: skip
    parser.add_argument("--packages", choices=("adot", "bundled"), default="adot",
                        help="where OpenTelemetry's packages are: in ADOT's layer, or in the kit's own; "
                        "default adot")  # fmt: skip
    parser.add_argument("--region", type=region, action="append", default=[], metavar="R",
                        help="where the app is deployed, for the number of ADOT's layer; may be repeated; default: the "
                        "region of samconfig.toml, else of AWS_REGION")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="write even if git has uncommitted changes")


def run(options: argparse.Namespace) -> int:
    """Plan the edits, print them, and write them if requested; returns the exit status."""
    from lambda_latency.adopt import AdoptOptions, find_template, make_plan, regions_of, undo

    template = find_template(options.template)
    if options.undo:
        files = undo(template.parent)
        print(f"{template.parent} is restored: {len(files)} files.")
        return FINE
    regions, origin = regions_of(template.parent, options.region, os.environ)
    goal = AdoptOptions(options.export, packages=options.packages, regions=regions,
                    instrumentation=options.instrumentation)  # fmt: skip
    plan = make_plan(template, goal)
    if options.check:
        return _check(plan)
    if options.upgrade and not _is_adopted(plan):
        return usage(f"{template} is not adopted", "lambda-latency adopt --write adopts it")
    print(_text(plan), end="")
    if options.packages == "adot" and any(row.where not in TRACED_BEFORE for row in plan.summaries):
        print(f"ADOT's layer is that of {', '.join(regions)} ({origin}).")
    if not plan.changes and not plan.outdated:
        print(f"Nothing to do: {_nothing_to_do(plan)}")
    elif options.write or options.upgrade:
        _write(plan, template, force=options.force)
    else:
        print("Nothing was written. `lambda-latency adopt --write` writes it.")
    return SOMETHING_SKIPPED if plan.skipped else FINE


def _nothing_to_do(plan: Plan) -> str:
    if plan.summaries:
        return "it is adopted."
    return "no function can be adopted as it is." if plan.skipped else "it has no Python function to adopt."


def _write(plan: Plan, template: Path, *, force: bool) -> None:
    from lambda_latency.adopt import add_packages, check_clean, compile_layer, write
    from lambda_latency.template import usual_template

    if not force:
        check_clean(plan.root)
    add_packages(plan)
    write(plan)
    missing = compile_layer(plan.root, [row.runtime for row in plan.summaries])
    if missing:
        print(f"No bytecode for {', '.join(missing)} (not installed): each cold start will compile the layer.")
    removed = f" Removed: {len(plan.outdated)} of an earlier release." if plan.outdated else ""
    print(f"Written: {len(plan.changes)} files.{removed} `lambda-latency adopt --undo` reverts them. Next:\n")
    default_template = usual_template(Path())
    is_found = default_template is not None and default_template.samefile(template)  # the commands find it, too
    option = "" if is_found else f" --template {shlex.quote(str(template))}"
    print(f"  lambda-latency doctor{option}\n  lambda-latency serve{option}")


def _check(plan: Plan) -> int:
    """Print whether the app is adopted and up to date; returns the exit status."""
    if plan.unswitched:
        warn(f"{plan.template} has functions that cannot be switched\n  leave out --check: the command lists them")
        return GATE_FAILED
    if not plan.changes and not plan.outdated and plan.summaries:
        print(f"{plan.template} is adopted and up to date.")
        return FINE
    warn(f"{plan.template}{_difference(plan)}")
    return GATE_FAILED


def _difference(plan: Plan) -> str:
    """Say why an app is not adopted or not up to date, and what to do."""
    from lambda_latency.adopt import read_record

    if any(row.where == "switched" for row in plan.summaries):
        return " is traced in another way\n  lambda-latency adopt --write, with the same options"
    if read_record(plan.root) is None or not _is_adopted(plan):
        return " is not adopted\n  lambda-latency adopt --write"
    edits_templates = all(change.shown.endswith(TEMPLATES) for change in plan.edited)
    if plan.edited and not plan.outdated and edits_templates:
        return " has functions that are not adopted\n  lambda-latency adopt --write"
    outdated = next((change.shown for change in plan.changes), None) or plan.outdated[0]
    return f": {outdated} is not of this release\n  lambda-latency adopt --upgrade"


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
