"""Every span that was started, and what became of it."""

from collections import Counter
from dataclasses import dataclass, field

from lab.faults.scenario import Process, Scenario

KILLED = ("_exit", "kill", "hang")
"""SIGKILL (by itself, or at a deadline) and `os._exit` take what is in memory with them."""
EXITED = ("exit", "large")
"""The end of the interpreter takes the open spans of daemon threads with it."""


@dataclass
class SpanLedger:
    """The sums of some scenarios. `wrong` says what should not be, and names examples."""

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

    def add(self, scenario: Scenario) -> None:
        """Count one scenario."""
        ids = Counter(span.span_id.hex() for span in scenario.spans())
        self.exported += len(ids)
        self.twice += sum(times - 1 for times in ids.values())
        rejected = scenario.collector.rejected - set(ids)
        self.rejected += len(rejected)
        parents: dict[str, str] = {}
        taken: set[str] = set()
        for process in scenario.past:
            self.processes[process.end or "ended by the run"] += 1
            self.started += len(process.life.started)
            parents |= process.life.started
            taken |= self._taken(scenario, process, set(ids) | rejected)
        if unknown := set(ids) - set(parents):
            self.wrong.append(f"{scenario.name}: {len(unknown)} spans were exported that nobody started")
        # A span leaves when it has ended. What is open above it then, such as the call of a connection that was made in
        # a delivery's time, may be open still when its process is killed, or have ended since and wait to be delivered.
        above = {span_id: parents.get(span_id, "-") for span_id in ids}
        lost = [span_id for span_id, parent in above.items() if parent != "-" and parent not in ids]
        orphans = [span_id for span_id in lost if above[span_id] not in taken | rejected]
        self.cut_off += len(lost) - len(orphans)
        self.orphans += len(orphans)
        if orphans:
            self.wrong.append(f"{scenario.name}: {len(orphans)} orphans, such as {orphans[0]}")
        self._roots(scenario)
        self._complaints(scenario)

    def _taken(self, scenario: Scenario, process: Process, exported: set[str]) -> set[str]:
        """What the end of the process took with it. What else did not arrive is lost.

        Delivered is the oldest first, so that a kill takes the latest: the latest to end; and of one delivery that came
        half through, the latest to start.
        """
        life = process.life
        missing = set(life.started) - exported
        taken: set[str] = set()
        if process.end in KILLED:
            finished = missing & set(life.ended)
            started = [span_id for span_id in life.started if span_id in set(life.ended)]
            latest = {*life.ended[len(life.ended) - len(finished) :], *started[len(started) - len(finished) :]}
            taken = missing - (finished - latest)
        elif process.end in EXITED:
            taken = missing - set(life.ended)
        self.in_memory += len(taken)
        if gaps := missing - taken:
            self.lost += len(gaps)
            self.wrong.append(f"{scenario.name}: {len(gaps)} spans of a process ({process.end or 'alive'}) are lost")
        return taken

    def _roots(self, scenario: Scenario) -> None:
        """Each sampled invocation has its trace, below the parent that Lambda named; no other invocation has one."""
        parents = {header.trace_id: header.parent_id for header in scenario.sampled}
        traced = {trace for process in scenario.past for trace in process.life.traces}
        if wrong := scenario.collector.unsigned:
            self.wrong.append(f"{scenario.name}: {len(wrong)} signatures that X-Ray would not take, such as {wrong[0]}")
        if traced != set(parents):
            self.wrong.append(f"{scenario.name}: {len(set(parents) - traced)} sampled invocations have no trace, and "
                              f"{len(traced - set(parents))} traces no invocation")  # fmt: skip
        roots = (span for span in scenario.spans() if span.kind == span.SPAN_KIND_SERVER)
        moved = sum(parents.get(span.trace_id.hex()) != span.parent_span_id.hex() for span in roots)
        if moved:
            self.wrong.append(f"{scenario.name}: {moved} spans of handlers hang on what no invocation said")

    def _complaints(self, scenario: Scenario) -> None:
        """Nothing of ours has failed in a way that only the log knows."""
        said = [line for process in scenario.past for line in process.lines if "lambda-latency:" in line]
        self.lines += len(said)
        bad = [line for line in said if "the request goes on" in line or "not traced" in line or "nothing is" in line]
        if bad:
            self.wrong.append(f"{scenario.name}: {len(bad)} lines such as {bad[0]}")


def leaks_in(scenarios: list[Scenario], secrets: list[str]) -> tuple[list[str], int, int]:
    """Where secrets came through; the bytes of spans and the lines of logs that were searched."""
    findings = []
    size = lines = 0
    for scenario in scenarios:
        for body in scenario.exported():
            size += len(body)
            findings += [f"{scenario.name}: {secret!r} on a span" for secret in secrets if secret.encode() in body]
        for process in scenario.past:
            lines += len(process.lines)
            text = "\n".join(process.lines)
            findings += [f"{scenario.name}: {secret!r} in a log" for secret in secrets if secret in text]
    return findings, size, lines
