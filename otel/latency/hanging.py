"""Lean spans that hang below another than their parent: as `otel.trace.waiting` has it, for what is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel.trace.platform import FUNCTION, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel.latency.places import Facts
    from otel.trace.lean import LeanSpan

__all__ = ["hang_around_inits", "hang_in_invocations"]


def hang_in_invocations(found: Iterable[LeanSpan], ids: Mapping[str, LeanSpan], facts: Sequence[Facts]) -> None:
    """What hangs on a function segment but begins in its Invocation hangs on that."""
    invocations: dict[str, list[LeanSpan]] = {}
    for span in found:
        if span.parent_id in ids and facts[ids[span.parent_id].shape].function:
            invocations.setdefault(span.parent_id, []).append(span)
    for function_id, several in invocations.items():
        if len(several) > 1:
            several.sort(key=lambda one: (one.start_ns, one.span_id))
        function = ids[function_id]
        left: list[LeanSpan] = []
        for child in function.below or ():
            if not facts[child.shape].phase:
                for one in several:
                    if one.start_ns <= child.start_ns < one.end_ns:
                        _hang(child, one)
                        break
                else:
                    left.append(child)
            else:
                left.append(child)
        function.below = left or None


def hang_around_inits(
    inits: Iterable[LeanSpan], top: LeanSpan, ids: Mapping[str, LeanSpan], facts: Sequence[Facts]
) -> dict[str, int] | None:
    """An Initialization lies before its function segment: it hangs on the nearest span above that covers most of it.

    The instant at which each Lambda service began one, by span id; None where the request may begin with the init.
    """
    if facts[top.shape].span.origin in (None, FUNCTION):
        return None
    starting: dict[str, int] = {}
    for init in inits:
        above: LeanSpan | None = ids[init.parent_id]
        for _ in range(len(ids)):  # parents may go round in circles
            if above is None:
                return None
            covered = init.end_ns - max(init.start_ns, above.start_ns)
            if 2 * covered >= init.end_ns - init.start_ns or (above is top and covered > 0):
                break
            above = ids.get(above.parent_id)
        else:
            return None
        parent = ids[init.parent_id]
        if above is not parent:
            parent.below = [child for child in parent.below or () if child is not init] or None
            _hang(init, above)
        if facts[above.shape].span.origin == SERVICE:
            starting[above.span_id] = min(init.start_ns, starting.get(above.span_id, init.start_ns))
    return starting


def _hang(span: LeanSpan, above: LeanSpan) -> None:
    """Below it, in its place among the others: the last to end first."""
    if above.below is None:
        above.below = [span]
    else:
        above.below.append(span)
        above.below.sort(key=lambda one: (-one.end_ns, one.start_ns, one.span_id))
