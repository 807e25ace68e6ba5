"""A session of the server: the process's pipes, the folders, and the tools on them."""

from __future__ import annotations

import os
import sys

from lambda_latency.agent.guard import Guard
from lambda_latency.agent.server import Server
from lambda_latency.agent.tools import ACCOUNT_TOOLS, TOOLS
from lambda_latency.agent.wire import Wire

TYPE_CHECKING = False  # importing typing would take a third of the time of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from lambda_latency.agent.loading import Loader
    from lambda_latency.agent.options import Options
    from lambda_latency.agent.tools import Tool


def serve(roots: Sequence[str], settings: Callable[[], Options], *, account: bool = False) -> None:
    """Answer on standard input and output until the input ends; the first call of a tool asks for the settings.

    Whatever else is printed goes to standard error: descriptor 1 is the wire no longer.
    """
    read, write = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # a library that reads standard input gets nothing
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    guard = Guard(roots)
    guard.install()
    Server(Wire(read, write), {**TOOLS, **(ACCOUNT_TOOLS if account else {})}, _Answers(settings, guard)).run()


class _Answers:
    """Runs the tools. What reads traces is imported by the first call."""

    def __init__(self, settings: Callable[[], Options], guard: Guard) -> None:
        self._settings, self._guard = settings, guard
        self._loader: Loader | None = None

    def __call__(
        self, tool: Tool, given: dict[str, Any], tell: Callable[[int, int], None], is_gone: Callable[[], bool]
    ) -> str:
        from lambda_latency.agent.loading import Call

        if self._loader is None:
            self._loader = _loader(self._settings())
        if tool.is_open:  # boto3 reads the user's configuration and certificates
            return tool.function()(self._loader, Call(tell, is_gone), **given)
        with self._guard.watch():
            text = tool.function()(self._loader, Call(tell, is_gone), **given)
        count = len(self._guard.refused)
        return f"{text}\nnot read: {count} files or folders outside of the roots" if count else text


def _loader(options: Options) -> Loader:
    from pathlib import Path

    from lambda_latency.agent.loading import Loader
    from lambda_latency.agent.roots import Roots
    from lambda_latency.latency import Owners, Terms
    from lambda_latency.trace import View

    terms = Terms(View(from_lambda=options.from_lambda), Owners(options.ours, options.theirs))
    return Loader(Roots([Path(one) for one in options.roots]), terms, options.slow_ns, options.ignored, options.account)
