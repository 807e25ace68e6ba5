"""A flame graph of critical paths as a file: folded stacks, or JSON for speedscope or Perfetto, by the file name."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from lambda_latency.text.style import Style
from lambda_latency.text.words import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_latency.latency import Stack

STYLE = Style()
NS_PER_US = 1_000
TITLE = "critical paths of all requests"


def render_flame(stacks: Mapping[Stack, int], name: str) -> str:
    """The text of a file called `name`: `*.speedscope.json` and any other `*.json` (Perfetto), else folded stacks.

    Times are microseconds, summed over all requests.
    """
    counts: Counter[Stack] = Counter()
    for stack, ns in stacks.items():
        counts[tuple(_frame(one) for one in stack)] += ns
    ordered = sorted((stack, us) for stack, ns in counts.items() if (us := (ns + NS_PER_US // 2) // NS_PER_US))
    if name.endswith(".speedscope.json"):
        return json.dumps(_speedscope(ordered)) + "\n"
    if name.endswith(".json"):
        return json.dumps({"traceEvents": _slices(ordered), "displayTimeUnit": "ms"}) + "\n"
    return "".join(f"{';'.join(stack)} {us}\n" for stack, us in ordered)


def _frame(name: str) -> str:
    """A name without separators of frames and lines."""
    return clean(name, STYLE).replace(";", ",")


def _speedscope(ordered: list[tuple[Stack, int]]) -> dict[str, object]:
    frames: dict[str, int] = {}
    samples = [[frames.setdefault(name, len(frames)) for name in stack] for stack, _ in ordered]
    weights = [us for _, us in ordered]
    profile = {
        "type": "sampled",
        "name": TITLE,
        "unit": "microseconds",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": "lambda-latency",
        "name": TITLE,
        "shared": {"frames": [{"name": name} for name in frames]},
        "profiles": [profile],
    }


def _slices(ordered: list[tuple[Stack, int]]) -> list[dict[str, object]]:
    """Stacks side by side, as slices on one track; neighbours share the slices of their common frames."""
    found: list[dict[str, object]] = []
    open_: list[tuple[str, int]] = []
    now = 0

    def close(depth: int) -> None:
        while len(open_) > depth:
            name, begin = open_.pop()
            found.append({"name": name, "ph": "X", "ts": begin, "dur": now - begin, "pid": 1, "tid": 1})

    for stack, us in ordered:
        shared = 0
        while shared < min(len(stack), len(open_)) and open_[shared][0] == stack[shared]:
            shared += 1
        close(shared)
        open_ += [(name, now) for name in stack[shared:]]
        now += us
    close(0)
    return sorted(found, key=lambda one: (one["ts"], -int(str(one["dur"]))))
