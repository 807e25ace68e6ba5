"""The samples on a handler's span, as the runtime wrote them: runs of places in a function's own code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lambda_latency.trace import Span

SAMPLES = "lambda.profile."
PLACE = re.compile(r"(?:(?P<file>.+?):(?P<line>\d+) (?P<function>\S.*?))?(?:\s*> (?P<below>.+))?\Z")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a function's own code. `below` is the library's function that it called; all may be empty."""

    file: str
    line: int
    function: str
    below: str

    @property
    def label(self) -> str:
        """`functions/orders.py:14 price()`."""
        if not self.file:
            return self.below or "other places"
        return f"{self.file}:{self.line} {self.function}" + ("()" if self.function[-1:].isidentifier() else "")

    @property
    def frames(self) -> tuple[str, ...]:
        """The line, and the library's function that it called."""
        return tuple(one for one in (self.label, self.below) if one)[: 2 if self.file else 1]


class Run(NamedTuple):
    """Samples of one place in a row: start and end in nanoseconds since 1970.

    `cpu` is the share of CPU, None where it is unknown; `late` the share of the time by which samples were late.
    `waits_for` and `source` are what the place was seen to wait for, and the text of its line, if they were recorded.
    """

    start_ns: int
    end_ns: int
    place: Place
    cpu: float | None
    late: float
    waits_for: str
    source: str


def runs_of(span: Span) -> list[Run]:
    """The samples of a span as runs in the order of time; empty if it has none, or none that can be read."""
    attributes = span.attributes
    told, after = attributes.get(f"{SAMPLES}runs"), attributes.get(f"{SAMPLES}after_ms")
    if not isinstance(told, str) or not isinstance(after, int):
        return []
    texts = [_texts(attributes.get(f"{SAMPLES}{name}")) for name in ("places", "waits", "lines")]
    places = [_place(text) for text in texts[0]]
    found: list[Run] = []
    at = span.start_ns + after * 1_000_000
    for run in told.split(";"):
        numbers = run.split(",")
        if not 2 <= len(numbers) <= 4 or not all(one.isdecimal() for one in numbers[:2]):
            break  # the text was cut
        number, wall = int(numbers[0]), int(numbers[1])
        if number >= len(places):
            break
        cpu, late = (int(one) if one.isdecimal() else None for one in (*numbers[2:], "", "")[:2])
        end = at + wall * 1_000_000
        waits, source = (one[number] if number < len(one) else "" for one in texts[1:])
        share = cpu / max(wall, 1) if cpu is not None else None
        found.append(Run(at, end, places[number], share, (late or 0) / max(wall, 1), waits, source))
        at = end
    return found


def _place(text: str) -> Place:
    found = PLACE.match(text)
    if found is None or (not found["file"] and not found["below"]):
        return Place("", 0, "", text)
    return Place(found["file"] or "", int(found["line"] or 0), found["function"] or "", found["below"] or "")


def _texts(value: object) -> list[str]:
    return [one if isinstance(one, str) else "" for one in value] if isinstance(value, (list, tuple)) else []
