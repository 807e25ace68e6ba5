"""A page that the command saved at commit f5d3bba."""

import lzma
import re
from pathlib import Path

from tests.page.browser import Browser


def test_a_saved_page_needs_nothing_else(tmp_path: Path, browser: Browser) -> None:
    """It loads nothing, and shows its verdict."""
    text = lzma.decompress((Path(__file__).parent / "saved.html.xz").read_bytes()).decode()
    assert re.findall(r'(?:src|href)="(?!#)', text) == []
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    browser.show((tmp_path / "page.html").as_uri())
    assert "Nothing stands out." in browser.text("body")
