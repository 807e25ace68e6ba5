"""A finding about a file: place, observation, remedy."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lambda_latency.spelling import did_you_mean


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. `what` names the value in the file, `todo` is the remedy."""

    source: str
    line: int
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.what}: {self.todo}"


def nearest(name: str, known: Collection[str], otherwise: str = "") -> str:
    """The remedy for an unknown name: the nearest known one, or all of them."""
    return did_you_mean(name, known, otherwise or f"known are {', '.join(sorted(known))}", quoted=True)
