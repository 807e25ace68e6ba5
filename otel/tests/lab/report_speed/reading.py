"""What the reader makes of documents that a benchmark wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace import read_traces

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambda_latency.trace import Span

__all__ = ["spans_in"]


def spans_in(folder: Path, texts: Iterable[str]) -> list[Span]:
    """All spans of the texts, by trace id and span id; nothing in them is a problem of reading."""
    path = folder / "traces.jsonl"
    path.write_text("".join(texts))
    reading = read_traces(path)
    assert [problem for problem in reading.problems if problem.effect == "skipped"] == []
    spans = [span for trace in reading.traces for span in trace.spans]
    return sorted(spans, key=lambda span: (span.trace_id, span.span_id))
