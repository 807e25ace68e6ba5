"""An index of lines by trace, so that the traces that are shown in full can be read without their whole file."""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import compress
from typing import NamedTuple

from lambda_latency.trace.files.sources import Source

ID = re.compile(r"[0-9a-f]{32}\Z")  # no other text is in the index
WORDS = 16 // array("I").itemsize  # array items in a trace id


class _Lines(NamedTuple):
    """The lines of one source: the last word of a trace id, and the offset of a line with spans of that trace."""

    hashes: array[int]
    begins: array[int]

    @classmethod
    def empty(cls) -> _Lines:
        return cls(array("I"), array("q"))


class LineIndex:
    """The byte offsets of the lines of each trace, for each source: 12 bytes for each trace in a line. Those of a
    compressed file are offsets in its text.

    `joined` has the id of the request by the id of each other trace of a durable execution.
    Only the last word of a trace id is retained: a search may find lines of another trace too, but it misses none.
    """

    def __init__(self) -> None:
        self._sources: dict[Source, _Lines] = {}
        self._left_out: set[Source] = set()
        self.joined: dict[str, str] = {}

    def begin(self, source: Source) -> None:
        """Start the index of a source: the next calls of `note` refer to it."""
        self._lines = self._sources[source] = _Lines.empty()

    def note(self, trace_ids: Sequence[Collection[str]], offsets: Iterable[int]) -> None:
        """Add lines: their offsets, and for each the ids (in hex) of the traces in it."""
        hashes, begins = self._lines
        flat_ids = [trace_id for ids in trace_ids for trace_id in ids]
        hashes += array("I", bytes.fromhex("".join(flat_ids)))[WORDS - 1 :: WORDS]
        if len(flat_ids) == len(trace_ids) and all(trace_ids):  # one trace a line, as in most files
            begins.extend(offsets)
        else:
            begins.extend(offset for ids, offset in zip(trace_ids, offsets, strict=True) for _ in ids)

    def leave_out(self, source: Source) -> None:
        """Remove a source whose lines cannot all be read by offset: a search has to read all of it."""
        self._sources.pop(source, None)

    def merge(self, source: Source, added_index: LineIndex) -> None:
        """Add the lines of a source from another index. If the other one leaves the source out, so does this one."""
        added = added_index._sources.get(source)
        if added is None:
            self._left_out.add(source)
            self._sources.pop(source, None)
        elif source not in self._left_out:
            lines = self._sources.setdefault(source, _Lines.empty())
            for column, added_column in zip(lines, added, strict=True):
                column.extend(added_column)

    def offsets(self, source: Source, trace_ids: Collection[str]) -> list[int] | None:
        """The offsets of the lines that may have spans of these traces, ascending; None if the source has no index."""
        lines = self._sources.get(source)
        if lines is None or not lines.hashes:
            return None
        hashes = {array("I", bytes.fromhex(trace_id))[-1] for trace_id in trace_ids if ID.match(trace_id)}
        return sorted(set(compress(lines.begins, map(hashes.__contains__, lines.hashes))))
