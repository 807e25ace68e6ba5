"""Do the largest savings that `--all` prints happen? Held against planted cases, with and without one of their calls.

Usual time: 1 minute.
"""

from argparse import ArgumentParser

from lab.commands import run_test


def main(parser: ArgumentParser) -> int:
    """Run its test with many cases."""
    parser.add_argument("--sample", type=int, default=300, metavar="N", help="so many cases (300)")
    return run_test("otel/tests/latency/test_what_if.py", WHAT_IF_CASES=parser.parse_args().sample)
