"""Finds trace files: files, folders, patterns and standard input, as files that can be read more than once."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lambda_latency.trace.model.problem import Problem

PLAIN = (".json", ".jsonl", ".ndjson", ".pb", ".binpb")
ENDINGS = (*PLAIN, *(f"{ending}.{packed}" for ending in PLAIN for packed in ("gz", "zst")))
STANDARD_INPUT = "-"


class Source(NamedTuple):
    """A trace file, and the name that is shown for it.

    `whole`: each document holds all spans of its traces, so that a trace is complete after its document.
    """

    name: str
    path: Path
    whole: bool = False


def find_sources(
    paths: Iterable[str | Path | Source], problems: list[Problem], spool: Callable[[str], Path] | None = None
) -> list[Source]:
    """The files of names, folders (all trace files in them) and patterns, each once, in a deterministic order.

    `spool` copies to a file what can be read only once, and returns the file's path; it is called with the name of a
    pipe, and with `-` for standard input. A folder or a pattern without files is added to `problems`. A `Source` is
    returned as it is.
    """
    sources: dict[Path, Source] = {}
    for path in paths:
        if isinstance(path, Source):
            sources.setdefault(path.path, path)
            continue
        name = str(path)
        if spool is not None and (name == STANDARD_INPUT or Path(name).is_fifo()):
            spooled = Source(name, spool(name))
            sources.setdefault(spooled.path, spooled)
            continue
        for file in _sources_of(name, problems):
            sources.setdefault(Path(os.path.realpath(file.path)), file)  # resolve() raises at a loop of links
    return list(sources.values())


def _sources_of(name: str, problems: list[Problem]) -> Iterator[Source]:
    path = Path(name)
    if path.is_dir():
        yield from _sources_in(path, name, problems)
    elif glob.has_magic(name) and not path.exists():
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matches:
            problems.append(Problem(name, None, "no file matches this pattern"))
        for match in matches:
            yield from _sources_of(match, problems)
    else:
        yield Source(name, path)  # a missing file is reported when it is opened


def _sources_in(folder: Path, name: str, problems: list[Problem]) -> Iterator[Source]:
    if not os.access(folder, os.R_OK | os.X_OK):
        problems.append(Problem(name, None, os.strerror(errno.EACCES)))
        return
    files = sorted(file for file in folder.rglob("*") if file.name.lower().endswith(ENDINGS) and file.is_file())
    if not files:
        problems.append(Problem(name, None, f"no trace file in this folder ({', '.join(PLAIN[:3])}, or .gz)"))
    yield from (Source(str(file), file) for file in files)
