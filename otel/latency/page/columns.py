"""The requests of a report as columns: a tenth of what a list of objects takes, in the page and in its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel.latency.map import called, caller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel.latency.account import Account
    from otel.latency.part import Part
    from otel.latency.report import Report

__all__ = ["COLD_START", "ERROR", "THROTTLED", "TIMEOUT", "columns"]

COLD_START, ERROR, TIMEOUT, THROTTLED = 1, 2, 4, 8  # bits of a request's flags


def columns(
    report: Report, parts: Mapping[Part, int], nodes: Mapping[tuple[str, str], int], lines: Mapping[str, int]
) -> dict[str, object]:
    """A list for each property, one entry a request in the order of their start.

    `buckets` is `[part, ns, part, ns, ...]`, the largest first; `start_ms` counts from 1970; `spans` is the line of its
    spans, or -1; `route` and `nodes` point into `routes` and `node_sets`.
    """
    routes: dict[str, int] = {}
    sets: dict[tuple[int, ...], int] = {}
    every = report.accounts
    return {
        "trace_id": [one.trace_id for one in every],
        "start_ms": [one.start_ns // 1_000_000 for one in every],
        "wall_ns": [one.wall_ns for one in every],
        "route": [routes.setdefault(one.route, len(routes)) for one in every],
        "status": [one.status_code for one in every],
        "flags": [_flags(one) for one in every],
        "buckets": [[number for part, ns in one.parts for number in (parts[part], ns)] for one in every],
        "nodes": [sets.setdefault(_nodes(one, nodes), len(sets)) for one in every],
        "spans": [lines.get(one.trace_id, -1) for one in every],
        "routes": list(routes),
        "node_sets": [list(one) for one in sets],
    }


def _flags(one: Account) -> int:
    throttled = any(calls.throttles for _, calls in one.calls)
    error = one.error and not one.timed_out  # one that timed out is not an error as well
    return COLD_START * one.cold_start | ERROR * error | TIMEOUT * one.timed_out | THROTTLED * throttled


def _nodes(one: Account, nodes: Mapping[tuple[str, str], int]) -> tuple[int, ...]:
    met = {caller(one), *(node for part, _ in one.calls if (node := called(part)) is not None)}
    return tuple(sorted(nodes[node] for node in met if node in nodes))
