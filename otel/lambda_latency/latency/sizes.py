"""How large sources are, before they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace import is_compressed

if TYPE_CHECKING:
    from lambda_latency.trace import Source

__all__ = ["bytes_of", "size_of"]

PACKED = 10  # times as much as gzip makes of it


def size_of(source: Source) -> int:
    """The bytes of a file, about as they would be without compression."""
    try:
        return bytes_of(source) * (PACKED if is_compressed(source) else 1)
    except OSError:
        return 0


def bytes_of(source: Source) -> int:
    """The bytes of a file; 0 where it is not there, which it says when it is read."""
    try:
        return source.path.stat().st_size
    except OSError:
        return 0
