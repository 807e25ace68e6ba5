"""A running invocation, as the watch over the deadline sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span

NEVER = float("inf")
# The smaller one counts: the share, for a timeout below two seconds
MARGIN_S, MARGIN_SHARE = 0.2, 0.1


class Running:
    """An invocation: its span, its thread, and its deadline (seconds since 1970).

    `cpu_s` is the CPU time of the thread at the start; samples are taken after `after_s`, and `samples` are their
    attributes at the deadline. `start` is that of the span, `alarm` the last instant at which the spans can still
    be marked and sent, `margin` the seconds from there to the deadline; all instants are seconds since 1970.
    """

    __slots__ = ("after_s", "alarm", "cpu_s", "deadline", "margin", "samples", "span", "start", "thread")

    def __init__(self, span: Span, thread: int, deadline: float, cpu_s: float = 0.0, after_s: float = NEVER) -> None:
        self.span, self.thread, self.deadline, self.cpu_s, self.after_s = span, thread, deadline, cpu_s, after_s
        self.start = (span.start_time or 0) / 1e9
        self.margin = min(MARGIN_S, MARGIN_SHARE * (deadline - self.start))
        self.alarm = deadline - self.margin
        self.samples: dict[str, Any] = {}

    @property
    def span_id(self) -> int:
        """Return the span id."""
        return self.span.get_span_context().span_id

    def is_due(self, left_s: float, late_s: float) -> bool:
        """Whether to ring, `left_s` before the alarm, in a look that was `late_s` late.

        A late look means that the function lets other threads run rarely, because it imports or computes in C. Marking
        takes longer then, so it starts sooner: by half of the margin at most, because a freeze makes a look hours late.
        """
        return left_s <= min(late_s, self.margin / 2)
