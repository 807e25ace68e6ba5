"""When a receiver that fails is asked again: after a second, then after twice as long, up to half a minute."""

from __future__ import annotations

from time import time

__all__ = ["Circuit"]

FIRST_S, LONGEST_S = 1.0, 30.0


class Circuit:
    """Closed while deliveries succeed; one failure opens it until its back-off is over."""

    def __init__(self) -> None:
        self._back_off = 0.0
        self._opened = 0.0

    @property
    def closed(self) -> bool:
        """Whether a delivery may be tried."""
        # The wall clock, for the monotonic one need not run while Lambda has the environment frozen. One that was set
        # back must not hold the circuit open.
        return not 0 <= time() - self._opened < self._back_off

    def succeeded(self) -> None:
        """Close it."""
        self._back_off = 0.0

    def failed(self) -> None:
        """Open it, for longer than the last time."""
        self._back_off = min(2 * self._back_off, LONGEST_S) or FIRST_S
        self._opened = time()
