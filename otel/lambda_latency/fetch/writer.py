"""Writes traces to a file as they arrive, one line each. Memory use does not depend on their number."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Any

from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.stopped import kept_lines
from lambda_latency.files import Replacement, unwritable

if TYPE_CHECKING:
    from pathlib import Path

GATEWAY = "AWS::ApiGateway::Stage"
IN_MEMORY = 4 * 1024 * 1024  # bytes of held traces in memory; more are held on disk


class Writer:
    """Writes JSON lines to a file; threads may share it. `before`: a file of a stopped fetch, whose traces come first.

    Until the writer is closed, the lines are in a temporary file: the old file stays if no trace arrives, or if the
    disk fills up. A held trace is written when the writer is closed, unless a later version of it was written or held.
    Raises FetchError if the disk refuses.
    """

    def __init__(self, path: Path, before: Path | None = None) -> None:
        self.path = path
        self.before: set[str] = set()  # the ids of traces from the stopped fetch
        self.count = 0
        self.stages: dict[str, int] = {}
        self.too_long = 0
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}
        try:
            self._file = Replacement(path)
        except OSError as error:
            raise FetchError(unwritable(path, error)) from error
        self._waiting: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the writer
        self._closed = False
        for line, trace in kept_lines(before) if before is not None else ():
            if trace["Id"] not in self.before:
                self.before.add(trace["Id"])
                self._put(line)
                self._count(trace)

    @property
    def aside(self) -> Path:
        """The temporary file of the lines until the writer is closed."""
        return self._file.path

    @property
    def held(self) -> set[str]:
        """The ids of held traces."""
        return set(self._held)

    def write(self, trace: dict[str, Any]) -> None:
        """Writes a trace, and discards a held version of it."""
        line = _line(trace)
        with self._lock:
            self._held.pop(trace["Id"], None)
            self._put(line)
            self._count(trace)

    def hold(self, trace: dict[str, Any]) -> None:
        """Holds an incomplete trace, in place of an earlier version of it."""
        line = _line(trace)
        with self._lock:
            if self._closed:
                return
            try:
                self._held[trace["Id"]] = (self._waiting.seek(0, 2), len(line))
                self._waiting.write(line)
            except OSError as error:
                raise self._failed(f"a file in {tempfile.gettempdir()}", error) from error

    def close(self) -> int:
        """Writes the held traces, and returns their number. Later traces are ignored."""
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
                if self.count:
                    self._file.keep()
            except OSError as error:
                raise self._failed(self.path, error) from error
            finally:
                self._end()
            return held

    def _failed(self, path: object, error: OSError) -> FetchError:
        """Discards the new file, and returns the error to raise."""
        self.count = 0
        self.stages.clear()
        self._end()
        return FetchError(unwritable(path, error))

    def _end(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._waiting.close()
        self._file.discard()

    def _put(self, line: bytes) -> None:
        if self._closed:
            return
        try:
            self._file.write(line)
        except OSError as error:
            raise self._failed(self.path, error) from error
        self.count += 1

    def _count(self, trace: dict[str, Any]) -> None:
        self.too_long += trace.get("LimitExceeded") is True
        stage = next(filter(None, map(_stage, trace.get("Segments", ()))), "")
        self.stages[stage] = self.stages.get(stage, 0) + 1


def _line(trace: dict[str, Any]) -> bytes:
    return json.dumps(trace, separators=(",", ":")).encode() + b"\n"


def _stage(segment: dict[str, Any]) -> str:
    """`orders-api/prod`, if the segment is an API Gateway stage without a parent; else empty."""
    if GATEWAY not in segment["Document"]:
        return ""
    document = json.loads(segment["Document"])
    is_one = document.get("origin") == GATEWAY and not document.get("parent_id")
    return str(document.get("name", "")) if is_one else ""
