"""Shared by `demo`, `serve` and `invoke`: options and output of the local system, and a check of the machine."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.cli.arguments import add_parameter_option, port
from lambda_latency.cli.exit_statuses import FAILED
from lambda_latency.cli.messages import fail, warn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import TextIO

    from lambda_latency.latency import Terms
    from lambda_latency.live import RunningPage
    from lambda_latency.local import App, Observer, Options

PROVIDER = "payments.example.com"  # an external provider, although local traces contain its spans


def add_app_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for running any app."""
    parser.add_argument(
        "--instrument",
        choices=("kit", "layer", "none"),
        metavar="HOW",
        help="how to trace functions that do not start OpenTelemetry themselves: kit (default), "
        "layer (by the start-up of ADOT's layer) or none",
    )
    parser.add_argument(
        "--disable-authorizer", action="store_true", help="accept requests without asking the Lambda authorizers"
    )


def app_options(options: argparse.Namespace, traces: str, observer: Observer | None = None) -> Options:
    """The chosen options, for traces in the file `traces` below --out."""
    from lambda_latency.local import Observer, Options

    return Options(options.out, traces, instrument=options.instrument or "kit", observer=observer or Observer())


def add_page_options(parser: argparse.ArgumentParser, meanwhile: str) -> None:
    """Add the options for the page of requests as they end."""
    parser.add_argument(
        "--page",
        type=port,
        default=0,
        metavar="PORT",
        help=f"port of the page {meanwhile}, on 127.0.0.1 (default: any free port)",
    )
    parser.add_argument("--no-page", action="store_true", help="serve no page")


@contextlib.contextmanager
def live_page(options: argparse.Namespace, traces: str, *, knows_ends: bool) -> Iterator[tuple[Observer, str]]:
    """What the local system tells a page, and the page's address; with --no-page nothing, and an empty address."""
    from lambda_latency.local import Observer, readable

    if options.no_page:
        yield Observer(), ""
        return
    page = _served(options.page, f"lambda-latency report {options.out / traces}", knows_ends=knows_ends)
    with contextlib.closing(page):
        yield (
            Observer(
                page.add,
                page.end,
                lambda trace_id, name, line: page.log(trace_id, name, readable(line)),
                lambda: page.mark("code changed"),
            ),
            page.address,
        )


def _served(number: int, command: str, *, knows_ends: bool) -> RunningPage:
    from lambda_latency.live import RunningPage, owner_of

    try:
        return RunningPage(provider_is_theirs, port=number, command=command, knows_ends=knows_ends)
    except OSError as error:
        owner = owner_of(number)
        fail(
            f"the page's port, {number}, cannot be used: {f'{owner} has it' if owner else error.strerror}",
            "choose another one with --page, or none with --no-page",
        )


def read(template: Path, options: argparse.Namespace, *, built: bool = False) -> App:
    """The app of a template, with the chosen parameters. Raises `LocalError` for an invalid template."""
    from lambda_latency.local import read_app, starting_themselves

    app = read_app(template, dict(options.parameter), authorizers=not options.disable_authorizer, built=built)
    if options.instrument and (kept := starting_themselves(app)):
        why = f"{', '.join(kept)} start{'s' if len(kept) == 1 else ''} OpenTelemetry by the template"
        app.notes.append(f"--instrument {options.instrument} has no effect: {why}, see its parameters")
    return app


def tell(line: str) -> None:
    """Print a note about the app on stderr."""
    say(line, sys.stderr)


def print_line(name: str, line: str) -> None:
    """Print a line of a function's output, after the function's name."""
    from lambda_latency.local import readable

    say(f"{name}: {readable(line)}")


def say(line: str, file: TextIO | None = None) -> None:
    """Print a line with a single write, because several threads print at once."""
    print(f"{line}\n", end="", file=file, flush=True)


def add_system_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the template, its parameters and the folder of the traces."""
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="folder for the traces (default: out)"
    )
    parser.add_argument(
        "--template",
        type=Path,
        default=Path("template.yaml"),
        metavar="FILE",
        help="the SAM template (default: template.yaml)",
    )
    add_parameter_option(parser, ", such as Tracing=Off")


def provider_is_theirs() -> Terms:
    """The terms of a report on local traces: the payments provider is external."""
    from lambda_latency.latency import Owners, Terms

    return Terms(owners=Owners(theirs=(PROVIDER,)))


def require_local() -> None:
    """Exit with status 1 on Windows, or if the extra `local` is not installed."""
    if sys.platform == "win32":
        fail("the local system does not run on Windows", "use WSL: processes and signals are those of Linux and macOS")
    from lambda_latency.installing import install_command, is_installed

    if not is_installed("local"):
        warn(f"the local system needs the extra local: {install_command('local')}")
        raise SystemExit(FAILED)
