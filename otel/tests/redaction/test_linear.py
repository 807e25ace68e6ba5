"""Redaction takes time in proportion to a text's length, and looks at its clock inside of a text."""

from collections.abc import Callable
from functools import partial
from random import Random
from time import thread_time

import pytest

from lab.redaction.hostile import hostile_text, known_texts
from lambda_latency.redaction import UNREAD, Redaction, clean
from lambda_latency.redaction.reading import Reading

LENGTH = 4096
# A doubled text takes at most these times the steps.
GROWTH = 2.5
# Eight of a text take eight times as long, and 64 times with a rule whose time is quadratic. The limit is between them,
# because a busy machine adds to either. What takes less than the least is collections and caches of the processor.
REPEATS, LIMIT, LEAST_S = 8, 24, 0.002


def steps(text: str) -> int:
    """Return how often the rules look at the clock."""
    count = 0

    def is_over() -> bool:
        nonlocal count
        count += 1
        return False

    clean(text, (), is_over=is_over)
    return count


def seconds(text: str) -> float:
    """Return the processor time of a text: the least of five times, because a busy machine only adds to it."""
    return min([timed(lambda: clean(text, ())) for _ in range(5)])


def timed(call: Callable[[], object]) -> float:
    """Return the processor time of a call."""
    begin = thread_time()
    call()
    return thread_time() - begin


def drawn(seed: int) -> list[str]:
    """Return texts that once were slow, or texts of fragments at random."""
    rng = Random(seed)  # noqa: S311 - what is drawn protects nothing
    return [hostile_text(rng, LENGTH) for _ in range(12)] if seed else known_texts(LENGTH)


@pytest.mark.parametrize("seed", range(3))
def test_steps_and_time_grow_with_the_length(seed: int) -> None:
    """A text, its double and eight of it, for texts that a caller may have written."""
    growths = [(text, steps(text * 2) / max(1, steps(text))) for text in drawn(seed)]
    assert [(text[:80], growth) for text, growth in growths if growth > GROWTH] == []
    slow = [text for text in drawn(seed) if seconds(text * REPEATS) > LIMIT * max(seconds(text), LEAST_S)]
    assert [text[:80] for text in slow] == []


@pytest.mark.parametrize("seed", range(2))
def test_what_is_not_read_in_time_does_not_leave(seed: int) -> None:
    """The clock is over after some steps: the text is what it would be up to a place, and then unread."""
    for text in drawn(seed)[:20]:
        whole, count = clean(text, ()), steps(text)
        for limit in {0, 1, count // 2, count - 1}:
            left = iter([False] * limit)
            cut = clean(text, (), is_over=partial(next, left, True))
            if count > limit >= 0:
                assert cut == whole or UNREAD in cut or "[redacted]" in cut
                assert len(cut) <= len(whole) + len(UNREAD)


def test_no_expression_is_compiled_when_the_time_is_over() -> None:
    """All of them take 20 ms of a processor in a new environment: 0.3 s of the smallest function."""
    reading = Reading("token=hunter2", (), lambda: True)
    assert [*reading.matches("(no expression")] == []
    assert reading.unread == 0


def test_a_secret_after_the_place_where_the_time_ended_does_not_leave() -> None:
    """What was read before it stays, without its secrets."""
    text = "token=hunter2a " + "x=1 " * 100 + "token=hunter2b " + "x=1 " * 1000 + "token=hunter2c"
    left = iter([False] * 60)
    cut = clean(text, (), is_over=partial(next, left, True))
    assert (cut[:18], cut[-len(UNREAD) :]) == ("token=[redacted] x", UNREAD)
    assert "hunter2" not in cut


def test_the_budget_of_a_delivery_is_looked_at_inside_of_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """One text of a megabyte: the time is over in the middle of it."""
    now = iter(range(10**9))
    monkeypatch.setattr("lambda_latency.redaction.attributes.thread_time", lambda: next(now) / 1000)
    redaction = Redaction(None, 2_000_000)
    redaction.limit_time(10**6)
    cut = redaction.text("pin=hunter2 " * 70_000)
    assert (cut.startswith("pin=[redacted] "), cut.endswith(UNREAD), "hunter2" in cut) == (True, True, False)
    assert redaction.has_cut
    assert redaction.value("app.text", "x" * 200) == UNREAD
    assert redaction.value("app.text", "token=hunter2") == "token=[redacted]"
