"""Nezha's public data set: minutes of traces with a fault injected into a service, and of a baseline without one."""

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.judging.copies import git, text_of
from lab.systems.recording import CLIENT, INTERNAL, SERVER, Recording

# The minute without a fault of each day. Copies without large files lack that of 2022-08-22: the next day's serves.
BASELINES = {
    "2022-08-22": "construct_data/2022-08-23/trace/17_00_trace.csv",
    "2022-08-23": "construct_data/2022-08-23/trace/17_00_trace.csv",
    "2023-01-29": "construct_data/2023-01-29/trace/08_50_trace.csv",
    "2023-01-30": "construct_data/2023-01-30/trace/11_39_trace.csv",
}
LATENCY = ("cpu_contention", "cpu_consumed", "network_delay")  # the others change what code returns
MINUTES = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a day: the service that it was injected into, and the minutes that show it."""

    day: str
    time: str
    service: str
    kind: str
    minutes: tuple[str, ...]

    @property
    def slows(self) -> bool:
        """Whether it takes time, rather than change what code returns."""
        return self.kind in LATENCY

    @property
    def half(self) -> str:
        """Its half of the faults: rules are chosen on `dev`, `held` is judged with the final ones."""
        return ("dev", "held")[hashlib.sha256((self.day + self.time).encode()).digest()[0] & 1]


@dataclass(frozen=True, slots=True)
class Nezha:
    """A copy of the data set: a checkout, or a git directory without one."""

    folder: Path

    def faults(self) -> list[Fault]:
        """All faults of which the copy has traces."""
        injected = []
        for day in BASELINES:
            listed: dict[str, list[dict[str, str]]] = json.loads(
                text_of(self.folder, f"rca_data/{day}/{day}-fault_list.json")
            )
            available = self._names(f"rca_data/{day}/trace")
            for injection in (injection for hour in listed.values() for injection in hour):
                minutes = _minutes(day, injection["inject_time"], available)
                if minutes:
                    service = _service(injection["inject_pod"])
                    injected.append(Fault(day, injection["inject_time"], service, injection["inject_type"], minutes))
        return injected

    def write(self, minutes: Sequence[str], path: Path) -> str:
        """Write the traces of some minutes as OTLP/JSON; returns the service that receives most requests first."""
        rows = [row for minute in minutes for row in csv.DictReader(io.StringIO(text_of(self.folder, minute)))]
        recording, roots = _recorded(rows)
        recording.write(path)
        return max(set(roots), key=roots.count)

    def _names(self, folder: str) -> frozenset[str]:
        if (self.folder / "rca_data").is_dir():
            return frozenset(f"{folder}/{path.name}" for path in (self.folder / folder).iterdir())
        names = git(self.folder, "ls-tree", "--name-only", "HEAD", f"{folder}/").split()
        said = "\n".join(f"HEAD:{name}" for name in names)
        objects = git(self.folder, "cat-file", "--batch-check", said=said).splitlines()
        return frozenset(name for name, line in zip(names, objects, strict=True) if not line.endswith(" missing"))


def _minutes(day: str, time: str, available: frozenset[str]) -> tuple[str, ...]:
    """The minutes after the injection of which there are traces; its own minute if there is no later one."""
    injected = dt.datetime.strptime(time, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the data set names no zone
    names = [
        f"rca_data/{day}/trace/{injected + dt.timedelta(minutes=minute):%H_%M}_trace.csv" for minute in range(MINUTES)
    ]
    later = tuple(name for name in names[1:] if name in available)
    return later or tuple(name for name in names[:1] if name in available)


def _service(pod: str) -> str:
    """`cart-service` of the pod `cart-service-579f59597d-wc2lz`."""
    return pod.rsplit("-", 2)[0]


def _recorded(rows: Sequence[dict[str, Any]]) -> tuple[Recording, list[str]]:
    """The spans, and the services of root spans. The data has no span kinds: they follow from the services."""
    by_id = {row["SpanID"]: row for row in rows}
    services = {span_id: _service(row["PodName"]) for span_id, row in by_id.items()}
    calls = set(_calls(by_id, services))
    recording, roots = Recording(), []
    for row in rows:
        span_id, parent_id = row["SpanID"], row["ParentID"]
        service = services[span_id]
        if parent_id == "root":
            parent_id = ""
            roots.append(service)
        entered = services.get(parent_id) != service
        kind = SERVER if entered else CLIENT if span_id in calls else INTERNAL
        ns = int(row["StartTimeUnixNano"]), int(row["EndTimeUnixNano"])
        recording.add(service, row["OperationName"], kind, (row["TraceID"], span_id, parent_id), ns)
    return recording, roots


def _calls(by_id: dict[str, dict[str, Any]], services: dict[str, str]) -> Iterator[str]:
    """The ids of the spans below which another service answers."""
    for span_id, row in by_id.items():
        above = row["ParentID"]
        if above in services and services[above] != services[span_id]:
            yield above
