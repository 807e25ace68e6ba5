"""Reads trace files and judges them in this process, as `lambda-latency report --json` does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from lambda_latency.latency import USUAL, Accounts, against, load, read_gate, report_of
from lambda_latency.text import document
from lambda_latency.trace import LineIndex, Source, Span, find_spans

__all__ = ["read", "report", "report_on"]


def read(path: Path) -> Accounts:
    """The requests of a file. Raises `ValueError` if it has none."""
    problems: list[Any] = []
    accounts = load([Source(path.name, path)], problems, processes=1)
    if not accounts:
        raise ValueError(f"{path} must have requests, got none: {problems[:1]}")
    return accounts


def report_on(path: Path) -> dict[str, Any]:
    """The report on a file, whose spans are read again for what slow requests depend on."""
    sources, problems, index = [Source(path.name, path)], list[Any](), LineIndex()
    accounts = load(sources, problems, index=index, processes=1)
    owners = USUAL.owners.settle(accounts)

    def spans(ids: Collection[str]) -> Iterable[Span]:
        return find_spans(sources, ids, index)

    found = report_of(accounts, lambda _: {}, owners=owners, spans=spans)
    return document(found, command="", version="")


def report(now: Accounts, then: Accounts | None = None, gates: Sequence[str] = ()) -> dict[str, Any]:
    """The report on some requests, compared with those of a baseline, if there is one, and judged by gates."""
    every = [now] if then is None else [now, then]
    owners = USUAL.owners.settle(*every)
    compared = against(now, then, ["baseline"]) if then is not None else None
    found = report_of(now, lambda _: {}, against=compared, owners=owners, baseline=then)
    return document(found, command="", version="", judged=[read_gate(gate).judge(found) for gate in gates])
