"""A circuit breaker: after a failed delivery nobody is asked until a back-off is over."""

from __future__ import annotations

from os import urandom
from time import time as wall_clock

FIRST_S, LONGEST_S = 1.0, 30.0
LONGEST_ASKED_S = 3600.0  # the longest pause that a receiver may ask for: an environment does not live much longer
JITTER = 0.25  # the share by which a pause is longer at most, so that many environments do not come back at once


class Circuit:
    """Closed while deliveries succeed; a failure opens it until its back-off is over."""

    def __init__(self) -> None:
        self._back_off, self._pause, self._opened, self._was_cut = 0.0, 0.0, 0.0, False

    @property
    def closed(self) -> bool:
        """Whether a delivery may be tried."""
        # By the wall clock: the monotonic one may stop while the environment is frozen. A clock that was set back must
        # not keep the circuit open.
        return not 0 <= wall_clock() - self._opened < self._pause

    def succeeded(self) -> None:
        """Close the circuit."""
        self._back_off = self._pause = 0.0
        self._was_cut = False

    def failed(self, asked_s: float = 0.0) -> None:
        """Open the circuit, for longer than the last time, and for as long as the receiver has asked for."""
        self._back_off = min(2 * self._back_off, LONGEST_S) or FIRST_S
        least = max(self._back_off, min(asked_s, LONGEST_ASKED_S))
        # From the kernel: the function may have seeded `random`.
        self._pause = least * (1 + JITTER * urandom(1)[0] / 255)
        self._opened = wall_clock()
        self._was_cut = False

    def cut_short(self) -> bool:
        """A delivery had less time than usual, and no answer came: half a failure. Returns whether the circuit opens,
        which it does at the second one in a row.
        """
        if self._was_cut:
            self.failed()
            return True
        self._was_cut = True
        return False
