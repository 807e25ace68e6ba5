"""Where the lines of a trace are, so that the few traces that are shown in full need no second pass over all of it."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from otel.trace.sources import Source

__all__ = ["LineIndex", "lines_at"]


class LineIndex:
    """For each source the offsets of lines by the traces in them: 12 bytes for each trace in a line.

    Of a trace id only a part is kept: another with the same one brings lines too many, never too few.
    """

    def __init__(self) -> None:
        self._sources: dict[Source, tuple[array[int], array[int]]] = {}
        self._left_out: set[Source] = set()

    def begin(self, source: Source) -> None:
        """The lines that are noted next are in this source."""
        self._hashes, self._offsets = self._sources[source] = array("I"), array("q")

    def note(self, trace_ids: Iterable[Iterable[str]], offsets: Iterable[int]) -> None:
        """The lines that begin at these offsets have spans of these traces."""
        hashes, begins = self._hashes, self._offsets
        for ids, offset in zip(trace_ids, offsets, strict=True):
            for trace_id in ids:
                hashes.append(_hash(trace_id))
                begins.append(offset)

    def leave_out(self, source: Source) -> None:
        """It has lines that were not noted, or that cannot be gone to: all of it has to be searched."""
        self._sources.pop(source, None)

    def merge(self, source: Source, other: LineIndex) -> None:
        """Add what was noted elsewhere of other lines of a source; what is left out there is left out."""
        known = other._sources.get(source)
        if known is None:
            self._left_out.add(source)
            self._sources.pop(source, None)
        elif source not in self._left_out:
            hashes, offsets = self._sources.setdefault(source, (array("I"), array("q")))
            hashes.extend(known[0])
            offsets.extend(known[1])

    def offsets(self, source: Source, trace_ids: Collection[str]) -> list[int] | None:
        """Where lines with these traces begin, in their order; None if that is not known of the source."""
        known = self._sources.get(source)
        if known is None:
            return None
        wanted = {_hash(trace_id) for trace_id in trace_ids}
        return sorted({offset for one, offset in zip(*known, strict=True) if one in wanted})


def _hash(trace_id: str) -> int:
    return int(trace_id[-8:], 16)  # the same in every process, which Python's own is not


def lines_at(source: Source, offsets: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Lines by their offsets, which stand for their numbers; none where the file is gone."""
    try:
        with source.path.open("rb") as file:
            for offset in offsets:
                file.seek(offset)
                yield offset, file.readline()
    except OSError:
        return
