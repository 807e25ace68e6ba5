"""Counts the bytecodes that the import of a handler and its invocations execute, by the lines of own code on the stack.

The numbers depend on the code and its data, not on the machine. `bootstrap.py` loads this script for `lambda-latency
diff`; as that, it imports nothing of the kit. Not counted are the kit, OpenTelemetry, and what depends on time
(WAITING), with what they call of the standard library; own code and other libraries below them are.

An import or an invocation is a line of JSON. `work` has the bytecodes by the lines of own code on the stack, the
outermost first: those of a library belong to the line that called it. `packages` has them by package (own code: empty),
`threads` is the number of threads that executed any.
"""

import encodings.idna  # noqa: F401 - connections import it, and one of the kit may be earlier than the handler's
import functools
import gc
import hashlib
import json
import os
import platform
import random
import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

KIT = ("lambda_latency", "opentelemetry", "awslambdaric", "wrapt", "otel_wrapper")
# Their number of steps depends on when bytes arrive and on which thread runs.
WAITING = (
    "_weakrefset",
    "asyncio",
    "concurrent",
    "queue",
    "selectors",
    "socket",
    "ssl",
    "tempfile",
    "threading",
    "weakref",
)
WAITING_FILE = "urllib3/util/wait.py"
OWN, LIBRARY, STANDARD, IMPORTING, SILENT = "own", "library", "standard", "importing", "silent"  # kinds of files
NEVER_COUNTED = (IMPORTING, SILENT)
COUNTED, PASSED, SILENCED = "counted", "passed", "silenced"  # modes of frames
MOST_LINES = 50  # of own code on a stack
STANDARD_FOLDER = os.path.dirname(os.__file__) + "/"  # noqa: PTH120 - as code objects spell it
SCRIPTS = os.path.dirname(__file__) + "/"  # noqa: PTH120
NO_LINES: Mapping[int, int] = {}


class SourceFile(NamedTuple):
    """The kind of a file, its package (empty: own code), and for own code its path below the app's root."""

    kind: str
    package: str = ""
    path: str = ""


