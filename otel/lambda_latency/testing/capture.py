"""The beginning and the end of a recording: of a block, or of a test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.context import Context, attach, detach

from lambda_latency.testing.provider import RECORDINGS, ready
from lambda_latency.testing.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BEGUN", "recorded", "recording"]

BEGUN: list[Recording] = []
"""The recordings of the test that runs, for whoever looks after the guarantees."""


@contextmanager
def recorded() -> Iterator[Recording]:
    """Record the spans of the block, whoever makes them: `with recorded() as trace:`, then `assert trace() == ...`.

    They are made by the process's TracerProvider, or by one of ours where none is set. No span outside of the block is
    a parent in it.
    """
    with recording() as found:
        token = attach(Context())
        try:
            yield found
        finally:
            detach(token)


@contextmanager
def recording() -> Iterator[Recording]:
    """The same where the context is somebody else's to keep."""
    ready()
    found = Recording()
    BEGUN.append(found)
    RECORDINGS.append(found)
    try:
        yield found
    finally:
        RECORDINGS.remove(found)
        found.stop()
