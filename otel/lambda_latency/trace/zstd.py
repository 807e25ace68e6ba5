"""Files that are packed with zstd: by Python's own module from 3.14 on, before it by the package `zstandard`."""

from __future__ import annotations

import io
import sys
from typing import Any

__all__ = ["ZSTD", "opened", "unpacked"]

ZSTD = b"\x28\xb5\x2f\xfd"
CHUNK = 256 * 1024
REMEDY = "zstd needs one more package before Python 3.14: pip install 'lambda-latency[formats]'"


class _Frames(io.RawIOBase):
    """The bytes of the frames in a file, one behind the other. Raises `OSError` where they are broken or cut."""

    def __init__(self, file: io.BufferedReader[Any]) -> None:
        self._file, self._left = file, memoryview(b"")
        self._frame, self._input = _frame(), b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: Any) -> int:
        """As every raw stream's."""
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
            data = bytes(self._frame.decompress(self._input))
        except Exception as error:  # each module has an error of its own, which no other code can name
            raise OSError(f"not zstd: {error}") from error
        self._input = b""
        if self._frame.eof:
            self._input, self._frame, self._begun = self._frame.unused_data, _frame(), False
        return data


def opened(file: io.BufferedReader[Any]) -> io.BufferedReader[Any]:
    """What is packed in a file, as a stream. Raises `OSError` that says what to do where nothing can unpack it."""
    return io.BufferedReader(_Frames(file), CHUNK)


def unpacked(data: bytes) -> bytes:
    """All that is packed in some bytes. Raises `OSError` as `opened`'s stream does."""
    return opened(io.BufferedReader(io.BytesIO(data))).read()


def _frame() -> Any:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor

        return ZstdDecompressor()
    try:
        import zstandard
    except ImportError:
        raise OSError(REMEDY) from None
    return zstandard.ZstdDecompressor().decompressobj()
