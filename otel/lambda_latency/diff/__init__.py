"""Two versions of an app, compared by what their requests do: calls, bytecodes by line, bytes. Nothing is timed."""

from __future__ import annotations

from lambda_latency.diff.commits import Repository, Version
from lambda_latency.diff.compare import CountsDifference
from lambda_latency.diff.conditions import CONDITIONS, DEFAULTS, read_condition
from lambda_latency.diff.run import run_diff
from lambda_latency.diff.session import SessionCall, SessionRecorder, read_session
from lambda_latency.diff.side import DiffOptions
from lambda_latency.diff.words import DiffReport, document, markdown, text

__all__ = [
    "CONDITIONS",
    "DEFAULTS",
    "CountsDifference",
    "DiffOptions",
    "DiffReport",
    "Repository",
    "SessionCall",
    "SessionRecorder",
    "Version",
    "document",
    "markdown",
    "read_condition",
    "read_session",
    "run_diff",
    "text",
]
