"""The code of a function whose requests compute, of four kinds."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable
from typing import Any

BIG: list[dict[str, Any]] = [{"id": n, "name": f"name {n}", "tags": ["a", "b"], "price": n * 1.5} for n in range(600)]


def loop(count: int) -> object:
    """A loop in Python."""
    x = 1
    for i in range(14_000 * count):
        x = (x * 3 + i) % 1_000_003
    return x


def json_dumps(count: int) -> object:
    """A large JSON text."""
    return [json.dumps(BIG) for _ in range(3 * count)]


def deepcopy(count: int) -> object:
    """Copying a tree."""
    return [copy.deepcopy(BIG[:150]) for _ in range(3 * count)]


def regex(count: int) -> object:
    """Many short backtracking matches."""
    return [re.match(r"(a+)+$", "a" * 15 + "b") for _ in range(count)]


KINDS: dict[str, Callable[[int], object]] = {
    "loop": loop, "json_dumps": json_dumps, "deepcopy": deepcopy, "regex": regex,
}  # fmt: skip


def calls(work: Callable[[], object]) -> object:
    """Calls a library."""
    return work()


def calibrated(work: Callable[[int], object], seconds: float) -> int:
    """The argument with which one call takes about some seconds."""
    count = 1
    while True:
        took = seconds_of(work, count)
        if took >= seconds:
            took = min(took, seconds_of(work, count))  # a busy machine makes single calls slow
        if took >= seconds or count > 4000:
            return count
        count = max(count + 1, int(count * min(4.0, seconds / max(took, 1e-6))))


def seconds_of(work: Callable[[int], object], count: int) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    work(count)
    return time.perf_counter() - begun


def handler(event: dict[str, Any], _context: object) -> None:
    """One request."""
    KINDS[event["kind"]](event["count"])
