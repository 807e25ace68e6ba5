"""Where the lines of a trace are, so that the few traces that are shown in full need no second pass over all of it."""

from __future__ import annotations

import re
from array import array
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from lambda_latency.trace.sources import Source

__all__ = ["LineIndex", "lines_at"]


ID = re.compile(r"[0-9a-f]{32}\Z")  # whoever asks for anything else finds nothing
WORDS = 16 // array("I").itemsize  # of a trace id


class _Lines(NamedTuple):
    """What was noted of a source: parts of trace ids, and the offsets of the lines with these."""

    hashes: array[int]
    begins: array[int]

    @classmethod
    def none(cls) -> _Lines:
        return cls(array("I"), array("q"))


class LineIndex:
    """For each source the offsets of lines by the traces in them: 12 bytes for each trace in a line.

    Of a trace id only a part is kept: another with the same one brings lines too many, never too few.
    """

    def __init__(self) -> None:
        self._sources: dict[Source, _Lines] = {}
        self._left_out: set[Source] = set()

    def begin(self, source: Source) -> None:
        """The lines that are noted next are in this source."""
        self._lines = self._sources[source] = _Lines.none()

    def note(self, trace_ids: Sequence[Collection[str]], offsets: Iterable[int]) -> None:
        """The lines that begin at these offsets have spans of these traces."""
        hashes, begins = self._lines
        known = [one for ids in trace_ids for one in ids]
        hashes += array("I", bytes.fromhex("".join(known)))[WORDS - 1 :: WORDS]
        if len(known) == len(trace_ids) and all(trace_ids):  # as in most files
            begins.extend(offsets)
        else:
            begins.extend(offset for ids, offset in zip(trace_ids, offsets, strict=True) for _ in ids)

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
            ours = self._sources.setdefault(source, _Lines.none())
            for own, others in zip(ours, known, strict=True):
                own.extend(others)

    def offsets(self, source: Source, trace_ids: Collection[str]) -> list[int] | None:
        """Where lines with these traces begin, in their order; None if that is not known of the source."""
        known = self._sources.get(source)
        if known is None or not known.hashes:
            return None
        wanted = {_hash(trace_id) for trace_id in trace_ids if ID.match(trace_id)}
        return sorted(set(compress(known.begins, map(wanted.__contains__, known.hashes))))


def _hash(trace_id: str) -> int:
    return array("I", bytes.fromhex(trace_id))[-1]  # the same in every process, which Python's own is not


def lines_at(source: Source, offsets: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Lines by their offsets, which stand for their numbers; none where the file is gone."""
    try:
        with source.path.open("rb") as file:
            for offset in offsets:
                file.seek(offset)
                yield offset, file.readline()
    except OSError:
        return
