"""Compares the counts of two sides: what changed in each request, each event and each cold start, and where.

A round is compared with the same round of the other side, because data grow. Where the rounds of a side differ, only
what a second run of both sides repeats is compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Literal, NamedTuple, TypeAlias

from lambda_latency.diff.counts import CallResult, Lines, SideCounts, work_of
from lambda_latency.diff.lines import NOWHERE, ChangedLines, ChangedPlace

# What is reported. How an answer arrives changes 22 bytecodes of urllib3 and http.client.
NOTICED, FEWEST = 0.001, 50
BYTES = 64  # ids and dates have different lengths

Kind = Literal["calls", "facts", "work", "bytes", "cold"]
Sides: TypeAlias = "tuple[SideCounts, SideCounts]"  # base and head


@dataclass(frozen=True)
class CountChange:
    """What changed in a request, the events of a kind, or the cold start of a function: its `subject`.

    `name` is that of a call or a fact; `base` and `head` are calls, bytecodes, bytes, or values of a fact. `package` is
    the library that executes most of what is more, and `modules` are those that a cold start imports more or no more.
    """

    subject: str
    kind: Kind
    name: str
    base: int | str
    head: int | str
    place: ChangedPlace = NOWHERE
    package: str = ""
    modules: tuple[str, ...] = ()

    @property
    def gain(self) -> int:
        """How much more it is; 0 for texts."""
        return self.head - self.base if isinstance(self.head, int) and isinstance(self.base, int) else 0

    @property
    def percent(self) -> float:
        """How much more it is, in percent of the base; 100 of what the base did not have."""
        return 100 * self.gain / (int(self.base or 0) or self.gain) if self.gain else 0

    @property
    def is_noticed(self) -> bool:
        return abs(self.gain) > FEWEST and abs(self.percent) > 100 * NOTICED


@dataclass
class CountsDifference:
    """What changed, the requests that are the same, and what was not compared, with the reasons.

    `new` and `gone` are the routes of one side alone. `unsteady` are those of `not_compared` whose rounds differ, and
    for `unreached` no function ran. `unanswered` are the requests whose answers are errors, or others than recorded;
    `packages` have changed versions.
    """

    changes: list[CountChange] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    not_compared: dict[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    not_called: list[str] = field(default_factory=list)
    unsteady: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    unanswered: dict[str, str] = field(default_factory=dict)
    packages: dict[str, tuple[str, str]] = field(default_factory=dict)


class Compared(NamedTuple):
    """The results of a call, or of the events of a kind, in all rounds of both sides."""

    subject: str
    base: Sequence[CallResult]
    head: Sequence[CallResult]

    @property
    def warm(self) -> list[tuple[CallResult, CallResult]]:
        return list(zip(self.base[1:], self.head[1:], strict=True))

    @property
    def least(self) -> float:
        return max(FEWEST, NOTICED * self.base[-1].bytecodes)

    def is_unsteady(self) -> bool:
        """Return whether the rounds of a side differ, and the sides differ, too."""
        sides = [[result.bytecodes for result in results[1:]] for results in (self.base, self.head)]
        varies = any(max(counts) - min(counts) > self.least for counts in sides)
        return varies and any(abs(head - base) > self.least for base, head in zip(*sides, strict=True))

    def is_repeated_by(self, second: Compared | None) -> bool:
        """Return whether a second run of both sides has executed the same, round by round."""
        if second is None:
            return False
        pairs = zip((*self.base[1:], *self.head[1:]), (*second.base[1:], *second.head[1:]), strict=True)
        return all(abs(result.bytecodes - repeated.bytecodes) <= self.least for result, repeated in pairs)


def compare(base: SideCounts, head: SideCounts, lines: ChangedLines, second: Sides | None = None) -> CountsDifference:
    """Compare two sides. `second` is a second run of both, which decides where rounds differ."""
    result = CountsDifference(
        new=sorted({*head.declared} - {*base.declared}),
        gone=sorted({*base.declared} - {*head.declared}),
        not_called=sorted({*head.declared} & {*base.declared} - {*head.routes}),
        unanswered=dict(_unanswered(head)),
        packages=_changed_packages(base, head),
    )
    refused = {key: f"it does not run in the base: {why}" for key, why in base.refused.items()}
    refused |= {key: f"it does not run here: {why}" for key, why in head.refused.items()}
    result.not_compared |= {key: " ".join(why.split()) for key, why in refused.items()}
    repeated = {compared.subject: compared for compared in _compared(*second)} if second is not None else {}
    one_sided = {*result.new, *result.gone}
    for compared in _compared(base, head):
        if compared.subject.partition(" #")[0] not in one_sided:
            _add(result, compared, lines, repeated.get(compared.subject))
    for change in _cold_changes(base, head, lines):
        if isinstance(change, CountChange):
            result.changes.append(change)
        else:
            result.not_compared |= change
    return result


def _add(result: CountsDifference, compared: Compared, lines: ChangedLines, second: Compared | None) -> None:
    """Add the changes of a call."""
    subject = compared.subject
    why = _not_comparable(compared)
    if why:
        result.not_compared[subject] = why
        return
    if not compared.head[-1].executions:
        result.unreached.append(f"{subject} ({compared.head[-1].status})")
        return
    work = _work_change(compared, lines)
    changes = [*_call_changes(compared, work.place), *_fact_changes(compared, work.place), *_byte_changes(compared)]
    if compared.is_unsteady() and not compared.is_repeated_by(second):
        result.unsteady.append(subject)
        result.not_compared[subject] = (
            "two runs of one version do not execute the same, as with random waits or threads"
        )
    elif work.is_noticed:
        changes.append(work)
    result.changes += changes
    if not changes and subject not in result.not_compared:
        result.unchanged.append(subject)


def subjects(side: SideCounts) -> list[str]:
    """Return the names of the calls: their routes, from the second of a route on with a number."""
    counts: Counter[str] = Counter()
    names = []
    for route in side.routes:
        counts[route] += 1
        names.append(route if counts[route] == 1 else f"{route} #{counts[route]}")
    return names


def _compared(base: SideCounts, head: SideCounts) -> Iterator[Compared]:
    """Yield the calls that both sides have sent, then the events of both."""
    for index, subject in enumerate(subjects(head)):
        yield Compared(subject, *([results[index] for results in side.rounds] for side in (base, head)))
    absent = [CallResult("no event")] * len(base.rounds)
    for kind in dict.fromkeys((*base.events, *head.events)):
        yield Compared(kind, base.events.get(kind, absent), head.events.get(kind, absent))


def _not_comparable(compared: Compared) -> str:
    """Return why a call cannot be compared; empty if it can."""
    for base, head in zip(compared.base, compared.head, strict=True):
        if base.status != head.status:
            return f"it answers {head.status} instead of {base.status}"
        if len(base.executions) != len(head.executions):
            return f"{len(head.executions)} functions ran instead of {len(base.executions)}"
    pythons = [{execution.python for execution in results[-1].executions} for results in compared[1:]]
    if pythons[0] != pythons[1]:
        return f"it runs on Python {min(pythons[1])} instead of {min(pythons[0])}, which executes other bytecodes"
    return ""


def _call_changes(compared: Compared, place: ChangedPlace) -> Iterator[CountChange]:
    """Yield the calls that are more, or fewer, in each warm round."""
    for name in sorted({name for pair in compared.warm for result in pair for name in result.calls}):
        counts = [(base.calls.get(name, 0), head.calls.get(name, 0)) for base, head in compared.warm]
        if all(base < head for base, head in counts) or all(base > head for base, head in counts):
            yield CountChange(compared.subject, "calls", name, *counts[-1], place)


def _fact_changes(compared: Compared, place: ChangedPlace) -> Iterator[CountChange]:
    for name in sorted({name for pair in compared.warm for result in pair for name in result.facts}):
        values = [(base.facts.get(name, ""), head.facts.get(name, "")) for base, head in compared.warm]
        if all(base != head for base, head in values):
            yield CountChange(compared.subject, "facts", name, *values[-1], place)


def _byte_changes(compared: Compared) -> Iterator[CountChange]:
    sizes = [(base.bytes, head.bytes) for base, head in compared.warm]
    if all(head > base + BYTES for base, head in sizes) or all(head < base - BYTES for base, head in sizes):
        yield CountChange(compared.subject, "bytes", "", *sizes[-1])


def _work_change(compared: Compared, lines: ChangedLines) -> CountChange:
    """Return the change of what a warm request executes: the median of the rounds."""
    base, head = compared.warm[-1]
    gain = median_low(head.bytecodes - base.bytecodes for base, head in compared.warm)
    place = lines.place(base.work, head.work)
    package = _package(_packages(base), _packages(head))
    return CountChange(compared.subject, "work", "", base.bytecodes, base.bytecodes + gain, place, package)


def _packages(result: CallResult) -> Counter[str]:
    total: Counter[str] = Counter()
    for execution in result.executions:
        total.update(execution.packages)
    return total


def _package(base: Counter[str], head: Counter[str]) -> str:
    """Return the library that executes most of what is more, or less; empty if it is own code."""
    sign = 1 if head.total() >= base.total() else -1
    return max({**base, **head}, key=lambda name: sign * (head[name] - base[name]), default="")


class ColdStart(NamedTuple):
    """A cold start: the import of the handler, and what only the first requests of its environment execute."""

    python: str
    modules: list[str]
    work: Counter[Lines]
    packages: Counter[str]


def _cold_changes(base: SideCounts, head: SideCounts, lines: ChangedLines) -> Iterator[CountChange | dict[str, str]]:
    """Yield the changed cold starts, and the reason of those that cannot be compared."""
    steady = _steady(base) & _steady(head)
    base_starts, head_starts = _cold_starts(base, steady), _cold_starts(head, steady)
    for function in sorted(base_starts.keys() & head_starts.keys()):
        old, new = base_starts[function], head_starts[function]
        subject = f"cold start of {function}"
        if old.python != new.python:
            yield {subject: f"it runs on Python {new.python} instead of {old.python}"}
            continue
        larger, smaller = (new, old) if new.work.total() > old.work.total() else (old, new)
        modules = tuple(name for name in larger.modules if name not in set(smaller.modules))
        place, package = lines.place(old.work, new.work), _package(old.packages, new.packages)
        totals = old.work.total(), new.work.total()
        change = CountChange(subject, "cold", "", *totals, place, package, modules)
        if change.is_noticed:
            yield change


def _steady(side: SideCounts) -> set[int]:
    """Return the calls whose warm rounds execute the same, and of which no round runs on several threads: of others
    nobody knows what is done once. Threads that need the same at once may each do it.
    """
    steady = set()
    for index, (first, *warm) in enumerate(zip(*side.rounds, strict=True)):
        counts = [result.bytecodes for result in warm]
        is_alone = all(execution.threads == 1 for result in (first, *warm) for execution in result.executions)
        if is_alone and max(counts) - min(counts) <= FEWEST:
            steady.add(index)
    return steady


def _cold_starts(side: SideCounts, steady: set[int]) -> dict[str, ColdStart]:
    """Return the cold starts by function. What is done once belongs to an environment, whichever call does it."""
    starts: dict[str, ColdStart] = {}
    for execution in side.imports:  # a later one of a function is that of another environment
        cold = ColdStart(execution.python, list(execution.modules), work_of([execution]), Counter(execution.packages))
        starts.setdefault(execution.function, cold)
    for index in steady:
        for execution, warm in zip(
            *(results[index].executions for results in (side.rounds[0], side.rounds[-1])), strict=False
        ):
            if execution.function == warm.function in starts:
                start = starts[warm.function]
                start.work.update(work_of([execution]))
                start.work.subtract(work_of([warm]))
                start.packages.update(execution.packages)
                start.packages.subtract(warm.packages)
                start.modules.extend(execution.modules)
    return starts


def _changed_packages(base: SideCounts, head: SideCounts) -> dict[str, tuple[str, str]]:
    """Return the packages whose versions differ, with both; an empty version: it is not installed."""
    old, new = ({name: v for e in side.imports for name, v in e.installed.items()} for side in (base, head))
    names = sorted(old.keys() | new.keys())
    return {name: (old.get(name, ""), new.get(name, "")) for name in names if old.get(name) != new.get(name)}


def _unanswered(side: SideCounts) -> Iterator[tuple[str, str]]:
    for call, subject, result in zip(side.session, subjects(side), side.rounds[-1], strict=True):
        if call.status and call.status != result.status:
            yield subject, f"{result.status} instead of the recorded {call.status}"
        elif not call.status and result.status[:1] in "45":
            yield subject, result.status
