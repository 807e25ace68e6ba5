"""Types of arguments: from the text that was typed to a value, or an error that says what was typed."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.latency import Gate

__all__ = ["count", "gate", "gigabytes", "instant", "ms", "parameter", "port", "whole"]


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None


def count(text: str) -> int:
    """A whole number, 1 or more."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {number}")
    return number


def port(text: str) -> int:
    """A TCP port; 0 is any free one."""
    number = whole(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"must be between 0 and 65535, got {number}")
    return number


def ms(text: str) -> int:
    """Milliseconds, as nanoseconds."""
    try:
        ns = round(float(text) * 1_000_000)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"must be milliseconds, got {text!r}") from None
    if ns < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text}")
    return ns


def gigabytes(text: str) -> int:
    """Gigabytes, as bytes."""
    try:
        found = round(float(text) * 1_000_000_000)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"must be gigabytes, got {text!r}") from None
    if found <= 0:
        raise argparse.ArgumentTypeError(f"must be more than 0, got {text}")
    return found


def instant(text: str) -> int:
    """A time, or how long ago it was, as nanoseconds since 1970."""
    from lambda_latency.latency import instant as instant_of

    try:
        return instant_of(text, time.time_ns())
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def gate(text: str) -> Gate:
    """A condition on the report, such as `p95 > 800ms`."""
    from lambda_latency.latency import read_gate

    try:
        return read_gate(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parameter(text: str) -> tuple[str, str]:
    """NAME=VALUE of a template."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"must read NAME=VALUE, got {text!r}")
    return name, value
