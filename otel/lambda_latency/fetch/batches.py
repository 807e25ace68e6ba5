"""Traces by their ids: BatchGetTraces accepts five per call, and may return fewer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_ONCE = 5


class Answer(NamedTuple):
    """The traces that were returned, by id, and the number of calls."""

    traces: dict[str, dict[str, Any]]
    calls: int


def batch(xray: Any, ids: Sequence[str]) -> Answer:
    """All pages of up to five traces, as X-Ray stores them; unprocessed traces are absent."""
    found: dict[str, dict[str, Any]] = {}
    asked: dict[str, Any] = {"TraceIds": list(ids)}
    calls = 0
    while True:
        answer = xray.batch_get_traces(**asked)
        calls += 1
        for one in answer.get("Traces", ()):
            known = found.setdefault(one["Id"], one)
            if known is not one:  # further segments of a trace from an earlier page
                known["Segments"] = [*known.get("Segments", ()), *one.get("Segments", ())]
        token = answer.get("NextToken")
        if not token:
            return Answer(found, calls)
        asked["NextToken"] = token


def is_in_progress(trace: dict[str, Any]) -> bool:
    """Whether a segment is in progress."""
    return any(
        '"in_progress"' in one["Document"] and _is_open(json.loads(one["Document"]))
        for one in trace.get("Segments", ())
    )


def _is_open(document: Any) -> bool:
    waiting = [document]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if one.get("in_progress") is True and "end_time" not in one:
                return True
            waiting += one.get("subsegments") or ()
    return False
