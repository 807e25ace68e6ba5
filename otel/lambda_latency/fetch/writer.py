"""Writes traces to a file as they arrive, one line each. Memory use does not depend on their number."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from lambda_latency.fetch.errors import FetchError, SelectionError
from lambda_latency.fetch.selection import Choice, Selection
from lambda_latency.fetch.stores import is_in_progress
from lambda_latency.files import Replacement, replace_files, unwritable

GATEWAY = "AWS::ApiGateway::Stage"
IN_MEMORY = 4 * 1024 * 1024  # bytes; more is held on disk


class Writer:
    """Writes JSON lines to a file; threads may share it. The traces of `stopped_file`, of a stopped fetch, come first.

    Until the writer is closed, the lines are in a temporary file: the old file stays if no trace arrives, or if the
    disk fills up. A held trace is written when the writer is closed, unless a later version of it was written or held.
    Raises FetchError if the disk refuses.
    """

    def __init__(self, path: Path, stopped_file: Path | None = None) -> None:
        self.path = path
        self.stopped_ids: set[str] = set()  # ids of the stopped fetch
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
        for line, trace in complete_lines(stopped_file) if stopped_file is not None else ():
            if trace["Id"] not in self.stopped_ids:
                self.stopped_ids.add(trace["Id"])
                self._put(line)
                self._count(trace)

    @property
    def temporary_path(self) -> Path:
        """Return the temporary file of the lines until the writer is closed."""
        return self._file.path

    @property
    def held(self) -> set[str]:
        """Return the ids of held traces."""
        return set(self._held)

    def write(self, trace: dict[str, Any]) -> None:
        """Write a trace, and discard a held version of it."""
        line = _json_line(trace).encode()
        with self._lock:
            self._held.pop(trace["Id"], None)
            self._put(line)
            self._count(trace)

    def hold(self, trace: dict[str, Any]) -> None:
        """Hold an incomplete trace, which replaces an earlier version of it."""
        line = _json_line(trace).encode()
        with self._lock:
            if self._closed:
                return
            try:
                self._held[trace["Id"]] = (self._waiting.seek(0, 2), len(line))
                self._waiting.write(line)
            except OSError as error:
                raise self._failed(f"a file in {tempfile.gettempdir()}", error) from error

    def close(self) -> int:
        """Write the held traces, and return their number. Later traces are ignored."""
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
                    self._file.commit()
            except OSError as error:
                raise self._failed(self.path, error) from error
            finally:
                self._end()
            return held

    def _failed(self, path: object, error: OSError) -> FetchError:
        """Discard the new file, and return the error to raise."""
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


def _stage(segment: dict[str, Any]) -> str:
    """Return `orders-api/prod` if the segment is an API Gateway stage without a parent; else an empty text."""
    if GATEWAY not in segment["Document"]:
        return ""
    document = json.loads(segment["Document"])
    is_one = document.get("origin") == GATEWAY and not document.get("parent_id")
    return str(document.get("name", "")) if is_one else ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A stopped fetch: its selection, the listed ids, and the file of the traces fetched so far.

    `remaining` is the part of the selection that is not listed yet; None if all is listed.
    """

    selection: Selection
    remaining: Selection | None
    region: str
    source: str
    listed: tuple[str, ...]
    traces: Path


class Notes:
    """Records the state of a running fetch. A page is recorded before its traces are requested."""

    def __init__(self, out: Path, selection: Selection, region: str, source: str, traces: Path) -> None:
        self._path = notes_of(out)
        head = {"asked": asdict(selection), "region": region, "source": source, "traces": str(traces)}
        try:
            replace_files([(self._path, _json_line(head))])
        except OSError as error:
            raise FetchError(unwritable(self._path, error)) from error

    def page(self, ids: Sequence[str], down_to_ns: int | None) -> None:
        """Record listed ids. `down_to_ns`: all traces that began then or later are listed; None if unknown."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_json_line({"ids": list(ids), "down_to": down_to_ns}))
        except OSError as error:
            raise FetchError(unwritable(self._path, error)) from error

    def remove(self) -> None:
        """Remove the file: nothing is left to resume."""
        self._path.unlink(missing_ok=True)


def read_stopped(out: Path) -> Stopped:
    """Read the stopped fetch into `out`. Raises SelectionError if there is none."""
    path = notes_of(out)
    try:
        with path.open("rb") as file:
            head, *pages = [json.loads(line) for line in file if line.endswith(b"\n")]
        selection = Selection(**{**head["asked"], "choice": Choice(*head["asked"]["choice"])})
        region, source, traces = head["region"], head["source"], Path(head["traces"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SelectionError(
            f"no stopped fetch into {out}: {path} is missing or unreadable", "remove --resume"
        ) from error
    reached = [page["down_to"] for page in pages if page["down_to"] is not None]
    until = min(reached, default=selection.until_ns)
    remaining = replace(selection, until_ns=until) if until > selection.since_ns else None
    ids = tuple(dict.fromkeys(trace_id for page in pages for trace_id in page["ids"]))
    return Stopped(selection, remaining, region, source, ids, traces if traces.exists() else out)


def complete_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield lines and traces that are complete and not in progress; the others are fetched again."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                trace = json.loads(line)
                if not is_in_progress(trace):
                    yield line, trace


def _json_line(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"


def notes_of(out: Path) -> Path:
    """Return the path of the state file of an output."""
    return out.with_name(f".{out.name}.fetch")
