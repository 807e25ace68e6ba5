"""The docs' pictures of messages."""

from __future__ import annotations

from lab.pictures.alarm import FOLDER, drawn


def test_the_pictures_of_the_docs_are_those_of_todays_messages() -> None:
    """`python -m lab pictures` draws them again."""
    pictures = drawn()
    assert pictures == {name: (FOLDER / name).read_text() for name in pictures}


def test_the_pictures_are_in_the_page_about_alarms() -> None:
    """With a text for those who do not see them."""
    page = (FOLDER / "explain-alarms.md").read_text()
    assert [one.name for one in FOLDER.glob("alarm-*.svg") if f"]({one.name})" not in page] == []
