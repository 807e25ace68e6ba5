"""Sampling by an X-Ray rule: a fixed number of requests per second, and a share of the others."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

__all__ = ["Sampler"]


class Sampler:
    """A reservoir of `per_second` requests, and `rate` (0 to 1) of the others. X-Ray's default rule is 1 and 0.05."""

    def __init__(
        self, per_second: int = 1, rate: float = 0.05, seed: int = 1, clock: Callable[[], float] = time.time
    ) -> None:
        self._per_second, self._rate = per_second, rate
        self._random = random.Random(seed)  # noqa: S311 - a draw, not a secret
        self._clock = clock
        self._second, self._taken = 0, 0
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        """Whether the next request is traced."""
        with self._lock:
            second = int(self._clock())
            if second != self._second:
                self._second, self._taken = second, 0
            if self._taken < self._per_second:
                self._taken += 1
                return True
            return self._random.random() < self._rate
