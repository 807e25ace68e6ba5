"""What happens to each invocation of a run: drawn from a seed, so that a run can be repeated."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lab.faults.collector import Mode
from lab.faults.hostile import MALFORMED, hostile
from lambda_latency.local.xray.segments import TraceHeader

__all__ = ["ENDS", "MODES", "OF_XRAY", "Step", "plan"]

MODES: dict[Mode, int] = {
    "healthy": 40,
    "refused": 8,
    "hole": 8,
    "slow": 8,
    "500": 8,
    "429": 8,
    "reset": 8,
    "partial": 8,
}
OF_XRAY: dict[Mode, int] = {**MODES, "403": 8}
HANDLERS = {"work": 60, "nothing": 8, "5xx": 6, "raise": 6, "object": 4, "late": 6, "many": 5, "huge": 1}
ENDS = {"exit": 1, "_exit": 1, "kill": 1, "hang": 1, "large": 0.3}
"""What ends a process; the last and `exit` come past our own end of it and must lose nothing."""
HEADERS = {"sampled": 84, "Sampled=0": 5, "no Sampled": 3, "Sampled=?": 3, "malformed": 5}
FREEZES = {"": 90, "after the response": 7, "in a flush": 3}


@dataclass(frozen=True, slots=True)
class Step:
    """One invocation: what the collector does meanwhile, what the handler does, and what else happens."""

    mode: Mode
    do: str
    header: str  # as it is called in the account
    trace_header: str
    sampled: TraceHeader | None
    event: bytes
    freeze: str
    hostile: bool


def plan(seed: str, count: int, ends_share: float, modes: Mapping[Mode, int]) -> Iterator[Step]:
    """The steps of one lane; `modes` with their weights, none for the daemon.

    A process ends by itself only while somebody takes its spans.
    """
    draw = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    mode: Mode = "healthy"
    left = 0
    for _ in range(count):
        if not left:
            mode, left = _one(draw, modes) if modes else "healthy", draw.randint(15, 60)
        left -= 1
        healthy = mode == "healthy"
        # Most ends come where nothing waits from before: what they take with them is to be little, and known.
        do = _one(draw, ENDS) if draw.random() < ends_share * (1.6 if healthy else 0.3) else _one(draw, HANDLERS)
        if do in ("exit", "large") and not healthy:
            do = "kill"
        yield _step(draw, mode, do, _one(draw, FREEZES))


def _step(draw: random.Random, mode: Mode, do: str, freeze: str) -> Step:
    header = _one(draw, HEADERS)
    given = TraceHeader(f"674385f0{draw.getrandbits(96):024x}", f"{draw.getrandbits(64) | 1:016x}", True)
    root = str(given).replace(";Sampled=1", "")
    written = {
        "sampled": f"{given};Lineage=1:abcdef12:0",
        "Sampled=0": f"{root};Sampled=0",
        "no Sampled": root,
        "Sampled=?": f"{root};Sampled=?",
        "malformed": draw.choice(MALFORMED[1:]),  # an empty header the Runtime API does not send
    }[header]
    event: dict[str, Any] = {"do": "many" if do == "huge" else do}
    if event["do"] == "many":
        event |= {"spans": 300, "bytes": 3500} if do == "huge" else {"spans": 20, "bytes": 100}
    evil = draw.random() < 0.2
    if evil:
        headers = hostile(draw)
        event |= {"httpMethod": "POST", "resource": "/orders", "requestContext": {}, "headers": headers}
    sampled = given if header == "sampled" else None
    return Step(mode, do, header, written, sampled, json.dumps(event, default=repr).encode(), freeze, evil)


def _one(draw: random.Random, weights: Mapping[Any, Any]) -> Any:
    return draw.choices(list(weights), list(weights.values()))[0]
