"""Spans that hang on others than their parents, by their times: as `trace.waiting` has it, for what is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency.outline import Moves, Outline
    from lambda_latency.latency.places import Facts

__all__ = ["hang_around_inits", "hang_in_invocations"]


def hang_in_invocations(outline: Outline, starts: Sequence[int], ends: Sequence[int], ids: Sequence[str]) -> Moves:
    """What hangs on a function segment but begins in its Invocation hangs on that."""
    moves: list[tuple[int, int]] = []
    for several, others in outline.invocations:
        invocations = several if len(several) < 2 else sorted(several, key=lambda one: (starts[one], ids[one]))
        for child in others:
            start = starts[child]
            for one in invocations:
                if starts[one] <= start < ends[one]:
                    moves.append((child, one))
                    break
    return tuple(moves)


def hang_around_inits(
    outline: Outline, starts: Sequence[int], ends: Sequence[int], facts: Sequence[Facts]
) -> tuple[Moves, dict[int, int]] | None:
    """An Initialization lies before its function segment: it hangs on the nearest span above that covers most of it.

    Those that move, and the instant at which each Lambda service began one; None where the request may begin with the
    init.
    """
    top = outline.top
    if not facts[top].outer:
        return None
    moves: list[tuple[int, int]] = []
    starting: dict[int, int] = {}
    for init in outline.inits:
        start, end = starts[init], ends[init]
        above = parent = outline.above[init]
        for _ in starts:  # parents may go round in circles
            if above == len(starts):
                return None
            covered = end - max(start, starts[above])
            if 2 * covered >= end - start or (above == top and covered > 0):
                break
            above = outline.above[above]
        else:
            return None
        if above != parent:
            moves.append((init, above))
        if facts[above].service:
            starting[above] = min(start, starting.get(above, start))
    return tuple(moves), starting
