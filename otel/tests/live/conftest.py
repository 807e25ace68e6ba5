"""A running page, and what is closed after it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from lambda_latency.latency import Terms
from lambda_latency.live import Bounds, Receiver, RunningPage
from tests.live.shop import Listener
from tests.page.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Pages = Callable[..., RunningPage]
    Listeners = Callable[..., Listener]


@pytest.fixture
def pages() -> Iterator[Pages]:
    """Makes pages, with bounds by name."""
    made: list[RunningPage] = []

    def make(*, knows_ends: bool = False, told: Callable[[], dict[str, object]] = dict, **bounds: int) -> RunningPage:
        made.append(RunningPage(Terms, bounds=Bounds(**bounds), knows_ends=knows_ends, told=told))
        return made[-1]

    yield make
    for page in made:
        page.close()


@pytest.fixture
def listen() -> Iterator[Listeners]:
    """Opens a page's events."""
    made: list[Listener] = []

    def make(page: RunningPage, query: str = "", **headers: str) -> Listener:
        made.append(Listener(page.address, query, **headers))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def receiver(pages: Pages) -> Iterator[tuple[Receiver, RunningPage]]:
    """A receiver in front of a page."""
    page = pages()
    made = Receiver(page.add, 0, Bounds().body)
    yield made, page
    made.close()


@pytest.fixture(scope="session")
def one_browser() -> Iterator[Browser]:
    """Chromium with the network of this machine, where it is installed; in CI it has to be."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        reason = "no chromium and chromedriver: apt install chromium chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    made = Browser(*map(str, programs), offline=False)
    yield made
    made.close()


@pytest.fixture
def browser(one_browser: Browser) -> Iterator[Browser]:
    """The browser, with nothing of the test before; at the end its console has to be clean."""
    one_browser.show("about:blank")
    one_browser.size(1600)
    one_browser.console()
    yield one_browser
    assert one_browser.console() == []
    one_browser.show("about:blank")
