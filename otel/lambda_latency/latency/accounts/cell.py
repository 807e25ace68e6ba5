"""A cell: a part of a request's time, and the service that waits for it."""

from __future__ import annotations

from typing import NamedTuple

from lambda_latency.latency.accounts.part import Part

__all__ = ["OWN", "Cell"]

OWN = ("own code", "cold start", "telemetry", "lambda", "api gateway", "unknown")  # buckets that are no callee


class Cell(NamedTuple):
    """A part and the service whose span waits for it: `Cell("checkout", Part("network", "payments"))`.

    `caller` is empty for the function that received the request first.
    """

    caller: str
    part: Part

    @property
    def is_own(self) -> bool:
        """Whether the time is the caller's own; every other cell is an edge to a callee."""
        return self.part.bucket in OWN

    @property
    def service(self) -> str:
        """The service that the time belongs to: the caller of its own time, else the callee."""
        return self.caller if self.is_own else self.part.name

    @property
    def label(self) -> str:
        """The cell for people: `checkout -> network to payments`; without the caller if that has no name."""
        return self.part.label if self.is_own or not self.caller else f"{self.caller} -> {self.part.label}"
