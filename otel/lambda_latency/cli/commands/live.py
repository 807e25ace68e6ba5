"""`lambda-latency live`: an OTLP receiver, and a page of requests while they happen."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import port
from lambda_latency.cli.exit_statuses import FAILED, FINE
from lambda_latency.cli.messages import usage, warn
from lambda_latency.cli.settings import add_settings, analysis_options_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from lambda_latency.live import RunningPage

DEFAULT_PORT = 4318  # of OTLP over HTTP


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "live",
        help=summary,
        description="Receives traces by OTLP over HTTP from any sender on this machine, and serves the report's "
        "page while requests happen: what fails now, the findings of the last minutes, a row for each request as it "
        "ends, its waterfall, and what its functions printed. The newest 5,000 requests are kept in memory.",
    )
    parser.add_argument(
        "--otlp-port",
        type=port,
        default=DEFAULT_PORT,
        metavar="P",
        help="port of the receiver on 127.0.0.1 (default: 4318; 0: any free port)",
    )
    parser.add_argument(
        "--page", type=port, default=0, metavar="PORT", help="port of the page on 127.0.0.1 (default: any free port)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also append the traces to a file that report reads")
    parser.add_argument(
        "--no-redaction", action="store_true", help="keep secrets in the values of attributes: page, Save and --out"
    )
    parser.add_argument(
        "--ours",
        action="append",
        metavar="PATTERN",
        help="services, hosts and parts that are internal; may be repeated",
    )
    parser.add_argument("--theirs", action="append", metavar="PATTERN", help="those that are external; may be repeated")


def run(options: argparse.Namespace) -> int:
    """Receive and serve until Ctrl-C; returns the exit status."""
    from lambda_latency.http import wait_for_signal
    from lambda_latency.live import GRPC_PORT, Bounds, Receiver, RunningPage, needs_formats

    if options.page == options.otlp_port != 0:
        return usage(f"--page and --otlp-port are both {options.page}", "choose another port for one of them")
    add_settings(options)
    analysis_options = analysis_options_of(options)
    with contextlib.ExitStack() as ending:
        receiver: Receiver | None = None

        def receiver_state() -> dict[str, object]:
            return receiver.state() if receiver is not None else {}

        try:
            page = RunningPage(
                lambda: analysis_options,
                port=options.page,
                receiver_state=receiver_state,
                redacts=not options.no_redaction,
            )
        except OSError as error:
            return _port_taken(options.page, "the page's port", "--page", error)
        ending.callback(page.close)
        keep = _line_sink(page, options.out, ending, keeps=options.no_redaction)
        if keep is None:
            return FAILED
        try:
            receiver = Receiver(
                keep,
                options.otlp_port,
                Bounds().body,
                grpc_port=GRPC_PORT if options.otlp_port == DEFAULT_PORT else 0,
                says=warn,
            )
        except OSError as error:
            return _port_taken(options.otlp_port, "the port of OTLP over HTTP", "--otlp-port", error)
        ending.callback(receiver.close)
        print(f"Page: {page.address}")
        print(f"Spans: OTLP over HTTP at http://{receiver.address}. Ctrl-C ends it.\n")
        print(f"  export OTEL_EXPORTER_OTLP_ENDPOINT=http://{receiver.address}")
        print("  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n", flush=True)
        if missing := needs_formats():
            warn(f"JSON only: {missing}")
        wait_for_signal()
    return FINE


def _line_sink(
    page: RunningPage, out: Path | None, ending: contextlib.ExitStack, *, keeps: bool
) -> Callable[[bytes], bool] | None:
    """Return the function that takes the lines, for the page and the file of --out; None if that cannot be opened.

    Secrets are removed from what the file gets, unless it `keeps` them.
    """
    if out is None:
        return page.add
    from lambda_latency.files import unwritable

    try:
        file = ending.enter_context(out.open("ab"))
    except OSError as error:
        warn(f"{unwritable(out, error)}\n  choose another file with --out")
        return None
    from lambda_latency.live import saved_line  # slow imports
    from lambda_latency.page import SpanRedaction

    redaction, failed = SpanRedaction(), False

    def keep(line: bytes) -> bool:
        nonlocal failed
        if not page.add(line):
            return False
        try:
            file.write(line + b"\n" if keeps else saved_line(line, redaction))
            file.flush()
        except (OSError, ValueError) as error:
            if not failed and isinstance(error, OSError):
                warn(f"{unwritable(out, error)}: spans are missing in it")
            failed = True
        return True

    return keep


def _port_taken(number: int, name: str, option: str, error: OSError) -> int:
    """Print that a port cannot be used, and which process has it, if the system tells."""
    from lambda_latency.live import owner_of

    if error.errno != errno.EADDRINUSE:
        warn(f"{name}, {number}, cannot be used: {error.strerror}\n  choose another one with {option}")
        return FAILED
    owner = owner_of(number)
    by = f"by {owner}" if owner else "by a process that this user may not see"
    todo = f"stop it, or choose another port with {option}"
    if option == "--otlp-port":
        todo += ", such as 4319, and set OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4319 for what sends"
    warn(f"{name}, {number}, is taken {by}\n  {todo}")
    return FAILED
