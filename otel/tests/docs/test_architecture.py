"""The picture of the architecture, held against the import graph."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lab.pictures.architecture import PICTURE, PURPOSES, drawing, imports, is_current, layers, reduced
from lab.pictures.page import LOOK, look
from tests.docs.pages import page

DATA_PATH = PICTURE.with_name("data-path.svg")
ROOMS = {"cli": {"page", "text"}, "page": {"text"}, "text": {"trace"}, "local": {"trace"}, "trace": set[str]()}


def test_the_picture_is_that_of_the_code() -> None:
    """`make pictures` draws it anew."""
    assert is_current(), "run: make pictures ARGS='--only architecture'"


def test_every_room_has_a_purpose_and_a_row() -> None:
    """In the picture and on the page."""
    rooms = imports()
    assert sorted(PURPOSES) == sorted(rooms)
    rows = page("explanation/architecture.md").table("subpackage | content")
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


def test_the_data_path_is_drawn_from_the_function_to_the_report() -> None:
    """On AWS from left to right; the local store is the way on a laptop."""
    drawn = re.findall(r'class="name" x="(\d+)" y="(\d+)">([^<]+)<', DATA_PATH.read_text())
    row = sorted((int(x), name) for x, _, name in drawn if name != "local store")
    assert [name for _, name in row] == ["function", "layer", "collector", "X-Ray", "report"]
    assert f"]({DATA_PATH.name})" in page("explanation/architecture.md").text


@pytest.mark.parametrize("picture", [PICTURE, DATA_PATH], ids=lambda path: path.stem)
def test_the_picture_is_readable_at_800_pixels_in_light_and_in_dark(picture: Path) -> None:
    """It is as wide, no text is smaller than 12 pixels, and dark has colours of its own."""
    text = picture.read_text()
    assert ET.fromstring(text).get("width") == "800"  # noqa: S314 - our own picture
    assert min(float(size) for size in re.findall(r"(\d+(?:\.\d+)?)px", text)) >= 12
    assert "prefers-color-scheme: dark" in text


def test_the_pictures_are_of_todays_page() -> None:
    """`make pictures ARGS='--only page'` takes them anew."""
    assert LOOK.read_text(encoding="ascii").strip() == look()
