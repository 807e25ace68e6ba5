"""What a cold start leaves out, and that nobody misses it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from otel.runtime.standins import StandIn, standing_in
from tests.runtime.cold import REPLACED

ROOT = Path(__file__).parent.parent.parent
LISTED = Path(__file__).with_name("modules.txt")


def cold(*how: str, **variables: str) -> set[str]:
    """The modules of a fresh process."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **variables}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.runtime.cold", *how],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def test_a_cold_start_imports_no_more_than_is_listed() -> None:
    """The budget. What is new has its price (`make bench`): list it only where it is worth that."""
    brought = cold() - cold("bare")
    listed = set(LISTED.read_text().split())
    stdlib = {name for name in brought if name.partition(".")[0].lstrip("_") in sys.stdlib_module_names}
    assert sorted(brought - stdlib - listed) == []
    if sys.version_info[:2] == (3, 11):  # which of its own a module of the standard library imports differs
        assert sorted(stdlib - listed) == []


def test_nothing_is_imported_that_has_a_stand_in() -> None:
    """And asyncio, which wrapt would import, is not."""
    assert not (cold() - cold("bare")) & {*REPLACED, "asyncio", "packaging.requirements"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_user_gets_every_module_as_it_is(when: str) -> None:
    """Imported before the runtime or after it: asyncio, metrics with a reader, wrapt, psutil, the check of versions."""
    assert set(REPLACED) <= cold(when)


def test_one_setting_switches_them_off() -> None:
    """Then everything is imported as ever."""
    assert set(REPLACED) <= cold(LAMBDA_LATENCY_STAND_INS="false")


def test_there_are_none_while_another_thread_might_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's own threads see real modules; ours need none."""
    for name in REPLACED:
        monkeypatch.delitem(sys.modules, name, raising=False)
    threads = [threading.current_thread(), threading.Thread(name="lambda-latency deadline")]
    monkeypatch.setattr(threading, "enumerate", lambda: threads)
    with standing_in():
        assert all(isinstance(sys.modules[name], StandIn) for name in REPLACED)
    threads.append(threading.Thread(name="a pool's"))
    with standing_in():
        assert not any(name in sys.modules for name in REPLACED)
    assert not any(name in sys.modules for name in REPLACED)
