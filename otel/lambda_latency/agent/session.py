"""A session of the server: the process's pipes, the folders, and the tools on them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.agent.guard import Guard
from lambda_latency.agent.server import Server
from lambda_latency.agent.tools import ACCOUNT_TOOLS, TOOLS
from lambda_latency.agent.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.agent.loading import Loader
    from lambda_latency.agent.options import Options
    from lambda_latency.agent.tools import Tool

__all__ = ["serve"]


def serve(options: Options) -> None:
    """Answer on standard input and output until the input ends.

    Whatever else is printed goes to standard error: descriptor 1 is the wire no longer.
    """
    read, write = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # a library that reads standard input gets nothing
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    roots = [Path(os.path.realpath(one)) for one in options.roots]
    guard = Guard(roots, is_open=options.account is not None)
    guard.install()
    tools = {**TOOLS, **(ACCOUNT_TOOLS if options.account is not None else {})}
    Server(Wire(read, write), tools, _Answers(options, guard)).run()


class _Answers:
    """Runs the tools. What reads traces is imported by the first call."""

    def __init__(self, options: Options, guard: Guard) -> None:
        self._options, self._guard = options, guard
        self._loader: Loader | None = None

    def __call__(
        self, tool: Tool, given: dict[str, Any], tell: Callable[[int, int], None], is_gone: Callable[[], bool]
    ) -> str:
        with self._guard.watch():
            if self._loader is None:
                self._loader = _loader(self._options)
            from lambda_latency.agent.loading import Call

            return tool.function()(self._loader, Call(tell, is_gone), **given)


def _loader(options: Options) -> Loader:
    from lambda_latency.agent.loading import Loader
    from lambda_latency.agent.roots import Roots
    from lambda_latency.latency import Owners, Terms
    from lambda_latency.trace import View

    terms = Terms(View(from_lambda=options.begin == "lambda"), Owners(options.ours, options.theirs))
    return Loader(Roots(options.roots), terms, options.slow_ns, options.ignored, options.account)
