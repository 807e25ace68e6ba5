"""The folders that an assistant may have read: by real path, so that neither `..` nor a link leads out of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.agent.errors import RefusedError
from lambda_latency.agent.quoting import quoted
from lambda_latency.trace import Problem, Source, find_sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ARCHIVE_MARK = "archive.version"  # the file that a folder has if it is an archive
LONGEST = 1_000  # characters of a path
MOST_LISTED = 8
MOST_SEEN = 20_000  # files that are looked at for the newest
SKIPPED = ("node_modules", "__pycache__", "site-packages")
REMEDY = "name a trace file, a folder or a pattern below the roots"


class Roots:
    """Folders. A relative path is one below the first of them that has it."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = [Path(os.path.realpath(one)) for one in folders]
        self._fetched: Path | None = None  # a folder of this process

    def path(self, wanted: str) -> Path:
        """The path of a file or folder below a root. Raises `RefusedError`."""
        if not wanted or wanted == "-" or "\0" in wanted or len(wanted) > LONGEST or "://" in wanted:
            raise RefusedError(f"{quoted(wanted)} is no path", REMEDY)
        try:
            named = Path(wanted)
            found = next((one / named for one in self.folders if (one / named).exists()), self.folders[0] / named)
        except OSError as error:
            raise RefusedError(f"{quoted(wanted)} is no path: {error.strerror}", REMEDY) from error
        self._inside(found, wanted)
        return found

    def sources(self, wanted: str, problems: list[Problem]) -> list[Source]:
        """The trace files of a name, all below a root. Links that lead out are problems. Raises `RefusedError`."""
        path = self.path(wanted) if not any(mark in wanted for mark in "*?[") else self._pattern(wanted)
        found: list[Source] = []
        for one in find_sources([str(path)], problems):
            if not self._is_inside(one.path):
                problems.append(Problem(self.name(one.path), None, "it is outside of the roots"))
            elif one.path.is_file():
                found.append(one._replace(name=self.name(one.path)))
        if not found:
            listed = [quoted(self.name(one)) for one in sorted(self._traces())[:MOST_LISTED]]
            seen = f"trace files below the roots: {', '.join(listed)}" if listed else "there is none below the roots"
            raise RefusedError(f"no trace file {quoted(wanted)}", seen)
        return found

    def newest(self) -> str:
        """The name of the newest trace file, such as one that `serve` writes. Raises `RefusedError`."""
        found = max(self._traces(), key=lambda one: (one.stat().st_mtime_ns, str(one)), default=None)
        if found is None:
            raise RefusedError("there is no trace file below the roots", "lambda-latency serve or demo writes one")
        return self.name(found)

    def add_fetched(self, folder: Path) -> None:
        """The folder of traces that were fetched from an account is a root, too."""
        self._fetched = Path(os.path.realpath(folder))
        self.folders.append(self._fetched)

    def name(self, path: Path) -> str:
        """The path as it is named in answers: below the first root, else the real one."""
        if self._fetched is not None and path.is_relative_to(self._fetched):
            return str(path.relative_to(self._fetched))
        return str(path.relative_to(self.folders[0])) if path.is_relative_to(self.folders[0]) else str(path)

    def _pattern(self, wanted: str) -> Path:
        fixed = []
        for part in Path(wanted).parts:
            if any(mark in part for mark in "*?["):
                break
            fixed.append(part)
        self._inside(self.folders[0] / Path(*fixed), wanted)  # before anything is listed
        if ".." in Path(wanted).parts or len(wanted) > LONGEST:
            raise RefusedError(f"{quoted(wanted)} is no pattern below the roots", REMEDY)
        return self.folders[0] / wanted

    def _inside(self, path: Path, wanted: str) -> None:
        if not self._is_inside(path):
            raise RefusedError(
                f"{quoted(wanted)} is outside of the roots", "the user may start the server with --root DIR"
            )

    def _is_inside(self, path: Path) -> bool:
        try:
            real = Path(os.path.realpath(path))
        except (OSError, ValueError):
            return False
        return any(real == root or real.is_relative_to(root) for root in self.folders)

    def _traces(self) -> Iterator[Path]:
        """The trace files below the roots that are no part of an archive. JSON alone is no trace file: `.jsonl` is."""
        seen = 0
        for root in self.folders:
            for folder, folders, files in os.walk(root):
                folders[:] = sorted(
                    one
                    for one in folders
                    if not one.startswith(".") and one not in SKIPPED and not Path(folder, one, ARCHIVE_MARK).exists()
                )
                for one in sorted(files):
                    seen += 1
                    path = Path(folder, one)
                    if one.endswith((".jsonl", ".jsonl.gz", ".ndjson")) and self._is_inside(path) and path.is_file():
                        yield path
                    if seen > MOST_SEEN:
                        return
