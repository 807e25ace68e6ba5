"""What somebody who watches a running system is told: the page of `serve` and `demo` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["NOBODY", "Observer"]


def ignore(*_: object) -> None:
    """Does nothing."""


@dataclass(frozen=True, slots=True)
class Observer:
    """Functions that must return at once, because requests wait for them.

    `line` receives each stored export request as a line of OTLP/JSON, `ended` the trace id of each request and event
    after its spans are stored, `printed` a trace id, a function's name and a line that it printed, and `renewed` is
    called when changed code takes effect.
    """

    line: Callable[[bytes], object] = ignore
    ended: Callable[[str], object] = ignore
    printed: Callable[[str, str, str], object] = ignore
    renewed: Callable[[], object] = ignore


NOBODY = Observer()
