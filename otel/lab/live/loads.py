"""Loads: every request of a rate reaches every tab in time, at a bounded cost of processor and memory."""

import os
import time
from statistics import median
from typing import NamedTuple

from lab.live.command import Command
from lab.live.sending import sender
from lab.live.tabs import Tabs

SETTLE_S = 3.0
LATE_MS, MOST_MB = 500, 120


class LiveLoad(NamedTuple):
    """Requests a second, seconds, tabs, and a bound: microseconds of processor a request, or a share of a processor."""

    rate: int
    seconds: int
    tabs: int
    most_us: float | None = None
    most_share: float | None = None


LOADS = (LiveLoad(1_000, 12, 1, most_us=120), LiveLoad(300, 12, 5), LiveLoad(20, 600, 1, most_share=0.01))


def measured(load: LiveLoad, times: int) -> list[str]:
    """Print the median of some runs; returns what exceeds its bound."""
    runs = [_run(load) for _ in range(times)]
    sent, rows, lost = (sum(run[name] for run in runs) for name in ("sent", "seen", "lost"))
    p95, us, share, mb, page_us = (
        median(run[name] for run in runs) for name in ("p95", "us", "share", "mb", "page_us")
    )
    title = (
        f"{load.rate:,} requests/s, {load.seconds} s, {load.tabs} tab{'s' * (load.tabs > 1)}, "
        f"{times} run{'s' * (times > 1)}"
    )
    print(
        f"{title}: {rows:,.0f} of {sent:,.0f} rows, lost {lost:.0f}, end to row p95 {p95:.0f} ms, "
        f"{us:.0f} us of processor a request ({100 * share:.1f} % of a processor; page {page_us:.0f} us a row), "
        f"{mb:.0f} MB; load average {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    wrong = [
        (rows != sent, f"every row seen: {rows:,.0f} of {sent:,.0f}"),
        (p95 >= LATE_MS, f"p95 below {LATE_MS} ms: {p95:.0f}"),
        (mb > MOST_MB, f"at most {MOST_MB} MB: {mb:.0f}"),
        (load.most_us is not None and us > load.most_us, f"at most {load.most_us} us a request: {us:.0f}"),
        (load.most_share is not None and share > load.most_share, f"at most 1 % of a processor: {100 * share:.2f} %"),
    ]
    return [f"{title}: {text}" for is_wrong, text in wrong if is_wrong]


def _run(load: LiveLoad) -> dict[str, float]:
    with Command() as command, Tabs(command.page, load.tabs) as tabs:
        time.sleep(SETTLE_S)
        processor_before_s, busy = command.processor_s(), [tab["busy_s"] for tab in tabs.counts()]
        start_s = time.monotonic()
        taken = int(sender(command.otlp, load.rate, load.seconds).communicate()[0])
        spent, took = command.processor_s() - processor_before_s, time.monotonic() - start_s
        time.sleep(SETTLE_S)
        counts = tabs.counts()
        page_s = sum(tab["busy_s"] - was for tab, was in zip(counts, busy, strict=True))
        return {
            "sent": taken * load.tabs,
            "seen": sum(tab["rows"] for tab in counts),
            "lost": sum(tab["lost"] for tab in counts),
            "p95": max(tab["p95"] for tab in counts),
            "us": spent / taken * 1e6,
            "share": spent / took,
            "page_us": page_s / (taken * load.tabs) * 1e6,
            "mb": command.memory_mb(),
        }
