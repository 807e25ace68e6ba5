"""A declared function, and the outcome of an invocation."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.local.runtime_api import Invocation

__all__ = ["Function", "Outcome", "Run"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function as the template declares it. `environment` holds its own variables, paths as Lambda has them."""

    name: str
    handler: str
    timeout_s: float = 3
    memory_mb: int = 128
    environment: Mapping[str, str] = field(default_factory=dict)
    log_format: str = "Text"  # or JSON, which alone has a level
    log_level: str = "INFO"
    code: Path | None = None  # what stands for /var/task, if not the project's root
    read_only: bool = False  # whether nobody may write there, root included
    python: Path | None = None  # the interpreter with the runtime's packages, if not the one that runs this
    runtime: str = ""  # as Lambda calls it, where the interpreter is its own
    paths: tuple[Path, ...] = ()  # what is imported from after the code, with such an interpreter: requirements, layers
    layers: tuple[Path, ...] = ()  # what is unpacked to /opt, one over the other

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended: its payload and, where it failed, Lambda's error type (`Sandbox.Timedout`, ...)."""

    payload: bytes
    error: str | None = None

    @classmethod
    def failed(cls, kind: str, message: str) -> Outcome:
        return cls(json.dumps({"errorType": kind, "errorMessage": message}).encode(), kind)


@dataclass(slots=True)
class Run:
    """An invocation on its way: handed over, answered, over. Times are epoch nanoseconds, 0 while still to come."""

    invocation: Invocation
    started_ns: int
    responded_ns: int = 0
    ended_ns: int = 0
    outcome: Outcome | None = None
    responded: threading.Event = field(default_factory=threading.Event)

    def answer(self, outcome: Outcome) -> None:
        """The response is out."""
        self.outcome = outcome
        self.responded_ns = time.time_ns()
        self.responded.set()