class SourceFiles(dict[str, SourceFile]):
    """The kinds of files, by the names in their code objects. `root` is the folder of the app's own code."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._lines: dict[int, tuple[Mapping[int, int], CodeType]] = {}  # with the code, so that no other gets its id

    def lines_of(self, code: CodeType) -> Mapping[int, int]:
        """Return the line of each offset."""
        if id(code) not in self._lines:
            ranges = [(start, end, line) for start, end, line in code.co_lines() if line]
            self._lines[id(code)] = (
                {offset: line for start, end, line in ranges for offset in range(start, end, 2)},
                code,
            )
        return self._lines[id(code)][0]

    def __missing__(self, name: str) -> SourceFile:
        if name.startswith("<"):  # made by the standard library, or frozen into the interpreter
            file = SourceFile(IMPORTING if "importlib" in name else STANDARD, "python")
        else:
            file = self._on_disk(name)
        self[name] = file
        return file

    def _on_disk(self, name: str) -> SourceFile:
        folders = (path.rstrip("/") + "/" for path in sys.path)
        module = name[max((len(folder) for folder in folders if name.startswith(folder)), default=0) :]
        package = module.partition("/")[0].removesuffix(".py")
        if package in KIT or module == WAITING_FILE or name.startswith(SCRIPTS):
            return SourceFile(SILENT)
        if "-packages/" in name or not name.startswith((STANDARD_FOLDER, self._root)):
            return SourceFile(LIBRARY, package)
        if name.startswith(STANDARD_FOLDER):
            return SourceFile(SILENT if package in WAITING else STANDARD, "python")
        return SourceFile(OWN, path=name[len(self._root) :])


class StackFrame(NamedTuple):
    """A frame on the stack of a thread. `lines` are the lines of counted own code by offset."""

    code: CodeType | None
    mode: str
    file: SourceFile
    lines: Mapping[int, int]


class ThreadCounter:
    """Counts on one thread. `lines` are those of own code on its stack, the outermost first."""

    def __init__(self, files: SourceFiles, lines: Iterable[tuple[str, int]] = ()) -> None:
        self.files = files
        self.lines = list(lines)
        self.top = StackFrame(None, PASSED, SourceFile(SILENT), NO_LINES)
        self._below: list[StackFrame] = []
        self._package = ""  # of the bytecodes since the last sum
        self.clear()

    def clear(self) -> None:
        self.bytecodes = self.sent = self.received = 0
        self.work: defaultdict[tuple[tuple[str, int], ...], int] = defaultdict(int)
        self.packages: defaultdict[str, int] = defaultdict(int)
        self.modules: list[str] = []

    def sum(self) -> None:
        """Add the bytecodes since the last time to the present lines and package."""
        if self.bytecodes:
            self.work[tuple(self.lines[-MOST_LINES:])] += self.bytecodes
            self.packages[self._package] += self.bytecodes
            self.bytecodes = 0

    def enter(self, code: CodeType, names: Mapping[str, Any]) -> None:
        """A frame begins or continues. `names` are its globals."""
        file = self.files[code.co_filename]
        mode = _mode(file.kind, self.top.mode)
        is_own = mode is COUNTED and file.kind is OWN
        self._below.append(self.top)
        self.top = StackFrame(code, mode, file, self.files.lines_of(code) if is_own else NO_LINES)
        if is_own:
            self.sum()
            self.lines.append((file.path, code.co_firstlineno))
        if mode is COUNTED:
            self._turn_to(file.package)
            if code.co_name == "<module>":
                self.modules.append(str(names.get("__name__")))

    def leave(self, code: CodeType) -> None:
        """A frame ends or pauses. Frames above it, whose end was not reported, end too."""
        if all(frame.code is not code for frame in (self.top, *self._below)):
            return
        ended: CodeType | None = None
        while ended is not code:
            ended = self.top.code
            if self.top.lines:
                self.sum()
                self.lines.pop()
            self.top = self._below.pop()
        if self.top.mode is COUNTED:
            self._turn_to(self.top.file.package)

    def continue_at(self, line: int) -> None:
        """The own code at the top reaches a line."""
        if self.lines[-1][1] != line:
            self.sum()
            self.lines[-1] = (self.top.file.path, line)

    def _turn_to(self, package: str) -> None:
        if package != self._package:
            self.sum()
            self._package = package


def _mode(kind: str, caller: str) -> str:
    """Return the mode of a frame: the standard library is silent where its caller is, and importing counts nothing."""
    if kind is SILENT or (caller is SILENCED and kind in (STANDARD, IMPORTING)):
        return SILENCED
    return PASSED if kind is IMPORTING else COUNTED


Counters = dict[int, ThreadCounter]  # by thread


class Tracing:
    """Feeds counters by `sys.settrace`: Python 3.10 and 3.11."""

    def begin(self) -> None:
        """Each thread begins by itself."""

    def begin_thread(self, counter: ThreadCounter) -> None:
        def entered(frame: FrameType, _event: str, _: object) -> Any:
            counter.enter(frame.f_code, frame.f_globals)
            frame.f_trace_opcodes = counter.top.mode is COUNTED
            frame.f_trace_lines = bool(counter.top.lines)
            return stepped

        def stepped(frame: FrameType, event: str, _: object) -> Any:
            if event == "opcode":
                counter.bytecodes += 1
            elif event == "line":
                counter.continue_at(frame.f_lineno)
            elif event == "return":
                counter.leave(frame.f_code)
            return stepped

        sys.settrace(entered)

    def end(self) -> None:
        sys.settrace(None)


class Monitoring:
    """Feeds counters by `sys.monitoring`, from Python 3.12 on: `sys.settrace` loses opcodes of 3.13 while other threads
    run, and LINE events lose INSTRUCTION events, so that the line comes from the offset.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._tool: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
        events = self._tool.events
        self._id, self._events = self._tool.PROFILER_ID, 0
        self._tool.use_tool_id(self._id, "lambda-latency")
        entering, leaving = ("PY_START", "PY_RESUME", "PY_THROW"), ("PY_RETURN", "PY_YIELD", "PY_UNWIND")
        callbacks = {"INSTRUCTION": _stepping(counters)}
        callbacks |= dict.fromkeys(entering, self._entered) | dict.fromkeys(leaving, self._left)
        for name, callback in callbacks.items():
            self._tool.register_callback(self._id, getattr(events, name), callback)
            self._events |= getattr(events, name)

    def begin(self) -> None:
        self._tool.set_events(self._id, self._events)

    def begin_thread(self, counter: ThreadCounter) -> None:
        """Events are those of all threads."""

    def end(self) -> None:
        self._tool.set_events(self._id, 0)

    def _entered(self, code: CodeType, *_: object) -> None:
        counter = self._counters.get(threading.get_ident())
        if counter is not None:
            counter.enter(code, sys._getframe(1).f_globals)  # of the frame that the event is about

    def _left(self, code: CodeType, *_: object) -> None:
        counter = self._counters.get(threading.get_ident())
        if counter is not None:
            counter.leave(code)


