"""The README's pictures are of the page as it looks today."""

from __future__ import annotations

from lab.pictures.page import LOOK, look


def test_the_pictures_are_of_todays_page() -> None:
    """`make pictures ARGS='--only page'` takes them anew."""
    assert LOOK.read_text(encoding="ascii").strip() == look()
