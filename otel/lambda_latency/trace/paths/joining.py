"""Durable executions whose invocations have a trace each: which traces are one request.

The joined trace has the first of the ids in their order, which of X-Ray's ids is the earliest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from lambda_latency.trace.model.compact_span import CompactTraces

# The ids of the traces with spans of an execution, by its ARN
TracesByExecution: TypeAlias = "defaultdict[str, set[str]]"


def note_executions(traces: CompactTraces, executions: TracesByExecution) -> None:
    """Add the ids of these traces to those of the executions whose spans they have."""
    for trace_id, spans in traces.items():
        for span in spans:
            if span.execution:
                executions[span.execution].add(trace_id)


def joined_ids(executions: Iterable[Collection[str]]) -> dict[str, str]:
    """Return the id of the joined trace by the id of each other trace of it, from the trace ids of each execution."""
    joined: dict[str, str] = {}

    def first_id(trace_id: str) -> str:
        while trace_id in joined:
            trace_id = joined[trace_id]
        return trace_id

    for trace_ids in executions:
        first_ids = sorted(map(first_id, trace_ids))
        joined.update(dict.fromkeys({*first_ids[1:]} - {first_ids[0]}, first_ids[0]))
    return {trace_id: first_id(trace_id) for trace_id in joined}


def join_executions(traces: CompactTraces) -> dict[str, str]:
    """Join the traces of each execution in place; returns what `joined_ids` does."""
    executions: TracesByExecution = defaultdict(set)
    note_executions(traces, executions)
    joined = joined_ids(executions.values())
    for trace_id, first_id in joined.items():
        traces[first_id] += traces.pop(trace_id)
    return joined


def with_others(trace_ids: Collection[str], joined: Mapping[str, str]) -> frozenset[str]:
    """Return trace ids with those of traces that are joined to these."""
    return frozenset([*trace_ids, *(trace_id for trace_id, first_id in joined.items() if first_id in trace_ids)])
