"""From files to accounts, one for each trace, and back to the few traces that are shown in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel.latency.account import Account, account
from otel.trace import spans_in, traces_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel.trace import Problem, Source, Span

__all__ = ["load"]


def load(
    sources: Iterable[Source], problems: list[Problem], step: Callable[[int], None] = lambda _: None
) -> list[Account]:
    """The accounts of all traces in some files; what cannot be read, or does not fit, is added to `problems`."""
    spans: list[Span] = []
    for source in sources:
        spans += spans_in(source, problems, step)
    traces = traces_of(spans)
    problems += [problem for trace in traces for problem in trace.problems]
    return [account(trace) for trace in traces]
