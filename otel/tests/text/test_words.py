"""Numbers and names: exact, aligned, and unable to write to the terminal."""

from __future__ import annotations

import pytest

from lambda_latency.text import Style
from lambda_latency.text.words import cells, clean, fit, left, ms, percent, right, wrap

UNICODE, ASCII = Style(), Style(unicode=False)


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        (0, "0 ms"),
        (499, "0 ms"),
        (500, "0.001 ms"),
        (4_499, "0.004 ms"),
        (5_000, "0.01 ms"),
        (36_000, "0.04 ms"),
        (49_999, "0.05 ms"),
        (50_000, "0.1 ms"),
        (949_999, "0.9 ms"),
        (950_000, "1 ms"),
        (1_499_999, "1 ms"),
        (1_500_000, "2 ms"),
        (1_342_000_000, "1,342 ms"),
    ],
)
def test_times_are_milliseconds_with_decimals_only_under_one(ns: int, expected: str) -> None:
    """Rounded half up, thousands separated."""
    assert ms(ns, ASCII) == expected
    assert ms(ns, UNICODE) == expected.replace(" ", "\u202f")


def test_shares_are_whole_percents() -> None:
    """Half up; of nothing it is none."""
    assert [percent(part, 200, ASCII) for part in (0, 1, 164, 165, 200)] == ["0 %", "1 %", "82 %", "83 %", "100 %"]
    assert percent(0, 0, UNICODE) == "0\u202f%"


def test_a_name_cannot_write_to_the_terminal() -> None:
    """Controls, bidirectional marks, line ends and lone surrogates are shown, not obeyed."""
    assert clean("a\x1b[31m\n\u202eb\u2028\ud800\x7f", UNICODE) == r"a\x1b[31m\x0a\u202eb\u2028\ud800\x7f"
    assert clean("größe 日本 😀", UNICODE) == "größe 日本 😀"
    assert clean("größe 日😀", ASCII) == r"gr\xf6\xdfe \u65e5\U0001f600"


def test_width_counts_cells() -> None:
    """Two for east-asian letters and emoji, none for what combines."""
    assert [cells(text) for text in ("abc", "日本", "😀", "e\u0301", "█")] == [3, 4, 2, 1, 1]
    assert (left("日", 4), right("日", 4)) == ("日  ", "  日")


def test_a_long_name_is_cut_before_its_suffix() -> None:
    """`(running)` is never cut; a letter of two cells is not cut in half."""
    assert fit("payments", 8, UNICODE) == "payments"
    assert fit("payments.example.com", 10, UNICODE) == "payments.…"
    assert fit("payments.example.com", 18, ASCII, " (running)") == "payment~ (running)"
    assert fit("日本語", 4, UNICODE) == "日…"


def test_text_is_wrapped_at_plain_spaces() -> None:
    """A number and its unit stay together."""
    lines = wrap("it took 1,342\u202fms or so", 14)
    assert [line[0].text for line in lines] == ["it took", "1,342\u202fms or so"]
