"""Runs one side in a process of its own: an app in the local system, with the calls of a session in several rounds."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import msgspec

from lambda_latency.diff.counts import CallResult, Execution, SideCounts
from lambda_latency.diff.session import SessionCall, matching_routes, named_values, prepared, sample_calls
from lambda_latency.latency import breakdown_of
from lambda_latency.local import Answered, Counts, LocalError, System, SystemOptions, TracingMode, read_app, send_call
from lambda_latency.trace import Span, Trace

ROUNDS = 4  # the first starts functions
QUIET_S = 4.0  # without an event while nothing runs, after a call of the first round that may have caused some
EVENTS_S = 20.0  # at most, until later rounds have caused as many
LIMIT_S = 600.0  # of a call
READS = ("BatchGet", "Describe", "Get", "Head", "List", "Query", "Scan")  # calls that cause no event begin so
CALLEES = ("aws", "database", "external", "messaging", "network", "queue")  # categories of components
SCANNED = "aws.dynamodb.scanned_count"
# Attributes that say how an AWS call asks.
PARAMETERS = ("limit", "index_name", "projection", "select", "consistent_read")
ROOT = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})")


class DiffOptions(NamedTuple):
    """The options of both sides. Without `calls`, the base proposes its example events and its routes that read."""

    calls: list[SessionCall] | None
    parameters: Mapping[str, str]
    authorizers: bool
    instrument: TracingMode


class SideSettings(NamedTuple):
    """The settings of a side. `root` is the folder of own code, `out` that of files; `leads` is true of the base."""

    template: Path
    root: Path
    out: Path
    leads: bool
    options: DiffOptions


def run_side(settings: SideSettings, parent: Connection) -> None:
    """Run a side and send its counts, or its error. Before that it sends the calls that it proposes, and after each
    call the number of all that it sends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process by SIGTERM
    signal.signal(signal.SIGTERM, _terminated)
    try:
        parent.send(_counts(settings, parent))
    except LocalError as error:
        parent.send(LocalError(str(error)))  # others cannot be sent: they are made of other values than their text
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # an exception while Python exits would print a traceback


