"""`lambda-latency adopt`: edits an app so that it is traced; a dry run without --write."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import region
from lambda_latency.cli.exit_statuses import FINE, GATE_FAILED, SOMETHING_SKIPPED
from lambda_latency.cli.messages import usage, warn

if TYPE_CHECKING:
    import argparse

    from lambda_latency.adopt import Plan

TRACED_BEFORE = ("as it is", "switched")
HEADINGS = ("function", "runtime", "processor", "edited in", "bridge", "permission")


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "adopt",
        help=summary,
        description="Edits a SAM app so that its Python functions are traced: the template, the requirements, and a "
        "folder with the kit's layer. Without an option nothing is written: the edits are printed.",
    )
    parser.removed = {"--rewrite": "the kit runs X-Ray SDK code as it is; docs/how-to/adopt.md has the edits by hand"}
    parser.add_argument("path", type=Path, nargs="?", default=Path(), metavar="PATH",
                        help="a template, or the folder that has one; default: this folder")  # fmt: skip
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="write the edits")
    what.add_argument("--undo", action="store_true", help="restore every byte that --write changed")
    what.add_argument(
        "--check", action="store_true", help="exit with status 3 unless the app is adopted and up to date"
    )
    what.add_argument("--upgrade", action="store_true", help="replace the kit's layer by the one of this release")
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
    from lambda_latency.adopt import (
        Wanted,
        add_packages,
        check_clean,
        compile_layer,
        find_template,
        make_plan,
        regions_of,
        undo,
        write,
    )

    template = find_template(options.path)
    if options.undo:
        files = undo(template.parent)
        print(f"{template.parent} is restored: {len(files)} files.")
        return FINE
    regions, origin = regions_of(template.parent, options.region, os.environ)
    wanted = Wanted(options.export, packages=options.packages, regions=regions,
                    instrumentation=options.instrumentation)  # fmt: skip
    plan = make_plan(template, wanted)
    if options.check:
        return _check(plan)
    if options.upgrade and not _is_adopted(plan):
        return usage(f"{template} is not adopted", "lambda-latency adopt --write adopts it")
    print(_text(plan), end="")
    if any(row.where not in TRACED_BEFORE for row in plan.rows) and options.packages == "adot":
        print(f"ADOT's layer is that of {', '.join(regions)} ({origin}).")
    if not plan.changes and not plan.outdated:
        nothing = "no function can be adopted as it is." if plan.skipped else "it has no Python function to adopt."
        print("Nothing to do: " + ("it is adopted." if plan.rows else nothing))
    elif options.write or options.upgrade:
        if not options.force:
            check_clean(plan.root)
        add_packages(plan)
        write(plan)
        missing = compile_layer(plan.root, [row.runtime for row in plan.rows])
        if missing:
            print(f"No bytecode for {', '.join(missing)} (not installed): each cold start will compile the layer.")
        removed = f" Removed: {len(plan.outdated)} of an earlier release." if plan.outdated else ""
        print(f"Written: {len(plan.changes)} files.{removed} `lambda-latency adopt --undo` reverts them. Next:\n")
        print(_next(template))
    else:
        print("Nothing was written. `lambda-latency adopt --write` writes it.")
    return SOMETHING_SKIPPED if plan.skipped else FINE


def _next(template: Path) -> str:
    """The commands that follow, with the template's path unless they find it by themselves."""
    from lambda_latency.template import usual_template

    found = usual_template(Path())
    is_found = found is not None and found.samefile(template)
    path = "" if is_found else shlex.quote(str(template))
    return (
        f"  lambda-latency doctor {path}".rstrip()
        + "\n  lambda-latency serve"
        + (f" --template {path}" if path else "")
    )


def _check(plan: Plan) -> int:
    """Print whether the app is adopted and up to date; returns the exit status."""
    from lambda_latency.adopt import read_record

    if plan.unswitched:
        warn(f"{plan.template} has functions that cannot be switched\n  leave out --check: the command lists them")
        return GATE_FAILED
    if not plan.changes and not plan.outdated and plan.rows:
        print(f"{plan.template} is adopted and up to date.")
        return FINE
    if any(row.where == "switched" for row in plan.rows):
        warn(f"{plan.template} is traced in another way\n  lambda-latency adopt --write, with the same options")
    elif read_record(plan.root) is None or not _is_adopted(plan):
        warn(f"{plan.template} is not adopted\n  lambda-latency adopt --write")
    elif (
        plan.edited
        and not plan.outdated
        and all(one.shown.endswith((".yaml", ".yml", ".json", ".template")) for one in plan.edited)
    ):
        warn(f"{plan.template} has functions that are not adopted\n  lambda-latency adopt --write")
    else:
        first = next((one.shown for one in plan.changes), None) or plan.outdated[0]
        warn(f"{plan.template}: {first} is not of this release\n  lambda-latency adopt --upgrade")
    return GATE_FAILED


def _is_adopted(plan: Plan) -> bool:
    return any(row.where in TRACED_BEFORE for row in plan.rows)


def _text(plan: Plan) -> str:
    """The diff, the table of functions, and the steps that remain for the user."""
    from lambda_latency.text import aligned

    parts = [plan.diff()]
    for kind, found in (
        ("new", [one for one in plan.changes if one.before is None]),
        ("changed", [one for one in plan.edited if one.is_of_layer]),
    ):
        if found:
            parts.append(f"{found[0].shown.partition('/')[0]}/: {len(found)} {kind} files\n")
    if plan.rows:
        rows = [
            HEADINGS,
            *((r.function, r.runtime, r.architecture, r.where, r.bridge, r.permission) for r in plan.rows),
        ]
        parts.append("\n" + aligned(rows))
    if plan.left:
        parts.append("\nFor you:\n" + "".join(f"{one}\n" for one in plan.left))
    return "".join(parts) + ("\n" if plan.rows or plan.left else "")
