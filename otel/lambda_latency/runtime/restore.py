"""SnapStart: what a snapshot must not hold, and what a restored environment does first.

Ids need nothing: they come from the kernel and not from a generator whose state would be in every copy. The watch over
the deadline, the circuit and the spans' times go by the wall clock.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lambda_latency.runtime.harmless import harmless, warn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["around_snapshot"]


def around_snapshot(before: Callable[[], None], after: Callable[[], None]) -> None:
    """Run `before` as the last thing before a snapshot, and `after` first in each environment that is made of it."""
    try:
        hooks = import_module("snapshot_restore_py")  # Lambda's own, beside the runtime client
    except ImportError as error:
        warn(f"nothing is done at a restore ({error}); the first delivery after one may find a dead connection")
        return
    hooks.register_before_snapshot(harmless("preparing for a snapshot")(before))
    hooks.register_after_restore(harmless("waking up from a snapshot")(after))
