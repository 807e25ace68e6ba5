"""What a function's process knows of its own spans, written down the instant it happens: SIGKILL loses none of it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider


def keep_journal(folder: str) -> None:
    """Write every span that this process starts and ends into a file of its own in that folder."""
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(_Journal(folder))


class _Journal(SpanProcessor):
    def __init__(self, folder: str) -> None:
        self._file = os.open(Path(folder) / str(os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        self._write("+", span)

    def on_end(self, span: ReadableSpan) -> None:
        self._write("-", span)

    def _write(self, mark: str, span: ReadableSpan) -> None:
        context = span.get_span_context()
        assert context is not None
        local = span.parent is not None and not span.parent.is_remote
        parent = f"{span.parent.span_id:016x}" if span.parent is not None and local else "-"
        os.write(self._file, f"{mark}{context.trace_id:032x} {context.span_id:016x} {parent} {span.name}\n".encode())


@dataclass
class Life:
    """The spans of one process: with the ids of their local parents, their traces, and the order of their ends."""

    started: dict[str, str] = field(default_factory=dict)
    traces: set[str] = field(default_factory=set)
    ended: list[str] = field(default_factory=list)


def read_journal(path: Path) -> Life:
    """What one process wrote."""
    life = Life()
    for line in path.read_text().splitlines():
        trace_id, span_id, parent, _ = line[1:].split(" ", 3)
        if line[0] == "+":
            life.started[span_id] = parent
            life.traces.add(trace_id)
        else:
            life.ended.append(span_id)
    return life
