"""Reads files that are packed with zstd: with Python's own module from 3.14 on, else with the package `zstandard`."""

from __future__ import annotations

import io
import sys
from typing import Any

CHUNK = 256 * 1024
REMEDY = "zstd needs the extra formats before Python 3.14"


class _Frames(io.RawIOBase):
    """A stream of the decompressed bytes of a file with one or more frames. Raises `OSError` if it is broken or cut."""

    def __init__(self, file: io.BufferedReader[Any]) -> None:
        self._file, self._left = file, memoryview(b"")
        self._frame, self._input = _frame(), b""

    def readable(self) -> bool:
        """True, as `io.BufferedReader` requires."""
        return True

    def readinto(self, into: Any) -> int:
        """Fill a buffer with decompressed bytes and return their number, 0 at the end."""
        while not self._left:
            if not self._input:
                self._input = self._file.read(CHUNK)
                if not self._input:
                    if self._begun:
                        raise OSError("cut: the zstd data ends too early")
                    return 0
            self._left = memoryview(self._next())
        size = min(len(into), len(self._left))
        into[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    _begun = False

    def _next(self) -> bytes:
        self._begun = True
        try:
            decompressed = bytes(self._frame.decompress(self._input))
        except Exception as error:
            # Each module has its own error class, and only one module is imported
            raise OSError(f"not zstd: {error}") from error
        self._input = b""
        if self._frame.eof:
            self._input, self._frame, self._begun = self._frame.unused_data, _frame(), False
        return decompressed


def opened(file: io.BufferedReader[Any]) -> io.BufferedReader[Any]:
    """A stream of a file's decompressed bytes. Raises `OSError` with the remedy if no module can decompress zstd."""
    return io.BufferedReader(_Frames(file), CHUNK)


def unpacked(packed: bytes) -> bytes:
    """The decompressed bytes of packed data. Raises `OSError` as `opened` and its stream do."""
    return opened(io.BufferedReader(io.BytesIO(packed))).read()


def _frame() -> Any:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor

        return ZstdDecompressor()
    try:
        import zstandard
    except ImportError:
        raise OSError(REMEDY) from None
    return zstandard.ZstdDecompressor().decompressobj()
