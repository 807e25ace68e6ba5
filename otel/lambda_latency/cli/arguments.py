"""Argument types: each converts the typed text to a value, or raises an error that quotes the text."""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.latency import Gate

MOST_REQUESTS = 1_000_000
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


def whole_number(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None


def count(text: str) -> int:
    """Read a whole number, 1 or more."""
    number = whole_number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {number}")
    return number


def requests(text: str) -> int:
    """Read a number of requests that a laptop can send, 1 to 1,000,000."""
    number = count(text)
    if number > MOST_REQUESTS:
        raise argparse.ArgumentTypeError(f"must be {MOST_REQUESTS} or less, got {number}")
    return number


def port(text: str) -> int:
    """Read a TCP port, 0 to 65535; 0 means any free port."""
    number = whole_number(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"must be between 0 and 65535, got {number}")
    return number


def json_object(text: str) -> str:
    """Read the text of a JSON object."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a JSON object: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"must be a JSON object, got {text}")
    return text


def page_port(text: str) -> int | None:
    """Read the TCP port of a page; None for `off`."""
    return None if text == "off" else port(text)


def region(text: str) -> str:
    """Read the name of a region of AWS, which need not exist yet."""
    if not REGION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"must be a region of AWS, such as eu-west-1, got {text!r}")
    return text


def ms(text: str) -> int:
    """Read a duration in milliseconds, 0 or more, as nanoseconds."""
    ns = _scaled(text, 1_000_000, "milliseconds")
    if ns < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text}")
    return ns


def gigabytes(text: str) -> int:
    """Read a size in gigabytes, more than 0, as bytes."""
    size = _scaled(text, 1_000_000_000, "gigabytes")
    if size <= 0:
        raise argparse.ArgumentTypeError(f"must be more than 0, got {text}")
    return size


def _scaled(text: str, factor: int, unit: str) -> int:
    """Read a number of a unit, as so many times a smaller one."""
    try:
        return round(float(text) * factor)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"must be {unit}, got {text!r}") from None


def instant(text: str) -> int:
    """Read a time, or an age such as `24h`, as epoch nanoseconds."""
    from lambda_latency.latency import instant as instant_of

    try:
        return instant_of(text, time.time_ns())
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def gate(text: str, read: Callable[[str], Gate] | None = None) -> Gate:
    """Read a condition on the report, such as `p95 > 800ms`, or one that `read` knows."""
    from lambda_latency.latency import read_gate

    try:
        return (read or read_gate)(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parameter(text: str) -> tuple[str, str]:
    """Split a template parameter, `NAME=VALUE`, into name and value."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"must read NAME=VALUE, got {text!r}")
    return name, value


def add_template_option(parser: argparse.ArgumentParser) -> None:
    """Add `--template PATH`: a template, or a folder with one, by default this folder."""
    parser.add_argument(
        "--template",
        type=Path,
        default=Path(),
        metavar="PATH",
        help="a template, or the folder that has one (default: this folder)",
    )


def add_parameter_option(parser: argparse.ArgumentParser, such_as: str = "") -> None:
    """Add `--parameter NAME=VALUE`, which sets a parameter of a template; `such_as` is in its help."""
    parser.add_argument(
        "--parameter",
        type=parameter,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"value for a parameter of the template{such_as}; may be repeated",
    )
