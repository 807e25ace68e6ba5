"""Runs both sides at once, each in a process of its own, and keeps the counts of commits in a cache."""

from __future__ import annotations

import hashlib
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path

import msgspec

from lambda_latency.diff.commits import Repository, Version
from lambda_latency.diff.compare import CountsDifference, compare
from lambda_latency.diff.counts import SideCounts
from lambda_latency.diff.lines import ChangedLines
from lambda_latency.diff.session import SessionCall
from lambda_latency.diff.side import DiffOptions, SideSettings, run_side
from lambda_latency.files import replace_files
from lambda_latency.local import LocalError, cache_folder
from lambda_latency.pythons import pythons

SPAWN = multiprocessing.get_context("spawn")  # a fork would inherit threads and signal handlers
SIDES = ("base", "head")
STOP_S = 20  # for a side to stop its own processes
KIT = Path(__file__).parents[1]


def run_diff(
    repository: Repository, base: Version, head: Version, options: DiffOptions, progress: Callable[[int], None]
) -> CountsDifference:
    """Count both versions and compare them. Raises `LocalError` if one does not start.

    `progress` is called after each request to one of the versions, with the number of all.
    """
    with tempfile.TemporaryDirectory(prefix="lambda-latency-diff-") as name:
        folder = Path(name).resolve()
        roots = {}
        for side, version in zip(SIDES, (base, head), strict=True):
            roots[side] = repository.write(version, folder / side) if version.tree else repository.top
        lines = ChangedLines(roots["base"], roots["head"])
        cache = CountsCache(repository, base, options)

        def measure(run: int) -> tuple[SideCounts, SideCounts]:
            base_counts = cache.read(run)
            settings = {
                side: SideSettings(root / repository.template, root, folder / f"{side}-{run}", side == "base", options)
                for side, root in roots.items()
                if side == "head" or base_counts is None
            }
            counts = measured(settings, base_counts, progress)
            cache.write(run, counts["base"])
            return counts["base"], counts["head"]

        sides = measure(1)
        difference = compare(*sides, lines)
        # Where rounds differ, only what a second run repeats is compared
        return compare(*sides, lines, measure(2)) if difference.unsteady else difference


def measured(
    settings: Mapping[str, SideSettings], base: SideCounts | None, progress: Callable[[int], None]
) -> dict[str, SideCounts]:
    """Run the sides with settings; `base` are counts that exist already. Raises `LocalError`."""
    counts = {} if base is None else {"base": base}
    with ExitStack() as stack:
        connections = {side: _started(chosen, stack) for side, chosen in settings.items()}
        if base is not None and settings["head"].options.calls is None:
            connections["head"].send(base.session)
        while connections:
            (side, connection), *_ = [item for item in connections.items() if item[1] in wait(connections.values())]
            message = _received(connection, side)
            if isinstance(message, SideCounts):
                counts[side] = message
                del connections[side]
            elif isinstance(message, list):
                connections["head"].send(message)
            else:
                progress(message * len(settings))
    return counts


def _started(settings: SideSettings, stack: ExitStack) -> Connection:
    """Start the process of a side, which ends with `stack`, and return the connection to it."""
    settings.out.mkdir(parents=True)
    parent, child = SPAWN.Pipe()
    process = SPAWN.Process(target=run_side, args=(settings, child), daemon=True)
    process.start()
    child.close()

    def stop() -> None:
        process.terminate()
        process.join(STOP_S)
        process.kill()

    stack.callback(stop)
    return parent


def _received(connection: Connection, side: str) -> SideCounts | list[SessionCall] | int:
    """Return the next message of a side. Raises `LocalError` if it failed."""
    try:
        message: SideCounts | list[SessionCall] | int | LocalError = connection.recv()
    except EOFError:
        raise LocalError(f"the process that runs the {side} ended", "its output above may say why") from None
    if isinstance(message, LocalError):
        raise LocalError(f"{side}: {message}")
    return message


class CountsCache:
    """The counts of the base, by its content, the calls, the options, the kit and the installed Python versions."""

    def __init__(self, repository: Repository, base: Version, options: DiffOptions) -> None:
        sources = hashlib.sha256()
        for path in sorted(KIT.rglob("*.py")):
            sources.update(path.read_bytes())
        app = base.tree, repository.top.name, str(repository.template)
        key = msgspec.json.encode([sources.hexdigest(), app, options, sys.version, list(pythons())])
        self._prefix = cache_folder() / "diff" / hashlib.sha256(key).hexdigest()[:16]

    def read(self, run: int) -> SideCounts | None:
        """Return the counts of a run; None if the cache does not have them."""
        with suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode(self._path(run).read_bytes(), type=SideCounts)
        return None

    def write(self, run: int, counts: SideCounts) -> None:
        """Keep the counts of a run, unless the cache cannot be written."""
        with suppress(OSError):
            self._prefix.parent.mkdir(parents=True, exist_ok=True)
            replace_files([(self._path(run), msgspec.json.encode(counts).decode())])

    def _path(self, run: int) -> Path:
        return self._prefix.with_name(f"{self._prefix.name}-{run}.json")
