"""What a stream can show is decided once: width, Unicode, colour."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from lambda_latency.text import Piece, Style, paint, style_for

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Stream(io.TextIOWrapper):
    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(("asked", "given"), [(20, 60), (80, 80), (120, 120), (300, 160)])
def test_the_width_is_60_to_160_cells(asked: int, given: int) -> None:
    """Never narrower, never wider."""
    assert Style(width=asked).width == given


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
