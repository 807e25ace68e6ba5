"""What a person should know of functions that are adopted without being changed for it: little memory, durability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lambda_latency.adopt.functions import Subject
from lambda_latency.template import Finding, Node

DEFAULT_MB, LEAST_MB = 128, 256  # Lambda's default, and what the doctor's rule memory-small asks for
SHOWN = 3


def notes_on(source: str, subjects: Sequence[Subject]) -> Iterator[Finding]:
    """The notes on the functions of a template that are adopted."""
    adopted = [one for one in subjects if one.is_python]
    small = [(one, size) for one in adopted if (size := _memory(one)) is not None and size < LEAST_MB]
    if small:
        named = ", ".join(f"{one.name} ({size} MB)" for one, size in small[:SHOWN])
        more = f" and {len(small) - SHOWN} more" if len(small) > SHOWN else ""
        what = f"{named}{more}: with so little memory a cold start takes seconds"
        yield Finding(source, small[0][0].line, what, f"set MemorySize to {LEAST_MB} or more")
    for one in adopted:
        if _property(one, "DurableConfig") is not None:
            what = f"{one.name} is a durable function: each invocation is a request of its own, replays included"
            yield Finding(source, one.line, what, "try its steps with its SDK's test kit: serve does not run it")


def _memory(subject: Subject) -> int | None:
    """The megabytes of a function; None if they are computed."""
    found = _property(subject, "MemorySize")
    if found is None:
        return DEFAULT_MB
    return int(found.text) if found.text.isdecimal() else None


def _property(subject: Subject, name: str) -> Node | None:
    return next((node for place in subject.places if (node := place.get(name)) is not None), None)
