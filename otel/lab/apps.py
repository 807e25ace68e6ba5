"""Fetches what the tests of whole apps need, for they reach no network.

The packages of the runtime and of the tracing layer, for this Python and for the example's, those of the example's
functions, and the emulator of AWS.

Usual time: 1 minute, once.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.cloud.emulator import LOCK
from lambda_latency.pythons import nearest_python, pythons

ROOT = Path(__file__).parents[2]
HOME = ROOT / "build" / "apps"  # XDG_CACHE_HOME of a command that is tested
CACHE = HOME / "lambda-latency"
READY = HOME / "ready"
VERSION = (sys.version_info.major, sys.version_info.minor)
EXAMPLE = (3, 13)  # the Python of the packaged example's functions


def packages() -> Packages:
    """Those of the tests."""
    return Packages(CACHE, pythons())


def main(parser: ArgumentParser) -> None:
    """Make them."""
    parser.parse_args()
    made = packages()
    made.emulator(LOCK)
    example = nearest_python(EXAMPLE, made.pythons)
    for version in {VERSION, example}:
        made.runtime(version)
        made.tracing(version)
        made.kit(version)
    made.requirements(ROOT / "functions" / "requirements.txt", ROOT, example)
    READY.touch()
