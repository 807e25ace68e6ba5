"""The example and two adopted apps, built, deployed to an emulator of AWS, called with tracing on, and deleted.

Usual time: 2 minutes; 5 minutes with `--switches`.
"""

from __future__ import annotations

import argparse

from lab.deploy import adopted, example, switches

__all__ = ["main"]


def main() -> int:
    """0 if every step went as it should; the second does not begin where the first fails."""
    parser = argparse.ArgumentParser("python -m lab deploy", description=__doc__)
    parser.add_argument(
        "--switches",
        nargs="*",
        metavar="SWITCH",
        choices=switches.SWITCHES,
        help="instead, the example with each switch of the template, or those named: " + ", ".join(switches.SWITCHES),
    )
    chosen = parser.parse_args().switches
    return example.main() or adopted.main() if chosen is None else switches.main(chosen)


if __name__ == "__main__":
    raise SystemExit(main())
