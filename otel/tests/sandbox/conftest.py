"""A sandbox for each test, with what it recorded and what its functions printed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Function
from lambda_latency.local.sandbox.lambda_service import Sandbox
from lambda_latency.local.sandbox.variables import SandboxSettings
from lambda_latency.local.spans.segments import TracingHeader
from lambda_latency.trace import Span

TASK = Path(__file__).parent / "task"
SAMPLED = TracingHeader("6b0649acfc163708c35b96fce41acb89", "0b9a684f4976364c", True)
UNSAMPLED = TracingHeader("6b0649acfc163708c35b96fce41acb89", "0b9a684f4976364c", False)


@dataclass
class Box:
    """A sandbox under test. `spans` fills when an invocation is over, `lines` as functions print."""

    sandbox: Sandbox = field(init=False)
    spans: list[Span] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    printed: threading.Condition = field(default_factory=threading.Condition)

    def log(self, name: str, line: str) -> None:
        with self.printed:
            self.lines.append(f"{name}: {line}")
            self.printed.notify_all()

    def wait_for_line(self, text: str) -> bool:
        """Wait until a function has printed a line with this text."""
        with self.printed:
            return self.printed.wait_for(lambda: any(text in line for line in self.lines), 20)


MakeBox = Callable[..., Box]


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Child processes that end with the test."""
    with Processes() as processes:
        yield processes


@pytest.fixture
def make_box(processes: Processes, tmp_path: Path) -> Iterator[MakeBox]:
    """A sandbox with these functions; keyword arguments are its settings."""
    with ExitStack() as stack:

        def make(*functions: Function, **settings: Any) -> Box:
            box = Box()
            where = SandboxSettings(task_root=TASK, layer=tmp_path, **settings)
            box.sandbox = Sandbox(functions, where, processes, record=box.spans.extend, log=box.log)
            stack.callback(box.sandbox.close)
            return box

        yield make
