"""The page of requests while they happen: does every request reach every tab in time, from any sender?

Loads with headless Chromium, and the senders that people use. Processor time and memory are those of the command.

Usual time: 13 minutes; 3 with --quick.
"""

from argparse import ArgumentParser

from lab.commands import browser_programs
from lab.live.loads import LOADS, measured
from lab.live.senders import senders

QUICK_S = 30


def main(parser: ArgumentParser) -> int:
    """Measure and print; status 1 if a bound does not hold."""
    parser.add_argument("--quick", action="store_true", help="one run of each load, the long one for 30 s")
    options = parser.parse_args()
    browser_programs()  # before the senders, which need none
    wrong = senders()
    for load in LOADS:
        is_long = load.most_share is not None
        if options.quick and is_long:
            load = load._replace(seconds=QUICK_S)  # noqa: PLW2901
        wrong += measured(load, 1 if options.quick or is_long else 3)
    print("".join(f"NOT {line}\n" for line in wrong), end="")
    return int(bool(wrong))