def _stepping(counters: Counters) -> Callable[..., None]:
    """Return the callback of each bytecode, which must be fast. It is not called again for code that never counts."""
    disabled = sys.monitoring.DISABLE  # type: ignore[attr-defined, unused-ignore]

    def stepped(code: CodeType, offset: int, ident: Callable[[], int] = threading.get_ident) -> Any:
        counter = counters.get(ident())
        if counter is None:
            return None
        if counter.top.mode is not COUNTED:
            return disabled if counter.files[code.co_filename].kind in NEVER_COUNTED else None
        lines = counter.top.lines
        if lines and offset in lines:
            counter.continue_at(lines[offset])
        counter.bytecodes += 1
        return None

    return stepped


class Counting:
    """Counts in this process. `path` is that of the counts, `root` the folder of the app's own code."""

    def __init__(self, path: str, root: str) -> None:
        self._path, self._files = path, SourceFiles(root.rstrip("/") + "/")
        self._counters: Counters = {}
        self._ended: list[ThreadCounter] = []
        self._driver = Monitoring(self._counters) if sys.version_info >= (3, 12) else Tracing()
        self._name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]

    def begin(self) -> None:
        """Begin an import or an invocation on this thread. No garbage is collected until its end."""
        gc.collect()
        gc.disable()
        self._ended.clear()
        for counter in self._counters.values():  # of threads that an earlier invocation started
            counter.clear()
        self._counters[threading.get_ident()] = counter = ThreadCounter(self._files)
        self._driver.begin()
        self._driver.begin_thread(counter)

    def end(self, trace: str) -> None:
        """End it, and write its counts. `trace` is empty for an import."""
        self._driver.end()
        counters = [*self._counters.values(), *self._ended]
        del self._counters[threading.get_ident()]
        gc.enable()
        for counter in counters:
            counter.sum()
        record = {
            "function": self._name,
            "trace": trace,
            "python": platform.python_version(),
            "work": sorted(_summed(counter.work for counter in counters).items()),
            "packages": _summed(counter.packages for counter in counters),
            "modules": [name for counter in counters for name in counter.modules],
            "threads": sum(bool(counter.work) for counter in counters),
            "sent": sum(counter.sent for counter in counters),
            "received": sum(counter.received for counter in counters),
            "installed": {} if trace else _installed(),
        }
        with open(self._path, "ab", buffering=0) as file:  # noqa: PTH123 - one write a line: other processes append, too
            file.write(json.dumps(record).encode() + b"\n")

    def end_import(self) -> None:
        """End the import; later collections leave out what it made."""
        self.end("")
        gc.collect()
        gc.freeze()

    def counted(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Return the handler, counted."""

        def invoked(event: Any, context: Any) -> Any:
            trace = os.environ.get("_X_AMZN_TRACE_ID", "")
            self.begin()
            try:
                return handler(event, context)
            finally:
                self.end(trace)

        with suppress(AttributeError, TypeError):
            functools.update_wrapper(invoked, handler)
        return invoked

    def follow_threads(self) -> None:
        """Count on threads that counted code starts, with the lines of own code that started them."""
        start = threading.Thread.start

        def started(thread: threading.Thread) -> None:
            starter = self._counters.get(threading.get_ident())
            if starter is not None and not _is_of_kit(thread):
                lines, run = starter.lines[:], thread.run
                thread.run = lambda: self._run(run, lines)  # type: ignore[method-assign]
            start(thread)

        threading.Thread.start = started  # type: ignore[method-assign, assignment]

    def _run(self, run: Callable[[], object], lines: Sequence[tuple[str, int]]) -> None:
        thread, counter = threading.get_ident(), ThreadCounter(self._files, lines)
        self._counters[thread] = counter
        self._driver.begin_thread(counter)
        try:
            run()
        finally:
            self._counters.pop(thread, None)
            self._ended.append(counter)

    def count_bytes(self) -> None:
        """Count what counted threads send and receive."""
        sendall, recv_into = socket.socket.sendall, socket.socket.recv_into
        uncounted = ThreadCounter(self._files)

        def sending(connection: socket.socket, content: Any, *args: Any) -> None:
            self._counters.get(threading.get_ident(), uncounted).sent += len(content)
            return sendall(connection, content, *args)

        def receiving(connection: socket.socket, *args: Any) -> int:
            size = recv_into(connection, *args)
            self._counters.get(threading.get_ident(), uncounted).received += size
            return size

        socket.socket.sendall, socket.socket.recv_into = sending, receiving  # type: ignore[assignment, method-assign]


def _summed(counts: Iterable[Mapping[Any, int]]) -> dict[Any, int]:
    total: defaultdict[Any, int] = defaultdict(int)
    for part in counts:
        for key, count in part.items():
            total[key] += count
    return total


def _installed() -> dict[str, str]:
    """Return the versions of the packages on the import path, by name."""
    names = [name for folder in sys.path if os.path.isdir(folder) for name in os.listdir(folder)]  # noqa: PTH112, PTH208
    split = [name.removesuffix(".dist-info").split("-") for name in names if name.endswith(".dist-info")]
    return {name: version for name, version, *_ in reversed(split)}


def _is_of_kit(thread: threading.Thread) -> bool:
    target = getattr(thread, "_target", None) or thread.run
    module = getattr(target, "__module__", None) or type(thread).__module__
    return str(module).partition(".")[0] in KIT


def seed(name: str) -> None:
    """Draw the same random numbers and ids in each run: a sort by random keys takes as many steps."""
    drawn = 0

    def urandom(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_128(f"{name} {drawn}".encode()).digest(size)

    os.urandom = random._urandom = urandom  # type: ignore[attr-defined]
    random.seed(name)


def install(importer: Callable[..., Any], settings: str) -> None:
    """Count the import and the invocations of a handler. `importer` is the bootstrap's; `settings` are the handler, the
    path of the counts and the folder of own code, between colons.
    """
    handler, path, root = settings.split(os.pathsep)
    counting = Counting(path, root)
    module, _, function = handler.rpartition(".")

    def imported(loaded: ModuleType) -> None:
        counting.end_import()
        if hasattr(loaded, function):  # the runtime client reports a missing handler
            setattr(loaded, function, counting.counted(getattr(loaded, function)))

    seed(os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    counting.follow_threads()
    counting.count_bytes()
    sys.meta_path.insert(0, importer(module.replace("/", "."), imported, counting.begin))
