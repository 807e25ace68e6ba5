"""Finds the line of the function's own code in a stack, or the one for which a stack waits: a thread's, or a task's."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from lambda_latency.runtime.threads import works_below

PACKAGES = ("site-packages/", "dist-packages/", "/lambda_latency/")
TRACING = ("lambda_latency.", "opentelemetry.", "wrapt")
LOOPS = ("asyncio", "selectors", "uvloop")
WAITS = ("threading", "queue", "concurrent.futures", *LOOPS)
UNNAMED = ("<lambda>", "<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
WAITS_FOR_TASKS = ("asyncio.tasks.wait", "asyncio.tasks._wait", "asyncio.taskgroups.")  # without saying which
MOST_KNOWN = 1024
MOST_TASKS = 64  # tasks that are looked at in one sample


class Location(NamedTuple):
    """A line of the function's own code, such as `functions/orders.py:14 price > json.dumps`: after the arrow, the
    library's function that it called. Without a line of its own in the stack, `file` is empty.

    `file` is relative to the function's folder.
    """

    text: str
    file: str = ""
    line: int = 0


class Paths(dict[str, str]):
    """The paths of files relative to the function's folder `root`; empty for a library's, such as one of `packages`."""

    def __init__(self, root: str, packages: Collection[str]) -> None:
        self.root, self.packages = root, packages

    def __missing__(self, file: str) -> str:
        relative = file[len(self.root) :] if file.startswith(self.root) else ""
        is_library = relative.partition("/")[0] in self.packages or any(p in f"/{relative}" for p in PACKAGES)
        self[file] = path = "" if is_library else relative
        return path


class OwnLines:
    """Finds code locations. The function's own code is below its folder `root`, without the packages in it."""

    def __init__(self) -> None:
        handler = os.environ.get("_HANDLER", "").replace("/", ".").partition(".")[0]
        self.root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task").rstrip("/") + "/"
        self._paths = Paths(self.root, installed(self.root) - {handler})
        # By own code object, line, and the code object that it called; with both, so that no other gets their ids.
        self._cache: dict[tuple[int, int | None, int | None], tuple[Location, object, object]] = {}

    def locate(self, frames: Mapping[int, FrameType], thread: int, trace_id: int) -> tuple[Location, str]:
        """Return the location of a thread, or of the `thread` or `task` of the trace that it awaits, and this word."""
        frame = frames[thread]
        module = str(frame.f_globals.get("__name__"))
        if module.startswith(WAITS):
            stacks = [f for ident, f in frames.items() if ident != thread and works_below(f).trace_id == trace_id]
            locations, via = [*filter(None, map(self._innermost, stacks))], "thread"
            if not locations and module.startswith(LOOPS):
                locations, via = list(self._awaited(frame)), "task"
            # The location of most; of several, the first one, so that samples of the same state agree
            if locations:
                return max(sorted(locations), key=locations.count), via
        return self._innermost(frame) or Location(f"> {name_of(frame)}"), ""

    def _innermost(self, frame: FrameType) -> Location | None:
        """Return the innermost own line of a stack."""
        paths, below = self._paths, None
        caller: FrameType | None = frame
        while caller is not None and not paths[caller.f_code.co_filename]:
            below, caller = caller, caller.f_back
        if caller is None:
            return None
        key = id(caller.f_code), caller.f_lineno, below and id(below.f_code)
        cached = self._cache.get(key)
        if cached is None:
            if len(self._cache) >= MOST_KNOWN:
                self._cache.clear()
            location = self._location(caller, called(frame, caller))
            cached = self._cache[key] = location, caller.f_code, below and below.f_code
        return cached[0]

    def _location(self, frame: FrameType, below: str) -> Location:
        """Return the location of an own frame. A comprehension or a lambda has the name of the function around it."""
        named: FrameType | None = frame
        while named is not None and (named.f_code.co_name in UNNAMED or not self._paths[named.f_code.co_filename]):
            named = named.f_back
        file, line = self._paths[frame.f_code.co_filename], frame.f_lineno or 0
        text = f"{file}:{line} {qualified(named or frame)}" + (f" > {below}" if below else "")
        return Location(text, file, line)

    def _awaited(self, frame: FrameType) -> Iterator[Location]:
        """Yield the own lines at which tasks of a stack's event loop are suspended, innermost tasks only."""
        runner: FrameType | None = frame
        while runner is not None and runner.f_code.co_name not in ("run_until_complete", "run"):
            runner = runner.f_back
        local = runner.f_locals if runner is not None else {}
        loop, pending = local.get("self"), [local.get("future") or local.get("task")]
        all_tasks = getattr(sys.modules.get("asyncio"), "all_tasks", lambda _: ())
        visited: list[Any] = []
        while pending and len(visited) < MOST_TASKS:
            task = pending.pop()
            if task is None or task in visited:
                continue
            visited.append(task)
            location, function = self._suspended(task)
            futures = [*getattr(task, "_children", ()), getattr(task, "_fut_waiter", None)]
            inner = [f for f in futures if hasattr(f, "get_coro") or hasattr(f, "_children")]
            if not inner and function.startswith(WAITS_FOR_TASKS):
                inner = [t for t in all_tasks(getattr(loop, "_loop", loop)) if t not in visited]
            pending += inner
            if location is not None and not inner:
                yield location

    def _suspended(self, task: Any) -> tuple[Location | None, str]:
        """Return the innermost own line of a suspended task, and the function that it waits in."""
        own_frame, below, function = None, "", ""
        coroutine = task.get_coro() if hasattr(task, "get_coro") else None
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
            if frame is not None:
                function = name_of(frame)
                is_own = self._paths[frame.f_code.co_filename]
                own_frame, below = (frame, "") if is_own else (own_frame, below or function)
            coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
        return self._location(own_frame, below) if own_frame is not None else None, function


def called(innermost: FrameType, own_frame: FrameType) -> str:
    """Return the library's function that an own frame called; the ones of tracing are passed over."""
    name = ""
    frame: FrameType | None = innermost
    while frame is not None and frame is not own_frame:
        frame_name = name_of(frame)
        name = name if frame_name.startswith(TRACING) else frame_name
        frame = frame.f_back
    return name


def name_of(frame: FrameType) -> str:
    """Return module and function of a frame, such as `json.dumps`; `json.encoder` is a private module."""
    return f"{frame.f_globals.get('__name__')}.{qualified(frame)}"


def qualified(frame: FrameType) -> str:
    """Return the name of a frame's function, with its class where Python has it (from 3.11 on)."""
    code = frame.f_code
    return str(getattr(code, "co_qualname", code.co_name)).rpartition("<locals>.")[2]


def installed(root: str) -> set[str]:
    """Return the top-level names of the packages that pip has installed into a folder, as `sam build` does."""
    names: set[str] = set()
    # Then packages without their metadata count as the function's own
    with suppress(OSError, ValueError):
        for package in Path(root).glob("*.dist-info"):
            listed = package / "top_level.txt"  # `RECORD` has each file, and is long
            text = (listed if listed.exists() else package / "RECORD").read_text(encoding="utf-8")
            names.update(re.findall(r"^[^/,\s]+", text, re.MULTILINE))
    return names
