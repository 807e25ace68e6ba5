"""Shared by `demo`, `serve` and `invoke`: options and output of the local system, and a check of the machine."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lambda_latency.cli.arguments import add_parameter_option, page_port
from lambda_latency.cli.exit_statuses import FAILED
from lambda_latency.cli.messages import fail, warn
from lambda_latency.cli.settings import settings_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from lambda_latency.latency import AnalysisOptions
    from lambda_latency.live import RunningPage
    from lambda_latency.local import LocalApp, Observer, SystemOptions

PROVIDER = "payments.example.com"  # external, although local traces have its spans


def app_options(options: argparse.Namespace, traces: str, observer: Observer | None = None) -> SystemOptions:
    """Return the chosen options, for traces in the file `traces` below --out."""
    from lambda_latency.local import Observer, SystemOptions

    instrument = settings_of(options).instrument or "kit"
    waits: Literal["real", "skip"] = getattr(options, "waits", "real")
    return SystemOptions(options.out, traces, instrument=instrument, observer=observer or Observer(), waits=waits)


def add_page_options(parser: argparse.ArgumentParser, meanwhile: str) -> None:
    """Add the options for the page of requests as they end."""
    parser.add_argument(
        "--page",
        type=page_port,
        default=0,
        metavar="PORT|off",
        help=f"port of the page {meanwhile}, on 127.0.0.1 (default: any free port); off: no page",
    )


@contextlib.contextmanager
def live_page(options: argparse.Namespace, traces: str, *, knows_ends: bool) -> Iterator[tuple[Observer, str]]:
    """Yield the observer that feeds a page, and the page's address; with --page off an idle one, and no address."""
    from lambda_latency.local import Observer, readable

    if options.page is None:
        yield Observer(), ""
        return
    page = _served(
        options.page, shlex.join(("lambda-latency", "report", str(options.out / traces))), knows_ends=knows_ends
    )
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
            "choose another one with --page, or none with --page off",
        )


def read(template: Path, options: argparse.Namespace, *, built: bool = False) -> LocalApp:
    """Read the app of a template, with the chosen parameters. Raises `LocalError` for an invalid template."""
    from lambda_latency.local import read_app, starting_themselves

    settings = settings_of(options)
    app = read_app(template, dict(options.parameter), authorizers=settings.authorizers == "on", built=built)
    if settings.instrument and (starting := starting_themselves(app)):
        verb = "starts" if len(starting) == 1 else "start"
        why = f"{', '.join(starting)} {verb} OpenTelemetry by the template"
        app.notes.append(f"instrument = {settings.instrument} has no effect: {why}, see its parameters")
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


@contextlib.contextmanager
def progress_bar(*, quiet: bool) -> Iterator[tuple[Callable[[str, int], None], Callable[[], None]]]:
    """Draw a progress bar on a terminal's stderr; yields a function that starts a stage and one that steps."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def stage(name: str, steps: int) -> None:
            nonlocal task
            progress.remove_task(task)  # a total cannot be reset
            task = progress.add_task(name, total=steps or None)

        yield stage, lambda: progress.advance(task)


def add_system_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the folder of the traces, and those of the app."""
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="folder for the traces (default: out)"
    )
    add_app_options(parser, ", such as Tracing=Off")


def add_app_options(parser: argparse.ArgumentParser, such_as: str = "") -> None:
    """Add the options for the template and its parameters."""
    parser.add_argument(
        "--template",
        type=Path,
        default=Path("template.yaml"),
        metavar="FILE",
        help="the SAM template (default: template.yaml)",
    )
    add_parameter_option(parser, such_as)


def add_waits_option(parser: argparse.ArgumentParser) -> None:
    """Add the option for the waits of durable executions."""
    parser.add_argument(
        "--waits",
        choices=("real", "skip"),
        default="real",
        help="let the timers of durable executions pass, or skip them (default: real)",
    )


def provider_is_theirs() -> AnalysisOptions:
    """Return the ownership settings of a report on local traces: the payments provider is external."""
    from lambda_latency.latency import AnalysisOptions, Owners

    return AnalysisOptions(owners=Owners(theirs=(PROVIDER,)))


def require_local() -> None:
    """Exit with status 1 on Windows, or if the extra `local` is not installed."""
    if sys.platform == "win32":
        fail("the local system does not run on Windows", "use WSL: processes and signals are those of Linux and macOS")
    from lambda_latency.installing import install_command, is_installed

    if not is_installed("local"):
        warn(f"the local system needs the extra local: {install_command('local')}")
        raise SystemExit(FAILED)
