"""For all tests: what pytest may not reach, the functions in the sandbox may not reach either; and no pauses."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

os.environ["LAMBDA_LATENCY_LOCAL_NETWORK"] = "loopback"


def pytest_collection_finish() -> None:
    """What has been imported is not looked through again."""
    pass_over()


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Nor what a module's tests have imported."""
    if nextitem is None or nextitem.path != item.path:
        pass_over()


def pytest_sessionfinish() -> None:
    """What others do at the end finds all as it was."""
    gc.unfreeze()


def pass_over() -> None:
    """Keep the garbage collector from all that is there now.

    To look through it held this process up for 300 ms and more, again and again, with the collectors, the APIs and the
    kills in it: longer than the 200 ms in which a timeout is told.
    """
    gc.collect()
    gc.freeze()
