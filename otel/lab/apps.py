"""Fetches what the tests of whole apps need, for they reach no network.

The packages of the runtime and of the tracing layer for this Python, and the emulator of AWS.

Usual time: 1 minute, once.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.cloud.emulator import LOCK
from lambda_latency.pythons import pythons

HOME = Path(__file__).parents[2] / "build" / "apps"  # XDG_CACHE_HOME of a command that is tested
CACHE = HOME / "lambda-latency"
READY = HOME / "ready"
VERSION = (sys.version_info.major, sys.version_info.minor)


def packages() -> Packages:
    """Those of the tests."""
    return Packages(CACHE, pythons())


def main(parser: ArgumentParser) -> None:
    """Make them."""
    parser.parse_args()
    made = packages()
    made.emulator(LOCK)
    made.runtime(VERSION)
    made.tracing(VERSION)
    READY.touch()
