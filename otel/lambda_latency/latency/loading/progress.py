"""The progress of a report, and the sizes of the files that it reads."""

from __future__ import annotations

from lambda_latency.trace import Source, is_compressed


class Progress:
    """Receives the progress of a report, in bytes of its files. This cause group discards it."""

    def stage(self, name: str, size: int) -> None:
        """A stage of `size` bytes begins."""

    def step(self, size: int) -> None:
        """`size` more bytes are done."""

    def close(self) -> None:
        """All stages are done."""


SILENT = Progress()


PACKED = 10  # typical compression ratio of gzip


def size_of(source: Source) -> int:
    """Return the approximate size of a file without compression, in bytes; 0 if the file is missing."""
    try:
        return bytes_of(source) * (PACKED if is_compressed(source) else 1)
    except OSError:
        return 0


def bytes_of(source: Source) -> int:
    """Return the size of a file in bytes; 0 if the file is missing, which reading it reports."""
    try:
        return source.path.stat().st_size
    except OSError:
        return 0
