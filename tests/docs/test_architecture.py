"""The picture of the architecture, held against the import graph."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from lab.pictures.architecture import PICTURE, PURPOSES, drawing, imports, is_current, layers, reduced
from tests.docs.pages import page

ROOMS = {"cli": {"page", "text"}, "page": {"text"}, "text": {"trace"}, "local": {"trace"}, "trace": set[str]()}


def test_the_picture_is_that_of_the_code() -> None:
    """`make pictures` draws it anew."""
    assert is_current(), "run: make pictures ARGS='--only architecture'"


def test_every_room_has_a_purpose_and_a_row() -> None:
    """In the picture and on the page."""
    rooms = imports()
    assert sorted(PURPOSES) == sorted(rooms)
    rows = page("explanation/architecture.md").table("room | content")
    assert sorted(name for cell, _ in rows for name in re.findall(r"`(\w+)`", cell)) == sorted(rooms)


def test_imports_that_follow_from_others_are_left_out() -> None:
    """And no others."""
    assert reduced(ROOMS) == {**ROOMS, "cli": {"page"}}


def test_each_room_is_above_those_that_it_imports() -> None:
    """Layers from the top down."""
    assert layers(ROOMS) == [["cli"], ["page"], ["local", "text"], ["trace"]]


def test_an_arrow_passes_no_box() -> None:
    """An import over several layers has a lane of its own in those between."""
    text = drawing({"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()})
    assert text.count("<rect") == 4
    arrows = [re.findall(r"V\d+", path) for path in re.findall(r' d="(M[^"]*)"', text) if "C" in path]
    assert sorted(map(len, arrows)) == [0, 0, 1]


def test_the_picture_is_readable_at_800_pixels_in_light_and_in_dark() -> None:
    """It is as wide, no text is smaller than 12 pixels, and dark has colours of its own."""
    text = PICTURE.read_text()
    assert ET.fromstring(text).get("width") == "800"  # noqa: S314 - our own picture
    assert min(float(size) for size in re.findall(r"(\d+(?:\.\d+)?)px", text)) >= 12
    assert "prefers-color-scheme: dark" in text
