"""Reads trace files and judges them in this process, as `lambda-latency report --json` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lambda_latency.latency import USUAL, Accounts, against, load, read_gate, report_of
from lambda_latency.text import document
from lambda_latency.trace import Source

__all__ = ["read", "report"]


def read(path: Path) -> Accounts:
    """The requests of a file. Raises `ValueError` if it has none."""
    problems: list[Any] = []
    accounts = load([Source(path.name, path)], problems, processes=1)
    if not accounts:
        raise ValueError(f"{path} must have requests, got none: {problems[:1]}")
    return accounts


def report(now: Accounts, then: Accounts | None = None, gates: Sequence[str] = ()) -> dict[str, Any]:
    """The report on some requests, compared with those of a baseline, if there is one, and judged by gates."""
    every = [now] if then is None else [now, then]
    owners = USUAL.owners.settle(*every)
    compared = against(now, then, ["baseline"]) if then is not None else None
    found = report_of(now, lambda _: {}, against=compared, owners=owners, baseline=then)
    return document(found, command="", version="", judged=[read_gate(gate).judge(found) for gate in gates])
