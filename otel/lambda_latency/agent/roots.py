"""The folders that an assistant may have read: by real path, so that neither `..` nor a link leads out of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from heapq import nlargest
from itertools import chain, islice, takewhile
from pathlib import Path

from lambda_latency.agent.quoting import quoted
from lambda_latency.agent.tools import RefusedError
from lambda_latency.trace import Problem, Source, find_sources

ARCHIVE_MARK = "archive.version"  # of a folder that is an archive
LONGEST = 1_000  # characters of a path
MOST_LISTED = 8
MOST_TRIED = 5  # files, for one that has a request
MOST_SEEN = 20_000  # files, for the newest
TRACE_FILES = (".jsonl", ".jsonl.gz", ".ndjson")
SKIPPED = ("node_modules", "__pycache__", "site-packages")
REMEDY = "name a trace file, a folder or a pattern below the roots"


class Roots:
    """The folders. A relative path is resolved in the first folder that has it."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = [Path(os.path.realpath(folder)) for folder in folders]
        self._fetched: Path | None = None  # a folder of this process

    def path(self, name: str) -> Path:
        """Return the path of a file or folder below a root. Raises `RefusedError`."""
        if not name or name == "-" or "\0" in name or len(name) > LONGEST or "://" in name:
            raise RefusedError(f"{quoted(name)} is no path", REMEDY)
        try:
            candidates = [folder / name for folder in self.folders]
            path = next((path for path in candidates if path.exists()), candidates[0])
        except OSError as error:
            raise RefusedError(f"{quoted(name)} is no path: {error.strerror}", REMEDY) from error
        self._inside(path, name)
        return path

    def sources(self, name: str, problems: list[Problem]) -> list[Source]:
        """Return the trace files of a name, all below a root. Links out of it are problems. Raises `RefusedError`."""
        path = self._pattern(name) if is_pattern(name) else self.path(name)
        sources: list[Source] = []
        for source in find_sources([str(path)], problems):
            if not self._is_inside(source.path):
                problems.append(Problem(self.name(source.path), None, "it is outside of the roots"))
            elif source.path.is_file():
                sources.append(source._replace(name=self.name(source.path)))
        if not sources:
            listed = [quoted(self.name(path)) for path in sorted(self._traces())[:MOST_LISTED]]
            remedy = f"trace files below the roots: {', '.join(listed)}" if listed else "there is none below the roots"
            raise RefusedError(f"no trace file {quoted(name)}", remedy)
        return sources

    def newest(self) -> list[str]:
        """Return the names of the newest trace files, such as those that `serve` writes, the newest first.

        Raises `RefusedError` without any.
        """
        paths = nlargest(MOST_TRIED, self._traces(), key=lambda path: (path.stat().st_mtime_ns, str(path)))
        if not paths:
            raise RefusedError("there is no trace file below the roots", "lambda-latency serve or demo writes one")
        return [self.name(path) for path in paths]

    def add_fetched(self, folder: Path) -> None:
        """Make the folder of traces that were fetched from an AWS account a root, too."""
        self._fetched = Path(os.path.realpath(folder))
        self.folders.append(self._fetched)

    def name(self, path: Path) -> str:
        """Return the path as answers name it: below the first root, else the real one."""
        if self._fetched is not None and path.is_relative_to(self._fetched):
            return str(path.relative_to(self._fetched))
        return str(path.relative_to(self.folders[0])) if path.is_relative_to(self.folders[0]) else str(path)

    def _pattern(self, name: str) -> Path:
        fixed = takewhile(lambda part: not is_pattern(part), Path(name).parts)
        self._inside(self.folders[0] / Path(*fixed), name)  # before anything is listed
        if ".." in Path(name).parts or len(name) > LONGEST:
            raise RefusedError(f"{quoted(name)} is no pattern below the roots", REMEDY)
        return self.folders[0] / name

    def _inside(self, path: Path, name: str) -> None:
        if not self._is_inside(path):
            remedy = "the user may start the server with --root DIR"
            raise RefusedError(f"{quoted(name)} is outside of the roots", remedy)

    def _is_inside(self, path: Path) -> bool:
        try:
            real_path = Path(os.path.realpath(path))
        except (OSError, ValueError):
            return False
        return any(real_path == root or real_path.is_relative_to(root) for root in self.folders)

    def _traces(self) -> Iterator[Path]:
        """Yield the trace files below the roots and outside of archives. A `.jsonl` may be one, a `.json` is none."""
        files = chain.from_iterable(map(_files_below, self.folders))
        for path in islice(files, MOST_SEEN + 1):
            if path.name.endswith(TRACE_FILES) and self._is_inside(path) and path.is_file():
                yield path


def is_pattern(name: str) -> bool:
    """Return whether a name is a pattern of paths."""
    return any(letter in name for letter in "*?[")


def _files_below(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not _is_skipped(Path(folder, name)))
        for name in sorted(files):
            yield Path(folder, name)


def _is_skipped(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in SKIPPED or Path(folder, ARCHIVE_MARK).exists()
