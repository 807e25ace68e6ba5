"""The tables of programs: every row names an option or a place, and the expressions for words between."""

from __future__ import annotations

import pytest

from lambda_latency.runtime.redact import programs as module
from lambda_latency.runtime.redact.programs import OPTIONS, PLACES, name_of, options, places, table
from tests.runtime.redact.expressions import Shown, checks

SHOWN: Shown = {
    "SWITCH": ("«-p»", "«--api=x»", "«/user:ada»", "«/add»", "-", "/a/b", "add", "/"),
    "NO_SECRET": ("«role=app»", "«https://h»", "«-p»", "«/add»", "x1y", "A=b", "a=b=c"),
}  # fmt: skip
test_each_expression_has_texts_of_both_sorts, test_an_expression_matches_what_is_marked = checks(module, SHOWN)


def test_each_row_names_options_or_places() -> None:
    """A row without one would never apply."""
    assert all(row[0] and all("-" in one or "/" in one for one in row[0].split()) for row in table(OPTIONS).values())
    assert all("$" in pattern for row in table(PLACES).values() for pattern in row)


@pytest.mark.parametrize(
    ("word", "name"),
    [("/usr/bin/mysql", "mysql"), (r"C:\\bin\\MySQL.exe", "mysql"), ("mc", "mc"), ("", "")],
)
def test_the_name_of_a_program_is_without_its_folder(word: str, name: str) -> None:
    """And without the end that Windows gives it."""
    assert name_of(word) == name


def test_a_family_has_the_options_of_its_row() -> None:
    """mysqldump has those of mysql; a program that is not in the table has none."""
    assert options(["sudo", "mysqldump"]) == {"-p="}
    assert options(["ls"]) == set()


def test_switches_may_be_between_the_words_of_a_place() -> None:
    """The fourth word after `alias set`."""
    assert [*places(["mc", "--json", "alias", "set", "a", "--api", "h", "K", "S"])] == [8]
    assert [*places(["mc", "alias", "set", "a", "h"])] == []


def test_a_text_of_names_of_programs_takes_time_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the words after each name a few are looked at, so twice the words are twice the comparisons."""
    compared: list[str] = []

    def fits(word: str, _: str) -> bool:
        compared.append(word)
        return False

    monkeypatch.setattr(module, "fits", fits)
    counts = []
    for count in (200, 400):
        compared.clear()
        assert [*places(["mc"] * count)] == []
        counts.append(len(compared))
    assert 1.9 < counts[1] / counts[0] < 2.2
