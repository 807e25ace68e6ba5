"""A session of the server: the process's pipes, the folders, and the tools on them."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager

from lambda_latency.agent.server import McpServer
from lambda_latency.agent.tools import ACCOUNT_TOOLS, TOOLS
from lambda_latency.agent.wire import Wire

TYPE_CHECKING = False  # importing typing is slow
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from lambda_latency.agent.loading import Loader
    from lambda_latency.agent.tools import Options, Tool

FILES = ("open", "os.listdir", "os.scandir", "glob.glob")
PACKAGES = ("site-packages", "dist-packages")
DEVICES = ("/dev/null", "/dev/urandom", "/proc/self", "/sys/fs/cgroup", "/etc/localtime", "/usr/share/zoneinfo")


def serve(roots: Sequence[str], settings: Callable[[], Options], *, account: bool = False) -> None:
    """Answer on standard input and output until the input ends; the first call of a tool reads the settings.

    All other output goes to standard error: descriptor 1 is no longer the wire.
    """
    read, write = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # for a library that reads it
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    guard = Guard(roots)
    guard.install()
    McpServer(Wire(read, write), {**TOOLS, **(ACCOUNT_TOOLS if account else {})}, _Answers(settings, guard)).run()


class _Answers:
    """Runs the tools. The first call imports the modules that read traces."""

    def __init__(self, settings: Callable[[], Options], guard: Guard) -> None:
        self._settings, self._guard = settings, guard
        self._loader: Loader | None = None

    def __call__(
        self, tool: Tool, arguments: dict[str, Any], report: Callable[[int, int], None], is_gone: Callable[[], bool]
    ) -> str:
        from lambda_latency.agent.loading import ToolCall

        if self._loader is None:
            self._loader = _loader(self._settings())
        if tool.is_open:  # boto3 reads configuration
            return tool.function()(self._loader, ToolCall(report, is_gone), **arguments)
        with self._guard.watch():
            text = tool.function()(self._loader, ToolCall(report, is_gone), **arguments)
        count = len(self._guard.refused)
        return f"{text}\nnot read: {count} files or folders outside of the roots" if count else text


def _loader(options: Options) -> Loader:
    from pathlib import Path

    from lambda_latency.agent.loading import Loader
    from lambda_latency.agent.roots import Roots
    from lambda_latency.latency import AnalysisOptions, Owners
    from lambda_latency.trace import View

    analysis_options = AnalysisOptions(View(from_lambda=options.from_lambda), Owners(options.ours, options.theirs))
    roots = Roots([Path(root) for root in options.roots])
    return Loader(roots, analysis_options, options.slow_ns, options.ignored, options.account)


class Guard:
    """Refuses what no answer needs, whatever code tries it: a file outside of the roots, and a socket.

    `Roots` checks the names in a call. A template, though, may name files anywhere, and a library may look for
    settings. Only threads that answer are watched. An audit hook cannot be removed: there is one guard in a process.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = roots
        self._allowed: tuple[str, ...] = ()
        self._watched = threading.local()
        self.refused: set[str] = set()  # by this answer

    def install(self) -> None:
        """Install the hook, which `watch` turns on. The current folder and the roots leave the path of imports."""
        skipped = {os.path.realpath(folder) for folder in (".", *self._roots)}
        sys.path[:] = [folder for folder in sys.path if folder and os.path.realpath(folder) not in skipped]
        sys.addaudithook(self._hook)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch this thread while it answers."""
        self._allowed = self._allowed or _allowed(self._roots)
        self.refused.clear()
        self._watched.on = True
        try:
            yield
        finally:
            self._watched.on = False

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not getattr(self._watched, "on", False):
            return
        if event.startswith("socket.") and event != "socket.gethostname":
            raise PermissionError("a tool that reads files opens no socket")
        if event == "os.listdir" and arguments and arguments[0] in sys.path:
            return  # an import looks for a module
        if event in FILES and arguments and isinstance(arguments[0], (str, bytes, os.PathLike)):
            self._check_path(os.fsdecode(arguments[0]))

    def _check_path(self, path: str) -> None:
        self._watched.on = False  # realpath may raise events itself
        try:
            real_path = os.path.realpath(path) + os.sep
        finally:
            self._watched.on = True
        if not real_path.startswith(self._allowed):
            self.refused.add(real_path)
            raise PermissionError("a file is outside of the roots")


def _allowed(roots: Sequence[str]) -> tuple[str, ...]:
    """Return the prefixes of paths that may be opened: roots, Python, its packages, temporary files of this process."""
    import atexit
    import shutil
    import tempfile  # slow imports

    tempfile.tempdir = tempfile.mkdtemp(prefix="lambda-latency-")
    atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)
    installed = [folder for folder in sys.path if any(name in folder for name in PACKAGES)]
    kit = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - pathlib is a slow import
    interpreter = [sys.prefix, sys.base_prefix, sys.exec_prefix, kit, *installed, *DEVICES]
    folders = [*roots, tempfile.tempdir, f"/proc/{os.getpid()}", *interpreter]
    return tuple({os.path.realpath(folder) + os.sep for folder in folders if folder})
