"""Other thresholds than those of the kit, for ablations: what does a rule buy?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

__all__ = ["ROOM", "replace_thresholds", "threshold"]

ROOM = "lambda_latency.latency"


def threshold(text: str) -> tuple[str, float]:
    """`CALLER_SHARE=2` as a name and a number, for an option of a program."""
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER, such as CALLER_SHARE=2, got {text!r}") from None


def replace_thresholds(values: Mapping[str, float]) -> None:
    """Set numbers of the judge in this process. Raises `ValueError` if no module has one of that name."""
    modules = [module for name, module in sys.modules.items() if name.startswith(ROOM)]
    for name, value in values.items():
        users = [module for module in modules if isinstance(vars(module).get(name), (int, float))]
        if not users:
            raise ValueError(f"no threshold of {ROOM}.judge is called {name}")
        for module in users:
            setattr(module, name, value)
