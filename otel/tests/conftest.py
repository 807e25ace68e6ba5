"""For all tests: what pytest may not reach, the functions in the sandbox may not reach either; and no pauses."""

import gc
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from lab.apps import HOME

os.environ["LAMBDA_LATENCY_LOCAL_NETWORK"] = "loopback"
# Apps find their packages in the folder of `python -m lab apps`; uv has its own ones where it always has.
os.environ.setdefault("UV_CACHE_DIR", str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"))
os.environ["XDG_CACHE_HOME"] = str(HOME)

# One worker of pytest-xdist runs all tests of such a folder, one after the other: they start servers, sandboxes and
# browsers, whose times are compared, and share some that take long to start. Of the others it runs a module at a time.
# The order is that of their seconds: a long folder that began last would be waited for.
WHOLE_FOLDERS = (
    "system", "local", "page", "fetch", "runtime", "collector", "testing", "package", "live", "agent", "action",
    "sandbox", "artifact", "xray", "bridge",
)  # fmt: skip

# A script that starts `make test &` has it ignore Ctrl-C, and children inherit that. Tests end children by Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def group_of(nodeid: str) -> str:
    """What one worker runs as a whole: the name of a folder, or the path of a module."""
    path = nodeid.partition("::")[0]
    folder = path.removeprefix("otel/tests/").partition("/")[0]
    return folder if folder in WHOLE_FOLDERS else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share out groups. The marks `xdist_group` do it too, but they change the names of tests, which people copy."""
    from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

    scheduler = LoadGroupScheduling(config, log)
    scheduler._split_scope = group_of
    return scheduler


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers begin groups in the order of their first tests, so the folders go first. Within each it stays random."""
    if hasattr(config, "workerinput"):
        places = {folder: place for place, folder in enumerate(WHOLE_FOLDERS)}
        items.sort(key=lambda item: places.get(group_of(item.nodeid), len(places)))


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
