"""Traces to a file as they come, a line each: however many there are, they need no memory."""

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
IN_MEMORY = 4 * 1024 * 1024  # of traces that wait for their end; beyond it they wait on disk


class Writer:
    """JSON lines in a file; threads may share it.

    What was in the file stays until the first trace comes. A trace may be held: it is written when the writer is
    closed, unless a later version of it was written or held before.
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
            self._file = path.open("ab")  # says now whether it can be written, and takes nothing away yet
        except OSError as error:
            raise _unwritable(path, error) from error
        self._waiting: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the writer
        self._closed = False

    @property
    def held(self) -> set[str]:
        """The ids of the traces that wait."""
        return set(self._held)

    def write(self, trace: dict[str, Any]) -> None:
        """Add a trace; from now on no other version of it counts."""
        line = _line(trace)
        with self._lock:
            self._held.pop(trace["Id"], None)
            self._put(line)
            self._count(trace)

    def hold(self, trace: dict[str, Any]) -> None:
        """Keep a trace that is not complete, in place of an earlier version of it."""
        line = _line(trace)
        with self._lock:
            if not self._closed:
                self._held[trace["Id"]] = (self._waiting.seek(0, 2), len(line))
                self._waiting.write(line)

    def close(self) -> int:
        """Write what was held, and end; returns how many these were. What comes afterwards goes nowhere."""
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
    """`orders-api/prod`, if it is the segment of an API Gateway's stage that was called from outside."""
    if GATEWAY not in segment["Document"]:
        return ""
    document = json.loads(segment["Document"])
    is_one = document.get("origin") == GATEWAY and not document.get("parent_id")
    return str(document.get("name", "")) if is_one else ""


def _unwritable(path: Path, error: OSError) -> FetchError:
    return FetchError(f"{path} cannot be written: {error.strerror}", "name another file with --out")
