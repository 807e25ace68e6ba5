"""Spans as one nested tuple, so that a test compares the whole tree and not one value of it."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from opentelemetry.sdk.trace import ReadableSpan

Tree: TypeAlias = tuple[str, str, str, dict[str, Any], list["Tree"]]


def trees(spans: Iterable[ReadableSpan], *keys: str) -> list[Tree]:
    """Spans without a recorded parent, by start: (name, kind, status, the attributes named by `keys`, children)."""
    ordered = sorted(spans, key=lambda span: span.start_time or 0)
    recorded = {identity(span) for span in ordered}

    def below(parent: int | None) -> list[Tree]:
        return [
            (
                span.name,
                span.kind.name,
                span.status.status_code.name,
                {key: (span.attributes or {})[key] for key in keys if key in (span.attributes or {})},
                below(identity(span)),
            )
            for span in ordered
            if (span.parent.span_id if span.parent and span.parent.span_id in recorded else None) == parent
        ]

    return below(None)


def identity(span: ReadableSpan) -> int:
    """The span's own id."""
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def listed(spans: Iterable[ReadableSpan]) -> list[str]:
    """Each span as `parent > name`, an ERROR marked, by start."""
    ordered = sorted(spans, key=lambda span: span.start_time or 0)
    names = {identity(span): span.name for span in ordered}
    return [
        f"{names.get(span.parent.span_id if span.parent else 0, 'Lambda')} > {span.name}"
        + (" ERROR" if span.status.status_code.name == "ERROR" else "")
        for span in ordered
    ]
