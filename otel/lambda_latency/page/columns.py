"""The requests of a report as columns: a tenth of the size of a list of objects, in file and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lambda_latency.latency import Accounts, Kind, Part, Report

COLD_START, ERROR, TIMEOUT, THROTTLED = 1, 2, 4, 8  # bits of a request's flags


def columns(report: Report, number_of: Callable[[Part], int], lines: Mapping[str, int]) -> dict[str, object]:
    """One list per property, with one entry per request; the accounts must be in the order of their start.

    `buckets` is one text, `cell ns cell ns ...;...`, the largest part of a request first, and all cells of a part
    together: a browser parses a text many times faster than a list per request, and the page needs the parts of few
    requests at first. `cells` has the part and the caller of each cell. `start_ms` counts from 1970; `spans` is the
    index of its line of spans, or -1; `route` is an index into `routes`.
    """
    every = report.accounts
    known = list(every.kinds)
    kinds = [known[number] for number in every.kind_of]
    trace_ids = [every.trace_id(at) for at in range(len(every))]
    routes: dict[str, int] = {}
    return {
        "trace_id": trace_ids,
        "start_ms": [start_ns // 1_000_000 for start_ns in every.starts_ns],
        "wall_ns": list(every.walls_ns),
        "route": [routes.setdefault(kind.route, len(routes)) for kind in kinds],
        "status": [kind.status_code for kind in kinds],
        "flags": [
            _flags(kind) | THROTTLED * throttled for kind, throttled in zip(kinds, _throttled(every), strict=True)
        ],
        "buckets": ";".join(_buckets(every)),
        "cells": [[number_of(cell.part), cell.caller] for cell in every.cells],
        "spans": [lines.get(trace_id, -1) for trace_id in trace_ids],
        "routes": list(routes),
    }


def _flags(kind: Kind) -> int:
    error = kind.error and not kind.timed_out  # a timeout does not also count as an error
    return COLD_START * kind.cold_start | ERROR * error | TIMEOUT * kind.timed_out


def _throttled(every: Accounts) -> Iterator[bool]:
    """Whether a call of the request was throttled."""
    throttles = {number for (_, calls), number in every.calls.items() if calls.throttles}
    for first, last in every.calls_of_each():
        yield not throttles.isdisjoint(every.call_of[first:last])


def _buckets(every: Accounts) -> Iterator[str]:
    places = {part: place for place, part in enumerate(sorted(every.parts))}
    place_of = [places[cell.part] for cell in every.cells]
    for first, last in every.cells_of_each():
        cells = list(zip(every.cell_of[first:last], every.cell_ns[first:last], strict=True))
        sums: dict[int, int] = {}
        for cell, ns in cells:
            sums[place_of[cell]] = sums.get(place_of[cell], 0) - ns
        found = sorted([(sums[place_of[cell]], place_of[cell], -ns, cell) for cell, ns in cells])
        yield " ".join(f"{cell} {-ns}" for _, _, ns, cell in found)
