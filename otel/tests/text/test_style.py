"""What a stream can show is decided once: width, Unicode, colour."""

import io
from collections.abc import Mapping

import pytest

from lambda_latency.text import Piece, Style, paint, style_for
from lambda_latency.text.words import clean, display_width, fit, left, ms, percent, right, wrap


class _Stream(io.TextIOWrapper):
    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(("requested", "width"), [(20, 60), (80, 80), (120, 120), (300, 160)])
def test_the_width_is_60_to_160_cells(requested: int, width: int) -> None:
    """Never narrower, never wider."""
    assert Style(width=requested).width == width


def test_a_file_gets_100_columns_and_unicode_without_colour() -> None:
    """Where its encoding has it."""
    assert style_for(_Stream(), environ={}) == Style(width=100, unicode=True, colour=False, thin=False)
    assert style_for(_Stream(encoding="latin-1"), environ={}) == Style(
        width=100, unicode=False, colour=False, thin=False
    )


def test_a_terminal_gets_its_own_width_and_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS counts, as everywhere."""
    monkeypatch.setenv("COLUMNS", "77")
    assert style_for(_Stream(terminal=True), environ={"TERM": "xterm"}) == Style(width=77, colour=True)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, False),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "C"}, True),
        ({}, True),
    ],
)
def test_the_c_locale_means_no_unicode(environ: Mapping[str, str], expected: bool) -> None:
    """Although Python itself would write UTF-8 then."""
    assert style_for(_Stream(), environ=environ).unicode is expected
    assert style_for(_Stream(), ascii_only=True, environ=environ).unicode is False


@pytest.mark.parametrize(
    ("terminal", "colour", "environ", "expected"),
    [
        (True, "auto", {}, True),
        (False, "auto", {}, False),
        (True, "auto", {"NO_COLOR": "1"}, False),
        (True, "auto", {"TERM": "dumb"}, False),
        (False, "auto", {"FORCE_COLOR": "1"}, True),
        (True, "never", {"FORCE_COLOR": "1"}, False),
        (False, "always", {"NO_COLOR": "1", "TERM": "dumb"}, True),
    ],
)
def test_colour_follows_the_terminal_the_environment_and_what_was_typed(
    terminal: bool, colour: str, environ: Mapping[str, str], expected: bool
) -> None:
    """The later of them wins."""
    assert style_for(_Stream(terminal=terminal), colour=colour, environ=environ).colour is expected


def test_lines_are_painted_without_trailing_blanks() -> None:
    """In colour only what says something has an ink."""
    lines = [[Piece("a ", "red"), Piece("  ", "dim"), Piece("b  ")], [Piece("   ")], []]
    assert paint(lines, Style()) == "a   b\n\n\n"
    assert paint(lines, Style(colour=True)) == "\x1b[31ma \x1b[0m  b\n\n\n"


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
    assert [display_width(text) for text in ("abc", "日本", "😀", "e\u0301", "█")] == [3, 4, 2, 1, 1]
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
