"""Finds the line of the function's own code in a stack, or the one for which a stack waits: a thread's, or a task's."""

from __future__ import annotations

import os
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.runtime.threads import works_below

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from types import FrameType

__all__ = ["Place", "own_lines"]

PACKAGES = ("site-packages/", "dist-packages/", "/lambda_latency/")
TRACING = ("lambda_latency.", "opentelemetry.", "wrapt")
POOLS = ("threading", "queue", "concurrent.futures")
LOOPS = ("asyncio", "selectors", "uvloop")
WAITS = POOLS + LOOPS
MOST_KNOWN = 1024
MOST_TASKS = 64  # tasks that are looked at in one sample


class Place(NamedTuple):
    """A line of the function's own code; `below` is the library's function that it called, such as `json.dumps`.

    `file` is relative to the function's folder; without a line of its own in the stack it is empty.
    """

    file: str
    line: int
    function: str
    below: str

    @property
    def text(self) -> str:
        """For example `functions/orders.py:14 price > json.dumps`."""
        own = f"{self.file}:{self.line} {self.function}" if self.file else ""
        return f"{own} > {self.below}".strip() if self.below else own


def own_lines() -> OwnLines:
    """The finder of this function's places; the first call reads its folder."""
    handler = os.environ.get("_HANDLER", "").replace("/", ".").partition(".")[0]
    return finder(os.environ.get("LAMBDA_TASK_ROOT", "/var/task").rstrip("/") + "/", handler)


@lru_cache(maxsize=1)
def finder(root: str, handler: str) -> OwnLines:
    """The finder for a folder and the top-level name of the handler's module."""
    return OwnLines(root, installed(root) - {handler})


