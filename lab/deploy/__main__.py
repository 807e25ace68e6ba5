"""The example and two adopted apps, built, deployed to an emulator of AWS, called with tracing on, and deleted.

Usual time: 3 minutes.
"""

from __future__ import annotations

import argparse

from lab.deploy import adopted, example

__all__ = ["main"]


def main() -> int:
    """0 if every step of both went as it should; the second does not begin where the first fails."""
    argparse.ArgumentParser("python -m lab deploy", description=__doc__).parse_args()
    return example.main() or adopted.main()


if __name__ == "__main__":
    raise SystemExit(main())
