"""Loads: every request of a rate reaches every tab in time, at a bounded cost of processor and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median
from typing import NamedTuple

from lab.live.command import Command
from lab.live.tabs import Tabs

SETTLE_S = 3.0
LATE_MS, MOST_MB = 500, 120


class Load(NamedTuple):
    """Requests a second, seconds, tabs, and a bound: microseconds of processor a request, or a share of a processor."""

    rate: int
    seconds: int
    tabs: int
    most_us: float | None = None
    most_share: float | None = None


LOADS = (Load(1_000, 12, 1, most_us=120), Load(300, 12, 5), Load(20, 600, 1, most_share=0.01))


def measured(load: Load, times: int) -> list[str]:
    """Print the median of some runs; returns what exceeds its bound."""
    runs = [_run(load) for _ in range(times)]
    sent, seen, lost = (sum(one[name] for one in runs) for name in ("sent", "seen", "lost"))
    p95, us, share, mb, page_us = (
        median(one[name] for one in runs) for name in ("p95", "us", "share", "mb", "page_us")
    )
    told = (
        f"{load.rate:,} requests/s, {load.seconds} s, {load.tabs} tab{'s' * (load.tabs > 1)}, "
        f"{times} run{'s' * (times > 1)}"
    )
    print(
        f"{told}: {seen:,.0f} of {sent:,.0f} rows, lost {lost:.0f}, end to row p95 {p95:.0f} ms, "
        f"{us:.0f} us of processor a request ({100 * share:.1f} % of a processor; page {page_us:.0f} us a row), "
        f"{mb:.0f} MB; load average {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    wrong = [
        (seen != sent, f"every row seen: {seen:,.0f} of {sent:,.0f}"),
        (p95 >= LATE_MS, f"p95 below {LATE_MS} ms: {p95:.0f}"),
        (mb > MOST_MB, f"at most {MOST_MB} MB: {mb:.0f}"),
        (load.most_us is not None and us > load.most_us, f"at most {load.most_us} us a request: {us:.0f}"),
        (load.most_share is not None and share > load.most_share, f"at most 1 % of a processor: {100 * share:.2f} %"),
    ]
    return [f"{told}: {text}" for is_wrong, text in wrong if is_wrong]


def _run(load: Load) -> dict[str, float]:
    with Command() as command, Tabs(command.page, load.tabs) as tabs:
        time.sleep(SETTLE_S)
        before, busy = command.processor_s(), [one["busy_s"] for one in tabs.told()]
        begun = time.monotonic()
        sender = [sys.executable, "-m", "lab.live.sending", command.otlp, str(load.rate), str(load.seconds)]
        taken = int(subprocess.run(sender, capture_output=True, text=True, check=True).stdout)
        spent, took = command.processor_s() - before, time.monotonic() - begun
        time.sleep(SETTLE_S)
        told = tabs.told()
        page_s = sum(one["busy_s"] - was for one, was in zip(told, busy, strict=True))
        return {
            "sent": taken * load.tabs,
            "seen": sum(one["rows"] for one in told),
            "lost": sum(one["lost"] for one in told),
            "p95": max(one["p95"] for one in told),
            "us": spent / taken * 1e6,
            "share": spent / took,
            "page_us": page_s / (taken * load.tabs) * 1e6,
            "mb": command.memory_mb(),
        }