def _terminated(*_: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def _counts(settings: SideSettings, parent: Connection) -> SideCounts:
    chosen = settings.options
    app = read_app(settings.template, chosen.parameters, authorizers=chosen.authorizers)
    events = Events()
    counts = Counts(settings.out / "counts.jsonl", settings.root)
    counts.file.touch()
    options = SystemOptions(settings.out, sampler=lambda: True, instrument=chosen.instrument, counts=counts)
    with contextlib.closing(System(app, options, answered=events.answered)) as system:
        spans: list[Span] = []
        system.store.watch(spans.extend)
        calls = chosen.calls or _proposed(system, settings, parent)
        _start_functions(system, calls)
        rounds = Rounds(system, events, spans, calls)
        for number in range(ROUNDS):
            rounds.run(number, lambda: parent.send(ROUNDS * len(calls)))
        system.finish()
        executions = [msgspec.json.decode(line, type=Execution) for line in counts.file.read_bytes().splitlines()]
        return rounds.joined(executions)


def _proposed(system: System, settings: SideSettings, parent: Connection) -> list[SessionCall]:
    calls: list[SessionCall] = sample_calls(system) if settings.leads else parent.recv()
    if settings.leads:
        parent.send(calls)
    return calls


def _start_functions(system: System, calls: Sequence[SessionCall]) -> None:
    """Start the functions that the calls name, and those that get events, several at once, so that no event has to wait
    for one. One that fails does so again, when it is called.
    """
    keys = {call.invoke for call in calls}
    keys |= {route.function for call in calls for route in matching_routes(call, system)}
    names = {function.name for key, function in system.app.functions.items() if key in keys}
    with contextlib.suppress(LocalError):
        system.sandbox.prepare(1, names=names.union(*system.stack.readers.values()))


class Events:
    """The events of queues, topics and others that have ended."""

    def __init__(self) -> None:
        self.ended: list[Answered] = []
        self._changed = threading.Condition()

    def answered(self, answered: Answered) -> None:
        if " -> " in answered.route and not answered.route.startswith("invoke -> "):
            with self._changed:
                self.ended.append(answered)
                self._changed.notify_all()

    def wait(self, count: int, limit_s: float) -> bool:
        """Wait until so many have ended; False at the limit."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.ended) >= count, limit_s)


class Rounds:
    """Sends the calls of a session to a running app, round by round."""

    def __init__(self, system: System, events: Events, spans: list[Span], calls: list[SessionCall]) -> None:
        self._system, self._events, self._spans, self._calls = system, events, spans, calls
        self._caused: list[int] = []  # events of the first round, until after each call
        self._results: list[list[CallResult]] = []
        self._ended: list[list[Answered]] = []  # the events of each round
        self._executions: dict[str, list[Execution]] = {}  # by trace, imports by an empty one
        self._logical = {re.split("[:/]", name)[-1]: key for key, (name, _) in system.stack.resources.items()}

    def run(self, number: int, step: Callable[[], None]) -> None:
        """Send all calls once, with a call of `step` after each."""
        names = {"round": f"{number:03d}"}
        results: list[CallResult] = []
        start = len(self._events.ended)
        for call in self._calls:
            result, answer = self._send(call, names)
            results.append(result)
            names |= named_values(call, answer)
            self._system.sandbox.wait_until_idle(LIMIT_S)
            if self._system.stack.readers:
                self._wait_for_events(result, start, len(results))
            step()
        self._results.append(results)
        self._ended.append(self._events.ended[start:])

    def _send(self, call: SessionCall, names: Mapping[str, str]) -> tuple[CallResult, bytes]:
        ready = prepared(call, names, self._system)
        if ready is None:
            return CallResult("no API"), b""
        try:
            answer = send_call(ready, self._system, LIMIT_S)
        except OSError as error:
            return CallResult(repr(error)), b""
        return CallResult(answer.status, len(answer.body), [answer.trace_id]), answer.body

    def _wait_for_events(self, result: CallResult, start: int, position: int) -> None:
        """In the first round wait until nothing more comes, later until as much has come as then."""
        if self._results:
            self._events.wait(start + self._caused[position - 1], EVENTS_S)
        else:
            self._complete(result, lambda *_: True)
            reads = [name for name in result.calls if any(word.startswith(READS) for word in name.split()[1:2])]
            may_cause = not reads or len(reads) < len(result.calls)  # an API may call a queue without a function
            while may_cause and (self._events.wait(len(self._events.ended) + 1, QUIET_S) or self._is_running()):
                pass
            self._caused.append(len(self._events.ended) - start)
        self._system.sandbox.wait_until_idle(LIMIT_S)

    def _is_running(self) -> bool:
        """Return whether a function runs, such as that of an event."""
        return not self._system.sandbox.wait_until_idle(0)

    def joined(self, executions: Sequence[Execution]) -> SideCounts:
        """Return the counts of all rounds: calls with their executions and spans, by trace and function."""
        for execution in executions:
            root = ROOT.search(execution.trace)
            self._executions.setdefault(root[1] + root[2] if root else "", []).append(execution)
        events: dict[str, list[CallResult]] = {}
        for number, ended in enumerate(self._ended):
            self._join_round(number, ended, events)
        app = self._system.app
        return SideCounts(
            self._calls,
            [self._route(call) for call in self._calls],
            self._results,
            events,
            self._executions.get("", []),
            {key: refused.why for key, refused in self._system.refused.items()},
            [route for api in app.apis for route in api.shown()],
        )

    def _join_round(self, number: int, ended: Sequence[Answered], events: dict[str, list[CallResult]]) -> None:
        ran = {(event.trace_id, self._function(event.route)) for event in ended}
        for result in self._results[number]:
            self._complete(result, lambda trace_id, function: (trace_id, function) not in ran)
        for event in ended:
            result = events.setdefault(event.route, [CallResult("no event") for _ in range(ROUNDS)])[number]
            result.status = str(event.status)
            result.trace_ids.append(event.trace_id)
        for route in {event.route for event in ended}:
            name = self._function(route)
            self._complete(events[route][number], lambda _, function, name=name: function == name)  # type: ignore[misc]

    def _function(self, route: str) -> str:
        """Return the name of the function that the events of a kind run."""
        return self._system.app.functions[route.rpartition(" -> ")[2]].name

    def _route(self, call: SessionCall) -> str:
        """Return the name of a call: its route, or the request itself if no route matches."""
        routes = [route.name for route in matching_routes(call, self._system)]
        return f"invoke {call.invoke}" if call.invoke else [*routes, call.request.partition("?")[0]][0]

    def _complete(self, result: CallResult, belongs: Callable[[str, str], bool]) -> None:
        """Add what a call has executed and called: in its traces, the functions that belong to it."""
        calls: Counter[str] = Counter()
        for trace_id in dict.fromkeys(result.trace_ids):
            executions = self._executions.get(trace_id, ())
            result.executions += [execution for execution in executions if belongs(trace_id, execution.function)]
            spans = [span for span in self._spans if span.trace_id == trace_id]
            spans = [span for span in spans if belongs(trace_id, str(span.resource.get("service.name")))]
            calls.update(calls_of(spans))
            result.facts |= facts_of(spans)
        result.calls = {self._with_logical_ids(name): count for name, count in calls.items()}

    def _with_logical_ids(self, name: str) -> str:
        for physical in sorted(self._logical, key=len, reverse=True):
            name = name.replace(physical, self._logical[physical])
        return name


def calls_of(spans: Sequence[Span]) -> Counter[str]:
    """Return the calls in a part of a trace, and their retries, by name."""
    calls: Counter[str] = Counter()
    for component, counts in breakdown_of(Trace(spans)).calls if spans else ():
        if component.category in CALLEES:
            calls[component.name] += counts.calls
            calls[f"{component.name} (retry)"] += counts.retries
    return +calls


def facts_of(spans: Sequence[Span]) -> dict[str, int | str]:
    """Return what DynamoDB scanned, and how its calls asked."""
    facts: dict[str, int | str] = {}
    for span in spans:
        operation, scanned = span.attributes.get("rpc.method"), span.attributes.get(SCANNED)
        if isinstance(scanned, int):
            facts[f"{operation} items scanned"] = int(facts.get(f"{operation} items scanned", 0)) + scanned
        for parameter in PARAMETERS:
            value = span.attributes.get(f"aws.dynamodb.{parameter}")
            if value is not None:
                facts[f"{operation} {parameter}"] = str(value)
    return facts
