"""A running page, and what is closed after it."""

from collections.abc import Callable, Iterator

import pytest

from lambda_latency.latency import AnalysisOptions
from lambda_latency.live import Bounds, Receiver, RunningPage
from tests.live.shop import Listener
from tests.page.browser import Browser, chromium, cleared

Pages = Callable[..., RunningPage]
State = Callable[[], dict[str, object]]
Listeners = Callable[..., Listener]


@pytest.fixture
def pages() -> Iterator[Pages]:
    """Makes pages, with bounds by name."""
    made: list[RunningPage] = []

    def make(*, knows_ends: bool = False, receiver_state: State = dict, **bounds: int) -> RunningPage:
        made.append(
            RunningPage(AnalysisOptions, bounds=Bounds(**bounds), knows_ends=knows_ends, receiver_state=receiver_state)
        )
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
    """Chromium with the network of this machine."""
    yield from chromium(offline=False)


@pytest.fixture
def browser(one_browser: Browser, pages: Pages) -> Iterator[Browser]:
    """The browser, with nothing of the test before; at the end its console has to be clean.

    It leaves the page before `pages` closes the page's server: a request without an answer is an error in the console.
    """
    del pages
    yield from cleared(one_browser)
    one_browser.show("about:blank")
