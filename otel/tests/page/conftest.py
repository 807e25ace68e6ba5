"""A browser without a window, without a network, and the pages it is shown."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page.browser import Browser
from tests.page.samples import FIRSTS, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def one_browser() -> Iterator[Browser]:
    """Chromium and its driver, where they are installed; in CI they have to be."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        reason = "no chromium and chromedriver: apt install chromium chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    browser = Browser(*(str(program) for program in programs))
    yield browser
    browser.close()


@pytest.fixture
def browser(one_browser: Browser) -> Iterator[Browser]:
    """The browser, with nothing of the test before; at the end its console has to be clean."""
    one_browser.show("about:blank")
    one_browser.size(1600)
    one_browser.console()
    yield one_browser
    assert one_browser.console() == []


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The address of the page of a sample."""
    folder = tmp_path_factory.mktemp("pages")

    def address(name: str) -> str:
        path = Path(folder, f"{name}.html")
        if not path.exists():
            path.write_text((SAMPLES | FIRSTS)[name](), encoding="utf-8")
        return path.as_uri()

    return address
