"""The distribution: one line of bars over a logarithmic axis."""

from __future__ import annotations

from lambda_latency.text import Style, paint
from lambda_latency.text.facts import distribution
from tests.trace.build import MS


def _drawn(walls_ms: list[float], style: Style, slow_ms: float | None = None) -> list[str]:
    walls = [round(wall * MS) for wall in walls_ms]
    lines = distribution(walls, None if slow_ms is None else round(slow_ms * MS), style)
    return paint(lines, style).replace("\u202f", " ").splitlines()


def test_requests_are_drawn_where_they_belong() -> None:
    """The most crowded column is full; `┊` is where the slow ones begin."""
    walls = [30.0] * 8 + [60.0] * 4 + [61.0] + [300.0] * 2 + [1500.0]
    assert _drawn(walls, Style(), slow_ms=300) == [
        "         █            ▄▁                             ▂┊                            ▁",
        "  20 ms            50           100          200              500          1 s           2 s",
    ]


def test_a_single_request_has_an_axis_too() -> None:
    """From the mark below it to the mark above."""
    assert _drawn([120.0], Style(width=60, unicode=False)) == [
        "              @",
        "  100 ms                                         200",
    ]


def test_very_short_and_very_long_ones_share_an_axis() -> None:
    """Labels that would touch are left out."""
    assert _drawn([0.2, 290_000.0], Style(width=60)) == [
        "  █                                            █",
        "  1 ms 5  10    50  200 500  2 s  10 s  50 s 200 s",
    ]


def test_nothing_is_drawn_of_nothing() -> None:
    """No axis without a request."""
    assert _drawn([], Style()) == []
