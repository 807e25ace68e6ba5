"""The picture of the architecture, held against the import graph."""

import re
from xml.etree import ElementTree as ET

from lab.pictures.architecture import PAGE, drawn, imports, reduced
from lab.pictures.page import LOOK, look
from tests.docs.pages import page

DATA_PATH = PAGE.with_name("data-path.svg")
PACKAGES = {"cli": {"page", "text"}, "page": {"text"}, "text": {"trace"}, "local": {"trace"}, "trace": set[str]()}


def test_the_graph_is_that_of_the_code() -> None:
    """`make pictures` draws it anew."""
    assert PAGE.read_text("utf-8") == drawn(imports()), "run: make pictures ARGS='--only architecture'"


def test_every_package_has_a_row() -> None:
    """On the page."""
    rows = page("explanation/architecture.md").table("subpackage | content")
    assert sorted(name for cell, _ in rows for name in re.findall(r"`(\w+)`", cell)) == sorted(imports())


def test_imports_that_follow_from_others_are_left_out() -> None:
    """And no others."""
    assert reduced(PACKAGES) == {**PACKAGES, "cli": {"page"}}


def test_the_data_path_is_drawn_from_the_function_to_the_report() -> None:
    """On AWS from left to right; the local store is the way on a laptop."""
    names = re.findall(r'class="name" x="(\d+)" y="(\d+)">([^<]+)<', DATA_PATH.read_text())
    row = sorted((int(x), name) for x, _, name in names if name != "local store")
    assert [name for _, name in row] == ["function", "layer", "collector", "X-Ray", "report"]
    assert f"]({DATA_PATH.name})" in page("explanation/architecture.md").text


def test_the_data_path_is_readable_at_800_pixels_in_light_and_in_dark() -> None:
    """It is as wide, no text is smaller than 12 pixels, and dark has colours of its own."""
    text = DATA_PATH.read_text()
    assert ET.fromstring(text).get("width") == "800"  # noqa: S314 - our own picture
    assert min(float(size) for size in re.findall(r"(\d+(?:\.\d+)?)px", text)) >= 12
    assert "prefers-color-scheme: dark" in text


def test_the_pictures_are_of_todays_page() -> None:
    """`make pictures ARGS='--only page'` takes them anew."""
    assert LOOK.read_text(encoding="ascii").strip() == look()
