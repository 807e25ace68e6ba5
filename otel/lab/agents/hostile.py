"""Inputs that an answer must survive: wide and deep traces, many requests, and files whose every text is hostile."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.agent.orders import drawn, written

T0 = 1_795_608_000_000_000_000
SECRETS = ("hunter2", "AKIAQRSTUVWXYZ234567", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "s3cr3tPassw0rd")
FORMS = (
    "https://user:hunter2@db.example/x?token=AKIAQRSTUVWXYZ234567", "POST https://admin:s3cr3tPassw0rd@host/orders",
    "Bearer ghp_16C7e42F292c6912E7710c838347Ae178B4a", "password=hunter2", "AKIAQRSTUVWXYZ234567",
    "postgresql://root:hunter2@db/shop", "GET /login?password=s3cr3tPassw0rd", '{"password": "hunter2"}',
)  # fmt: skip
BOOK = 2_000_000


def write_large(folder: Path) -> None:
    """`wide.jsonl` and `deep.jsonl` with 20,000 spans each, `many.jsonl` with 50,000 requests of 400 routes."""
    wide = [_span(1, 1, 0, "POST /orders", T0, T0 + 20_000_000_000, 2)]
    wide += [_span(1, n, 1, f"call {n}", T0 + n * 10**6, T0 + n * 10**6 + 900_000, 3) for n in range(2, 20_001)]
    (folder / "wide.jsonl").write_text(_line(wide))
    deep = [_span(2, n, n - 1, f"level {n}", T0 + n, T0 + 10**10 - n) for n in range(1, 20_001)]
    (folder / "deep.jsonl").write_text(_line(deep))
    with (folder / "many.jsonl").open("w") as file:
        for n in range(50_000):
            start = T0 + n * 10**6
            file.write(_line([_span(10_000 + n, 1, 0, f"GET /r{n % 400}", start, start + (5 + n % 90) * 10**6, 2)]))


def write_hostile(folder: Path, count: int) -> list[Path]:
    """So many files: orders, secrets, invisible letters and names as long as a book, in every field of text."""
    paths = []
    for number in range(count):
        draw = random.Random(number)  # noqa: S311 - repeatable
        names = drawn(400, number)
        for _ in range(60):
            names[draw.randrange(len(names))] = draw.choice(FORMS)
        if number % 10 == 0:
            names[draw.randrange(len(names))] = draw.choice("A\u4e2d\u202e\u200b") * BOOK
        paths.append(folder / f"hostile{number}.jsonl")
        written(paths[-1], names)
    return paths


def _span(trace: int, at: int, parent: int, name: str, start: int, end: int, kind: int = 1) -> dict[str, Any]:
    one = {"traceId": f"{trace:032x}", "spanId": f"{at:016x}", "name": name, "kind": kind,
           "startTimeUnixNano": str(start), "endTimeUnixNano": str(end)}  # fmt: skip
    return one | ({"parentSpanId": f"{parent:016x}"} if parent else {})


def _line(spans: list[dict[str, Any]]) -> str:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}) + "\n"
