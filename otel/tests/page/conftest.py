"""A browser without a window, without a network, and the pages it is shown."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.page.browser import Browser, chromium, cleared
from tests.page.samples import FIRSTS, SAMPLES


@pytest.fixture(scope="session")
def one_browser() -> Iterator[Browser]:
    """Chromium without a network."""
    yield from chromium()


@pytest.fixture
def browser(one_browser: Browser) -> Iterator[Browser]:
    """The browser, with nothing of the test before; at the end its console has to be clean."""
    yield from cleared(one_browser)


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
