"""Reads two stores: spans of Transaction Search, and traces of X-Ray's own API, merged by trace id.

Used for a period in which Transaction Search was switched on or off, and for accounts whose functions send to either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.fetch.batches import AT_ONCE, Answer
from lambda_latency.fetch.stores import Listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_latency.fetch.asked import Asked
    from lambda_latency.fetch.search import Search
    from lambda_latency.fetch.stores import XRay


class Both:
    """Requests each trace from the store that listed it; if both have it, each segment is returned once."""

    name = "Transaction Search and X-Ray"

    def __init__(self, search: Search, xray: XRay) -> None:
        self._search, self._xray = search, xray
        self.at_once = search.at_once
        self.billed = 0
        self._in_search: set[str] = set()
        self._in_xray: set[str] = set()

    def listed(self, asked: Asked) -> Iterator[Listed]:
        """As `Store.listed`: all pages of Transaction Search, then all of X-Ray. `down_to_ns` is always None."""
        for page in self._search.listed(asked):
            self.billed = self._search.billed
            self._in_search.update(page.ids)
            yield Listed(page.ids, page.scanned, page.share / 2)
        for page in self._xray.listed(asked):
            self._in_xray.update(page.ids)
            fresh = [one for one in page.ids if one not in self._in_search]
            yield Listed(fresh, page.scanned, (1 + page.share) / 2)

    def batch(self, ids: Sequence[str]) -> Answer:
        """As `Store.batch`. An id that neither store listed (typed, or from a stopped fetch) is requested from both."""
        of_search = [one for one in ids if one in self._in_search or one not in self._in_xray]
        of_xray = [one for one in ids if one in self._in_xray or one not in self._in_search]
        found: dict[str, dict[str, Any]] = {}
        calls = 0
        answers = [self._search.batch(of_search)] if of_search else []
        answers += [self._xray.batch(of_xray[at : at + AT_ONCE]) for at in range(0, len(of_xray), AT_ONCE)]
        for answer in answers:
            calls += answer.calls
            for trace_id, trace in answer.traces.items():
                found[trace_id] = merged(found[trace_id], trace) if trace_id in found else trace
        return Answer(found, calls)


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The segments of both, each id once."""
    segments = {segment["Id"]: segment for segment in (*other.get("Segments", ()), *one.get("Segments", ()))}
    return {**other, **one, "Segments": list(segments.values())}
