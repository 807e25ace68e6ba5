"""Every span that was started, and what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from lab.faults.lane import Lane, Process

KILLED = ("_exit", "kill", "hang")
"""SIGKILL (by itself, or at a deadline) and `os._exit` take what is in memory with them."""
EXITED = ("exit", "large")
"""The end of the interpreter takes the open spans of daemon threads with it."""


@dataclass
class Account:
    """The sums of some lanes. `wrong` says what should not be, and names examples."""

    started: int = 0
    exported: int = 0
    twice: int = 0
    rejected: int = 0
    in_memory: int = 0
    lost: int = 0
    orphans: int = 0
    cut_off: int = 0
    lines: int = 0
    processes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, lane: Lane) -> None:
        """Count one lane."""
        spans = lane.spans()
        ids = Counter(span.span_id.hex() for span in spans)
        self.exported += len(ids)
        self.twice += sum(times - 1 for times in ids.values())
        rejected = lane.collector.rejected - set(ids)
        self.rejected += len(rejected)
        parents: dict[str, str] = {}
        taken: set[str] = set()
        for process in lane.past:
            self.processes[process.end or "ended by the run"] += 1
            self.started += len(process.life.started)
            parents |= process.life.started
            taken |= self._taken(lane, process, set(ids) | rejected)
        if unknown := set(ids) - set(parents):
            self.wrong.append(f"{lane.name}: {len(unknown)} spans were exported that nobody started")
        # A span leaves when it has ended. What is open above it then, such as the call of a connection that was made in
        # a delivery's time, may be open still when its process is killed, or have ended since and wait to be delivered.
        lost = [one for one in ids if parents.get(one, "-") != "-" and parents[one] not in ids]
        orphans = [one for one in lost if parents[one] not in taken | rejected]
        self.cut_off += len(lost) - len(orphans)
        self.orphans += len(orphans)
        if orphans:
            self.wrong.append(f"{lane.name}: {len(orphans)} orphans, such as {orphans[0]}")
        self._roots(lane)
        self._complaints(lane)

    def _taken(self, lane: Lane, process: Process, exported: set[str]) -> set[str]:
        """What the end of the process took with it. What else did not arrive is lost.

        Delivered is the oldest first, so that a kill takes the latest: the latest to end; and of one delivery that came
        half through, the latest to start.
        """
        life = process.life
        missing = set(life.started) - exported
        taken: set[str] = set()
        if process.end in KILLED:
            finished = missing & set(life.ended)
            started = [one for one in life.started if one in set(life.ended)]
            latest = {*life.ended[len(life.ended) - len(finished) :], *started[len(started) - len(finished) :]}
            taken = missing - (finished - latest)
        elif process.end in EXITED:
            taken = missing - set(life.ended)
        self.in_memory += len(taken)
        if gaps := missing - taken:
            self.lost += len(gaps)
            self.wrong.append(f"{lane.name}: {len(gaps)} spans of a process ({process.end or 'alive'}) are lost")
        return taken

    def _roots(self, lane: Lane) -> None:
        """Each sampled invocation has its trace, below the parent that Lambda named; no other invocation has one."""
        asked = {header.trace_id: header.parent_id for header in lane.sampled}
        traced = {trace for process in lane.past for trace in process.life.traces}
        if lane.collector.unsigned:
            wrong = lane.collector.unsigned
            self.wrong.append(f"{lane.name}: {len(wrong)} signatures that X-Ray would not take, such as {wrong[0]}")
        if traced != set(asked):
            self.wrong.append(f"{lane.name}: {len(set(asked) - traced)} sampled invocations have no trace, and "
                              f"{len(traced - set(asked))} traces no invocation")  # fmt: skip
        roots = [span for span in lane.spans() if span.kind == span.SPAN_KIND_SERVER]
        moved = [one for one in roots if asked.get(one.trace_id.hex()) != one.parent_span_id.hex()]
        if moved:
            self.wrong.append(f"{lane.name}: {len(moved)} spans of handlers hang on what no invocation said")

    def _complaints(self, lane: Lane) -> None:
        """Nothing of ours has failed in a way that only the log knows."""
        said = [line for process in lane.past for line in process.lines if "lambda-latency:" in line]
        self.lines += len(said)
        bad = [line for line in said if "the request goes on" in line or "not traced" in line or "nothing is" in line]
        if bad:
            self.wrong.append(f"{lane.name}: {len(bad)} lines such as {bad[0]}")


def planted(lanes: list[Lane], secrets: list[str]) -> tuple[list[str], int, int]:
    """Where secrets came through; the bytes of spans and the lines of logs that were searched."""
    found = []
    size = lines = 0
    for lane in lanes:
        for body in lane.exported():
            size += len(body)
            found += [f"{lane.name}: {secret!r} on a span" for secret in secrets if secret.encode() in body]
        for process in lane.past:
            lines += len(process.lines)
            text = "\n".join(process.lines)
            found += [f"{lane.name}: {secret!r} in a log" for secret in secrets if secret in text]
    return found, size, lines
