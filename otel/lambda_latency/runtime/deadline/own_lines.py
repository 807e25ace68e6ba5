"""Finds the line of the function's own code in a stack, or the one for which a stack waits: a thread's, or a task's."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.runtime.threads import works_below

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from types import FrameType

PACKAGES = ("site-packages/", "dist-packages/", "/lambda_latency/")
TRACING = ("lambda_latency.", "opentelemetry.", "wrapt")
LOOPS = ("asyncio", "selectors", "uvloop")
WAITS = ("threading", "queue", "concurrent.futures", *LOOPS)
UNNAMED = ("<lambda>", "<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
WAITS_FOR_TASKS = ("asyncio.tasks.wait", "asyncio.tasks._wait", "asyncio.taskgroups.")  # without saying which
MOST_KNOWN = 1024
MOST_TASKS = 64  # tasks that are looked at in one sample


class Place(NamedTuple):
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
        rest = file[len(self.root) :] if file.startswith(self.root) else ""
        is_library = rest.partition("/")[0] in self.packages or any(one in f"/{rest}" for one in PACKAGES)
        self[file] = path = "" if is_library else rest
        return path


class OwnLines:
    """Finds places. The function's own code is below its folder `root`, without the packages that pip put there."""

    def __init__(self) -> None:
        handler = os.environ.get("_HANDLER", "").replace("/", ".").partition(".")[0]
        self.root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task").rstrip("/") + "/"
        self._paths = Paths(self.root, installed(self.root) - {handler})
        self._known: dict[tuple[int, int | None, int | None], tuple[Place, object, object]] = {}

    def of(self, frames: Mapping[int, FrameType], thread: int, trace_id: int) -> tuple[Place, str]:
        """The place of a thread. If it waits for another `thread` that works for the trace, or for a `task`: its place,
        and that word.
        """
        frame = frames[thread]
        leaf = str(frame.f_globals.get("__name__"))
        if leaf.startswith(WAITS):
            others = [one for at, one in frames.items() if at != thread and works_below(one).trace_id == trace_id]
            found, via = [place for one in others if (place := self._innermost(one))], "thread"
            if not found and leaf.startswith(LOOPS):
                found, via = list(self._awaited(frame)), "task"
            if found:  # the place of most; of several, the first one, so that samples of the same state agree
                return max(sorted(found), key=found.count), via
        return self._innermost(frame) or Place(f"> {named(frame)}"), ""

    def _innermost(self, frame: FrameType) -> Place | None:
        """The innermost own line of a stack."""
        paths, below = self._paths, None
        at: FrameType | None = frame
        while at is not None and not paths[at.f_code.co_filename]:
            below, at = at, at.f_back
        if at is None:
            return None
        key = id(at.f_code), at.f_lineno, below and id(below.f_code)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            place = self._place(at, called(frame, at))
            known = self._known[key] = place, at.f_code, below and below.f_code  # an id is not given away again
        return known[0]

    def _place(self, own: FrameType, below: str) -> Place:
        """The place of an own frame. A comprehension or a lambda has the name of the function around it."""
        at: FrameType | None = own
        while at is not None and (at.f_code.co_name in UNNAMED or not self._paths[at.f_code.co_filename]):
            at = at.f_back
        file, line = self._paths[own.f_code.co_filename], own.f_lineno or 0
        return Place(f"{file}:{line} {qualified(at or own)}" + (f" > {below}" if below else ""), file, line)

    def _awaited(self, frame: FrameType) -> Iterator[Place]:
        """The own lines at which the tasks are suspended that the event loop of a stack runs, innermost tasks only."""
        at: FrameType | None = frame
        while at is not None and at.f_code.co_name not in ("run_until_complete", "run"):
            at = at.f_back
        local = at.f_locals if at is not None else {}
        loop, todo = local.get("self"), [local.get("future") or local.get("task")]
        every = getattr(sys.modules.get("asyncio"), "all_tasks", lambda _: ())
        seen: list[Any] = []
        while todo and len(seen) < MOST_TASKS:
            task = todo.pop()
            if task is None or task in seen:
                continue
            seen.append(task)
            place, last = self._suspended(task)
            inner = [*getattr(task, "_children", ()), getattr(task, "_fut_waiter", None)]
            inner = [one for one in inner if hasattr(one, "get_coro") or hasattr(one, "_children")]
            if not inner and last.startswith(WAITS_FOR_TASKS):
                inner = [one for one in every(getattr(loop, "_loop", loop)) if one not in seen]
            todo += inner
            if place is not None and not inner:
                yield place

    def _suspended(self, task: Any) -> tuple[Place | None, str]:
        """The innermost own line of a suspended task, and the function that it waits in."""
        own, below, last = None, "", ""
        coroutine = task.get_coro() if hasattr(task, "get_coro") else None
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
            if frame is not None:
                last = named(frame)
                own, below = (frame, "") if self._paths[frame.f_code.co_filename] else (own, below or last)
            coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
        return self._place(own, below) if own is not None else None, last


def called(innermost: FrameType, own: FrameType) -> str:
    """The library's function that an own frame called; the ones of tracing are passed over."""
    name = ""
    at: FrameType | None = innermost
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
    with suppress(OSError, ValueError):  # then packages without their metadata count as the function's own
        for package in Path(root).glob("*.dist-info"):
            listed = package / "top_level.txt"  # `RECORD` has each file, and is long
            text = (listed if listed.exists() else package / "RECORD").read_text(encoding="utf-8")
            found.update(re.findall(r"^[^/,\s]+", text, re.MULTILINE))
    return found
