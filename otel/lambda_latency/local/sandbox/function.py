"""A declared function, and the outcome of an invocation."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.local.sandbox.runtime_api import RuntimeInvocation


@dataclass(frozen=True, slots=True)
class Function:
    """A function as the template declares it. `environment` has its own variables, with Lambda's paths."""

    name: str
    handler: str
    timeout_s: float = 3
    memory_mb: int = 128
    environment: Mapping[str, str] = field(default_factory=dict)
    log_format: str = "Text"  # or "JSON", the only format with a level
    log_level: str = "INFO"
    code: Path | None = None  # the folder for /var/task, if not the project's root
    read_only: bool = False  # whether that folder is read-only, for root too
    # The interpreter with the runtime's packages, if not the current one
    python: Path | None = None
    runtime: str = ""  # Lambda's name of the runtime, if `python` is set
    # Import paths after the code, if `python` is set: requirements, layers
    paths: tuple[Path, ...] = ()
    # Folders unpacked to /opt; a later one replaces files of an earlier one
    layers: tuple[Path, ...] = ()

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an invocation: its payload and, if it failed, Lambda's error type (`Sandbox.Timedout`, ...)."""

    payload: bytes
    error: str | None = None

    @classmethod
    def failed(cls, kind: str, message: str) -> Outcome:
        return cls(json.dumps({"errorType": kind, "errorMessage": message}).encode(), kind)


@dataclass(slots=True)
class Run:
    """The progress of an invocation: started, responded, ended. Times are epoch nanoseconds, 0 until reached."""

    invocation: RuntimeInvocation
    started_ns: int
    responded_ns: int = 0
    ended_ns: int = 0
    outcome: Outcome | None = None
    responded: threading.Event = field(default_factory=threading.Event)

    def answer(self, outcome: Outcome) -> None:
        """Stores the outcome and the time of the response."""
        self.outcome = outcome
        self.responded_ns = time.time_ns()
        self.responded.set()
