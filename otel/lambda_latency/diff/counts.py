"""What a side has counted, as its process sends it and the cache keeps it."""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias

import msgspec

from lambda_latency.diff.session import SessionCall

Lines: TypeAlias = "tuple[tuple[str, int], ...]"  # of own code on a stack, the outermost first: file and number


class Execution(msgspec.Struct):
    """The import of a function's handler, or an invocation, as the sandbox's counting.py describes it."""

    function: str
    python: str
    work: list[tuple[Lines, int]]
    packages: dict[str, int]
    modules: list[str]
    sent: int
    received: int
    threads: int = 1
    trace: str = ""
    installed: dict[str, str] = {}


class CallResult(msgspec.Struct):
    """A call of the session in a round, or the events of a kind that a round caused.

    `calls` are those to AWS and to other services, `facts` what is known about them (items scanned, a limit); `size` is
    that of the answer in bytes.
    """

    status: str = ""
    size: int = 0
    trace_ids: list[str] = []
    executions: list[Execution] = []
    calls: dict[str, int] = {}
    facts: dict[str, int | str] = {}

    @property
    def work(self) -> Counter[Lines]:
        return work_of(self.executions)

    @property
    def bytecodes(self) -> int:
        return sum(sum(execution.packages.values()) for execution in self.executions)

    @property
    def bytes(self) -> int:
        """What was sent and received by calls, and answered."""
        return self.size + sum(execution.sent + execution.received for execution in self.executions)


class SideCounts(msgspec.Struct):
    """The counts of a side. `rounds` has a result for each call of the session; the first starts functions.

    `routes` are the names of the calls, `events` the results of events for each round, by `SQS -> Function`; `refused`
    are functions that did not run, with the reason, and `declared` the routes of the template.
    """

    session: list[SessionCall]
    routes: list[str]
    rounds: list[list[CallResult]]
    events: dict[str, list[CallResult]]
    imports: list[Execution]
    refused: dict[str, str]
    declared: list[str]


def work_of(executions: list[Execution]) -> Counter[Lines]:
    """Return the bytecodes of some executions by lines of own code."""
    total: Counter[Lines] = Counter()
    for execution in executions:
        for lines, count in execution.work:
            total[lines] += count
    return total
