"""Unpacks gzip and zstd within a limit, so that a small file cannot take the memory of a large one.

Ids and times of spans are random: traces pack to a thirtieth of their size, hardly ever to a hundredth.
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable
from typing import Any

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
SMALL = 16 * 1024 * 1024  # bytes to which any packed file may unpack
LARGEST_MESSAGE = 64 * 1024 * 1024  # bytes of what is unpacked in memory
RATIO = 100
BUFFER = 256 * 1024
# Bytes of zstd that are unpacked in one step: its shortest block, 4 bytes, may hold 128 KiB, so a step 16 MiB.
STEP = 512
ZSTD_REMEDY = "zstd needs the extra formats before Python 3.14"
# What unpacking raises. The text of each is the reason.
UNPACKING_ERRORS = (OSError, EOFError, zlib.error)


class TooLargeError(OSError):
    """Packed data has more bytes than its limit."""


def is_packed(begin: bytes) -> bool:
    """Whether data with these first bytes, at least four, is gzip or zstd."""
    return begin.startswith((GZIP, ZSTD))


def limit_of(packed_size: int) -> int:
    """The number of bytes to which a file of `packed_size` bytes may unpack."""
    return max(SMALL, RATIO * packed_size)


def unpacking(file: io.BufferedReader[Any], limit: int) -> io.BufferedReader[Any]:
    """A stream of the plain bytes of a packed file, at most `limit`. Reading raises one of `UNPACKING_ERRORS`.

    Raises `OSError` with the remedy if the file is zstd and no module can unpack it.
    """
    is_gzip = file.peek(len(ZSTD)).startswith(GZIP)
    # `readinto1`: what precedes a cut is returned before the cut is an error
    read = gzip.GzipFile(fileobj=file, mode="rb").readinto1 if is_gzip else _ZstdFrames(file).readinto
    return io.BufferedReader(_Limited(read, limit), BUFFER)


def unpacked(packed: bytes, limit: int | None = None) -> bytes:
    """The plain bytes of packed data, at most `limit`. Raises as `unpacking` does."""
    if limit is None:
        limit = min(limit_of(len(packed)), LARGEST_MESSAGE)
    with unpacking(io.BufferedReader(io.BytesIO(packed)), limit) as plain:
        return plain.read()


class _Limited(io.RawIOBase):
    """The bytes that `read` fills into a buffer. Raises `TooLargeError` where they are more than `limit`."""

    def __init__(self, read: Callable[[Any], int], limit: int) -> None:
        self._read, self._limit, self._remaining = read, limit, limit

    def readable(self) -> bool:
        """True, as `io.BufferedReader` requires."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer and return the number of bytes, 0 at the end."""
        size = self._read(buffer)
        self._remaining -= size
        if self._remaining < 0:
            raise TooLargeError(f"more than {self._limit:,} bytes when unpacked: unpack it first, if that is right")
        return size


class _ZstdFrames(io.RawIOBase):
    """The plain bytes of a file with one or more frames. Raises `OSError` if it is broken or cut."""

    def __init__(self, file: io.BufferedReader[Any]) -> None:
        self._file, self._plain = file, memoryview(b"")
        self._frame, self._packed, self._is_begun = _zstd_frame(), b"", False

    def readable(self) -> bool:
        """True, as `io.BufferedReader` requires."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer and return the number of bytes, 0 at the end."""
        while not self._plain:
            self._packed = self._packed or self._file.read(STEP)
            if not self._packed:
                if self._is_begun:
                    raise OSError("cut: the zstd data ends too early")
                return 0
            self._plain = memoryview(self._next())
        size = min(len(buffer), len(self._plain))
        buffer[:size] = self._plain[:size]
        self._plain = self._plain[size:]
        return size

    def _next(self) -> bytes:
        self._is_begun = True
        try:
            plain = bytes(self._frame.decompress(self._packed))
        except Exception as error:  # each module has its own error class, and only one module is imported
            raise OSError(f"not zstd: {error}") from error
        self._packed = b""
        if self._frame.eof:
            self._packed, self._frame, self._is_begun = self._frame.unused_data, _zstd_frame(), False
        return plain


def _zstd_frame() -> Any:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor

        return ZstdDecompressor()
    try:
        import zstandard
    except ImportError:
        raise OSError(ZSTD_REMEDY) from None
    return zstandard.ZstdDecompressor().decompressobj()
