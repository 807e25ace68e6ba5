"""A sample of `python -m lab messages`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lab.messages import CLEAN, Handled, interrupted, killed
from tests.local.app.conftest import needs_packages

pytestmark = needs_packages
REQUESTS = 60


def test_every_message_is_handled_once_or_redriven(tmp_path: Path) -> None:
    """By an API, a queue and a bus; after Ctrl-C nothing is left."""
    handled, status, left = interrupted(tmp_path / "app", REQUESTS)
    assert (handled.wrong(REQUESTS), status, left) == ([], 130, CLEAN)


def test_nothing_is_left_of_messages_on_their_way(tmp_path: Path) -> None:
    """After a SIGKILL."""
    assert killed(tmp_path / "app") == CLEAN


def test_what_is_not_handled_as_configured_is_told() -> None:
    """A message too often, another one never, an answer that is none."""
    handled = Handled(Counter({202: 2, 502: 1}), Counter({0: 2, 1: 2, 2: 3}), Counter([1]), Counter([0]))
    assert handled.wrong(3) == [
        "answers: {202: 1, 502: 1} are not as they should be",
        "worked on: {2: 2} are not as they should be",
        "noted: {2: 1} are not as they should be",
    ]
