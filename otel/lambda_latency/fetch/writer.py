"""Writes traces to a file as they come, one per line, so that memory does not grow with their number."""

from __future__ import annotations

import json
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Any

from lambda_latency.fetch.errors import FetchError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Writer"]

GATEWAY = "AWS::ApiGateway::Stage"
IN_MEMORY = 4 * 1024 * 1024  # memory for traces that have not ended; more of them wait on disk


class Writer:
    """JSON lines in a file; threads may share it.

    The former content stays until the first trace comes. A held trace is written when the writer is closed, unless a
    later version of it was written or held before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.stages: dict[str, int] = {}
        self.too_long = 0
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}
        self._is_new = not path.exists()
        try:
            self._file = path.open("ab")  # fails now if the file is not writable, and truncates nothing yet
        except OSError as error:
            raise _unwritable(path, error) from error
        self._waiting: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the writer
        self._closed = False

    @property
    def held(self) -> set[str]:
        """The ids of the held traces."""
        return set(self._held)

    def write(self, trace: dict[str, Any]) -> None:
        """Writes a trace; later versions of it are ignored."""
        line = _line(trace)
        with self._lock:
            self._held.pop(trace["Id"], None)
            self._put(line)
            self._count(trace)

    def hold(self, trace: dict[str, Any]) -> None:
        """Holds an incomplete trace; it replaces an earlier version."""
        line = _line(trace)
        with self._lock:
            if not self._closed:
                self._held[trace["Id"]] = (self._waiting.seek(0, 2), len(line))
                self._waiting.write(line)

    def close(self) -> int:
        """Writes the held traces and returns their number. Later traces are ignored."""
        with self._lock:
            if self._closed:
                return 0
            held = len(self._held)
            try:
                for offset, length in self._held.values():
                    self._waiting.seek(offset)
                    line = self._waiting.read(length)
                    self._put(line)
                    self._count(json.loads(line))
            finally:
                self._closed = True
                self._waiting.close()
                self._file.close()
                if self._is_new and not self.count:
                    self.path.unlink(missing_ok=True)
            return held

    def _put(self, line: bytes) -> None:
        if self._closed:
            return
        try:
            if not self.count:
                self._file.truncate(0)
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self.count += 1

    def _count(self, trace: dict[str, Any]) -> None:
        self.too_long += trace.get("LimitExceeded") is True
        stage = next(filter(None, map(_stage, trace.get("Segments", ()))), "")
        self.stages[stage] = self.stages.get(stage, 0) + 1


def _line(trace: dict[str, Any]) -> bytes:
    return json.dumps(trace, separators=(",", ":")).encode() + b"\n"


def _stage(segment: dict[str, Any]) -> str:
    """`orders-api/prod` for the segment of an API Gateway stage that was called from outside."""
    if GATEWAY not in segment["Document"]:
        return ""
    document = json.loads(segment["Document"])
    is_one = document.get("origin") == GATEWAY and not document.get("parent_id")
    return str(document.get("name", "")) if is_one else ""


def _unwritable(path: Path, error: OSError) -> FetchError:
    return FetchError(f"{path} cannot be written: {error.strerror}", "name another file with --out")
