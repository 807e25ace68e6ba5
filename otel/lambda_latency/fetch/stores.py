"""The trace stores of an account: X-Ray's API, and the spans of Transaction Search in CloudWatch.

Where Transaction Search is on, X-Ray's own API finds only the indexed traces, by default one in a hundred.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lambda_latency.fetch.batches import AT_ONCE, Answer, batch
from lambda_latency.fetch.summaries import pages
from lambda_latency.fetch.windows import windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_latency.fetch.asked import Asked

SECOND_NS = 1_000_000_000


class Listed(NamedTuple):
    """Ids of traces, each once; how many traces were scanned for them; the share of the time range that is listed.

    All traces that began at `down_to_ns` or later are listed; None if that is unknown.
    """

    ids: list[str]
    scanned: int
    share: float
    down_to_ns: int | None = None


class Store(Protocol):
    """Lists traces, and returns them in X-Ray's format. Its calls raise boto3's errors and FetchError.

    `at_once` is the limit of traces per batch. `billed` is the number of bytes that listing has scanned so far and that
    AWS charges for.
    """

    name: str
    at_once: int
    billed: int

    def listed(self, asked: Asked) -> Iterator[Listed]:
        """The ids of a selection, the newest first."""

    def batch(self, ids: Sequence[str]) -> Answer:
        """Traces by id; those that are not ready are absent. Called from several threads concurrently."""


class XRay:
    """X-Ray's own API: GetTraceSummaries and BatchGetTraces."""

    name, at_once, billed = "X-Ray", AT_ONCE, 0

    def __init__(self, xray: Any) -> None:
        self._xray = xray

    def listed(self, asked: Asked) -> Iterator[Listed]:
        """As `Store.listed`."""
        before: set[str] = set()
        cut = windows(asked.since_ns, asked.until_ns)
        for number, window in enumerate(cut):
            seen: set[str] = set()
            for page in pages(self._xray, window, asked.expression):
                # A trace is listed twice if it is on two pages of a window, or in the second that two windows share.
                fresh = [one for one in dict.fromkeys(page.ids) if one not in seen and one not in before]
                seen.update(fresh)
                down_to = window.start_s * SECOND_NS if page.last else None
                yield Listed(fresh, page.scanned, (number + page.last) / len(cut), down_to)
            before = seen

    def batch(self, ids: Sequence[str]) -> Answer:
        """As `Store.batch`."""
        return batch(self._xray, ids)