class OwnLines:
    """Finds places. The function's own code is that below its folder `root`, without the packages that pip put there:
    `packages` are their top-level names.
    """

    def __init__(self, root: str, packages: Collection[str]) -> None:
        self.root, self._packages = root, packages
        self._paths: dict[str, str] = {}
        self._known: dict[tuple[int, int, int], tuple[Place, object]] = {}

    def of(self, frames: Mapping[int, FrameType], thread: int, trace_id: int) -> tuple[Place, str]:
        """The place of a thread. If it waits for another `thread` that works for the trace, or for a `task`: its place,
        and that word.
        """
        frame = frames[thread]
        leaf = str(frame.f_globals.get("__name__"))
        if leaf.startswith(WAITS):
            found = [one for each, at in frames.items() if each != thread and (one := self._working(at, trace_id))]
            if found:
                return most(found), "thread"
            if leaf.startswith(LOOPS) and (found := list(self._awaited(frame))):
                return most(found), "task"
        return self._place(frame) or Place("", 0, "", named(frame)), ""

    def _place(self, frame: FrameType | None) -> Place | None:
        """The innermost own line of a stack."""
        get = self._paths.get
        below: FrameType | None = None
        at = frame
        while at is not None:
            path = get(at.f_code.co_filename)
            if path or (path is None and self._path(at)):
                break
            below, at = at, at.f_back
        if at is None:
            return None
        key = id(at.f_code), at.f_lineno or 0, id(below.f_code) if below is not None else 0
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            place = Place(self._path(at), key[1], qualified(self._outer(at)), called(frame, at))
            known = self._known[key] = place, (at.f_code, below and below.f_code)  # an id is not given away again
        return known[0]

    def _outer(self, frame: FrameType) -> FrameType:
        """The own frame that names the place: of a comprehension or a lambda, the function around it."""
        outer = frame
        while outer.f_code.co_name[0] == "<" and outer.f_code.co_name != "<module>":
            above = outer.f_back
            while above is not None and not self._path(above):
                above = above.f_back
            if above is None:
                return frame
            outer = above
        return outer

    def _path(self, frame: FrameType) -> str:
        """The path of a frame's file relative to the function's folder; empty for a library's."""
        file = frame.f_code.co_filename
        found = self._paths.get(file)
        if found is None:
            rest = file[len(self.root) :] if file.startswith(self.root) else ""
            library = rest.partition("/")[0] in self._packages or any(one in f"/{rest}" for one in PACKAGES)
            found = self._paths[file] = "" if library else rest
        return found

    def _working(self, frame: FrameType, trace_id: int) -> Place | None:
        """The own line of a thread that got its work from the trace; None if it is idle."""
        return self._place(frame) if works_below(frame).trace_id == trace_id else None

    def _awaited(self, frame: FrameType) -> Iterator[Place]:
        """The own lines at which the tasks are suspended that the event loop of a stack runs, innermost tasks only."""
        at: FrameType | None = frame
        while at is not None and at.f_code.co_name not in ("run_until_complete", "run"):
            at = at.f_back
        if at is None:
            return
        loop = at.f_locals.get("self")
        todo: list[Any] = [at.f_locals.get("future") or at.f_locals.get("task")]
        every = getattr(sys.modules.get("asyncio"), "all_tasks", None)
        seen: set[int] = set()
        while todo and len(seen) < MOST_TASKS:
            task = todo.pop()
            if task is None or id(task) in seen:
                continue
            seen.add(id(task))
            inner = [*getattr(task, "_children", ()), getattr(task, "_fut_waiter", None)]
            tasks = [one for one in inner if hasattr(one, "get_coro") or hasattr(one, "_children")]
            todo += tasks
            place, last = self._suspended(task)
            if not tasks and place is not None:
                if last.startswith(("asyncio.tasks.wait", "asyncio.tasks._wait", "asyncio.taskgroups.")):
                    others = (
                        [one for one in every(getattr(loop, "_loop", loop)) if id(one) not in seen] if every else []
                    )
                    todo += others
                    if others:
                        continue
                yield place

    def _suspended(self, task: Any) -> tuple[Place | None, str]:
        """The innermost own line of a suspended task, and the function that it waits in."""
        coroutine = task.get_coro() if hasattr(task, "get_coro") else None
        own: FrameType | None = None
        below = last = ""
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
            if frame is not None:
                last = named(frame)
                if self._path(frame):
                    own, below = frame, ""
                else:
                    below = below or last
            coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
        if own is None:
            return None, last
        return Place(self._path(own), own.f_lineno or 0, qualified(own), below), last


def most(found: list[Place]) -> Place:
    """The place of most; of several, the first by name, so that samples of the same state agree."""
    counts = Counter(found)
    return min(counts, key=lambda one: (-counts[one], one))


def called(innermost: FrameType | None, own: FrameType) -> str:
    """The library's function that an own frame called; the ones of tracing are passed over."""
    name = ""
    at = innermost
    while at is not None and at is not own:
        one = named(at)
        name = name if one.startswith(TRACING) else one
        at = at.f_back
    return name


def named(frame: FrameType) -> str:
    """Module and function of a frame, such as `json.dumps`. `json.encoder.dumps` would be its private module."""
    return f"{frame.f_globals.get('__name__')}.{qualified(frame)}"


def qualified(frame: FrameType) -> str:
    """The name of a frame's function, with its class where Python tells it (from 3.11 on)."""
    code = frame.f_code
    return str(getattr(code, "co_qualname", code.co_name)).rpartition("<locals>.")[2]


def installed(root: str) -> set[str]:
    """The top-level names of the packages that pip has installed into a folder, as `sam build` does."""
    found: set[str] = set()
    try:
        for package in Path(root).glob("*.dist-info"):
            listed = package / "top_level.txt"  # `RECORD` has each file, and is long
            text = (listed if listed.exists() else package / "RECORD").read_text(encoding="utf-8")
            found.update(line.strip().partition(",")[0].partition("/")[0] for line in text.splitlines())
    except (OSError, ValueError):
        pass  # then packages without their metadata count as the function's own
    return found
