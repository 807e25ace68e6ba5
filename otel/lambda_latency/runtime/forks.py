"""Children that a handler forks (`os.fork`, `multiprocessing`): their spans are delivered by themselves.

A child has a copy of what waits in its parent, and locks and connections of threads that it has not. It leaves by
`os._exit`, where nothing of ours runs: so it delivers whenever it has no open span left.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_children"]


def in_children(forked: Callable[[], None]) -> Callable[[], None]:
    """Call it in each child of this process from now on; returns the undoing, for Python has none."""
    wanted = [forked]

    def child() -> None:
        for call in wanted:
            call()

    os.register_at_fork(after_in_child=child)
    return wanted.clear
