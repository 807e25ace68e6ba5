"""Starts and stops recordings: of a block, or of a test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.context import Context, attach, detach

from lambda_latency.testing.provider import RECORDINGS, ready
from lambda_latency.testing.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGUN: list[Recording] = []
"""The recordings of the running test, for the check of the guarantees."""


@contextmanager
def recorded() -> Iterator[Recording]:
    """Records all spans of the block: `with recorded() as trace:`, then `assert trace() == ...`.

    The process's TracerProvider creates the spans, or the kit's own if none is set. Spans outside the block are not
    parents of spans in it.
    """
    with recording() as found:
        token = attach(Context())
        try:
            yield found
        finally:
            detach(token)


@contextmanager
def recording() -> Iterator[Recording]:
    """As `recorded`, without changing the current context, for callers that manage it."""
    ready()
    found = Recording()
    BEGUN.append(found)
    RECORDINGS.append(found)
    try:
        yield found
    finally:
        RECORDINGS.remove(found)
        found.stop()
