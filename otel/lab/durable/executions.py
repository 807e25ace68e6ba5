"""Plays durable executions: their spans as AWS's plugin records them, with the clock of the program.

The real SDK takes the time that its steps take. `lab durable --examples` runs it.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

from lambda_latency.trace import Link, Scope, Span, SpanKind, Status

MS = 1_000_000
BEGIN_NS = 1_790_000_000 * 10**9
SCOPE, KIT = Scope("aws-durable-execution-sdk-python"), Scope("lambda_latency.runtime")
CHECKPOINT_MS = 6.0  # after an operation
REPLAY_MS = 0.4  # for each operation that was done
RESUME_MS = 40.0  # of the service, before an invocation


class Step(NamedTuple):
    """A step with the time of each attempt, of which all but the last fail. `backoff_s`: before another attempt."""

    name: str
    attempts_ms: Sequence[float]
    backoff_s: float = 2.0


class Pause(NamedTuple):
    """A timer, or with the type `CALLBACK` a callback, whose `submitter` runs after the callback was created."""

    name: str
    seconds: float
    type: Literal["WAIT", "CALLBACK"] = "WAIT"
    submitter: Step | None = None


class Group(NamedTuple):
    """A child context with operations, or several that run at the same time.

    `is_flat`: each branch is a context beside its operations.
    """

    name: str
    branches: Sequence[Sequence["Operation"]]
    is_flat: bool = False


class Invoke(NamedTuple):
    """An execution of another function, which this one waits for."""

    name: str
    function: str
    operations: Sequence["Operation"]


Operation: TypeAlias = Step | Pause | Group | Invoke


@dataclass(frozen=True, slots=True)
class Form:
    """The way in which executions are recorded.

    `by_invocation`: by the plugin's class whose operations are below invocations. `of_kit`: with the kit's handler
    span. `on_lambda`: with the segments of X-Ray. `traces`: with a trace for each invocation.
    """

    by_invocation: bool = False
    of_kit: bool = False
    on_lambda: bool = False
    traces: bool = False


@dataclass(slots=True)
class Player:
    """Plays one execution. `code_ms`: of the handler before its first operation, again in each invocation."""

    form: Form
    function: str
    draw: random.Random
    code_ms: float = 4.0
    cold_ms: float = 0.0
    now_ns: int = BEGIN_NS
    header: tuple[str, str] | None = None  # trace and span id of the operation that started the execution
    spans: list[Span] = field(default_factory=list)
    arn: str = ""
    trace_id: str = ""
    _workflow_id: str = ""
    _done: int = 0
    _open: list[Span] = field(default_factory=list)
    _invocations: int = 0
    _invocation: Span | None = None
    _handler: Span | None = None
    _invocation_id: str = ""
    _begin_ns: int = 0

    def play(self, operations: Sequence[Operation]) -> int:
        """Play the execution; returns the instant of its end."""
        unique = self.draw.getrandbits(64)
        self.arn = f"arn:aws:lambda:us-east-1:123456789012:function:{self.function}:1/durable-execution/{unique:016x}/1"
        self._begin_ns, first_id = self.now_ns, self._hex(96)
        self.trace_id = self.header[0] if self.header else f"{self.now_ns // 10**9:08x}{first_id}"
        self._workflow_id = self._id("workflow")
        self._invoke()
        for operation in operations:
            self._run(operation, None)
        self._pass(2.0)
        self._suspend("SUCCEEDED")
        parent_id = self.header[1] if self.header else self._id("anchor")
        workflow = self._span("Workflow", self._begin_ns, parent_id, {"durable.execution.status": "SUCCEEDED"})
        self.spans.append(replace(workflow, span_id=self._workflow_id, end_ns=self.now_ns, status=Status.OK))
        return self.now_ns

    def _run(self, operation: Operation, parent: Span | None) -> None:
        self._pass(0.5)
        if isinstance(operation, Step):
            self._step(operation, parent)
        elif isinstance(operation, Pause):
            self._wait(operation, parent)
        elif isinstance(operation, Group):
            self._context(operation, parent)
        else:
            self._call(operation, parent)
        self._done += 1

    def _step(self, step: Step, parent: Span | None) -> None:
        span = self._begin(step.name, "STEP", "Step", parent)
        for number, ms in enumerate(step.attempts_ms, 1):
            if number > 1:
                self._between(step.backoff_s)
                span = self._again(span, parent, continued=False)
            attributes = {**span.attributes, "durable.attempt.number": number}
            attributes = {key: value for key, value in attributes.items() if key != "durable.operation.status"}
            attempt = self._span(f"{step.name} attempt {number}", self.now_ns, span.span_id, attributes)
            self._pass(ms)
            is_last = number == len(step.attempts_ms)
            outcome = {"durable.attempt.outcome": "SUCCEEDED" if is_last else "FAILED"}
            status = Status.OK if is_last else Status.ERROR
            ended = replace(attempt, end_ns=self.now_ns, status=status, attributes={**attributes, **outcome})
            self.spans.append(ended)
            self._pass(CHECKPOINT_MS)
        self._end(span)

    def _wait(self, wait: Pause, parent: Span | None) -> None:
        span = self._begin(wait.name, wait.type, wait.type.title(), parent)
        if wait.submitter is not None:
            self._step(wait.submitter, parent)
        due_ns = self._between(wait.seconds)
        self._end(self._again(span, parent, continued=True), due_ns)

    def _context(self, context: Group, parent: Span | None) -> None:
        span = self._begin(context.name, "CONTEXT", "RunInChildContext", parent)
        begin_ns, ends_ns = self.now_ns, [self.now_ns]
        for number, branch in enumerate(context.branches, 1):
            self.now_ns = begin_ns
            flat = [f"{context.name} {number}"] * context.is_flat
            branches = [self._begin(name, "CONTEXT", "ParallelBranch", span) for name in flat]
            for operation in branch:
                self._run(operation, self._current(span))
            for branch_span in branches:
                self._pass(CHECKPOINT_MS)
                self._end(self._current(branch_span))
            ends_ns.append(self.now_ns)
        self.now_ns = max(ends_ns)
        self._pass(CHECKPOINT_MS)
        self._end(self._current(span))

    def _call(self, invoke: Invoke, parent: Span | None) -> None:
        span = self._begin(invoke.name, "CHAINED_INVOKE", "ChainedInvoke", parent)
        child = Player(replace(self.form, traces=False), invoke.function, self.draw, now_ns=self.now_ns)
        child.header = (span.trace_id, span.span_id)
        ended_ns = child.play(invoke.operations)
        self.spans += child.spans
        due_ns = self._between((ended_ns - self.now_ns) / 10**9)
        self._end(self._again(span, parent, continued=True), due_ns)

    def _between(self, seconds: float) -> int:
        """Suspend and resume with the next invocation; returns the instant at which the wait was over."""
        self._pass(1.0)
        self._suspend("PENDING")
        self.now_ns += round(seconds * 10**9)
        due_ns = self.now_ns
        self._invoke()
        return due_ns

    def _invoke(self) -> None:
        """Begin an invocation, and run what was done over again."""
        form = self.form
        self._pass(RESUME_MS)
        if form.traces and self._invocations:
            self.trace_id = f"{self.now_ns // 10**9:08x}{self._hex(96)}"
        self._invocations += 1
        is_first = {"durable.invocation.first": self._invocations == 1}
        self._invocation_id = self._around()
        self._invocation = self._span("Invocation", self.now_ns, self._invocation_id, is_first)
        self._pass(self.code_ms + REPLAY_MS * self._done)

    def _around(self) -> str:
        """Begin what records an invocation besides the plugin; returns the id of the inner span."""
        form = self.form
        if not (form.on_lambda or form.of_kit or self.header):
            root = self._span("DurableExecutionRoot", self._begin_ns, "", {"durable.execution.synthetic_root": True})
            self.spans.append(replace(root, span_id=self._id("anchor"), end_ns=self._begin_ns))
            return self._id("anchor")
        outer_id = self.header[1] if self.header else ""
        if form.on_lambda:
            outer_id = self._platform(outer_id)
        return self._of_kit(outer_id) if form.of_kit else outer_id

    def _of_kit(self, parent_id: str) -> str:
        """Begin the kit's span of the handler, with the start of the environment for the first one if it is cold."""
        is_cold = bool(self.cold_ms) and self._invocations == 1 and not self.form.on_lambda
        begin_ns = self.now_ns
        self.now_ns += round(self.cold_ms * MS) * is_cold
        is_first = {"durable.invocation.first": self._invocations == 1}
        handler = self._span(self.function, self.now_ns, parent_id, is_first, SpanKind.SERVER)
        self._handler = replace(handler, scope=KIT)
        if is_cold:
            init = self._span("init", begin_ns, handler.span_id, {"lambda.init.type": "on-demand"})
            self.spans.append(replace(init, end_ns=self.now_ns, scope=KIT))
        return handler.span_id

    def _platform(self, parent_id: str) -> str:
        """Begin the segments of Lambda, with the start of an environment for the first one if it is cold."""
        service = self._span(self.function, self.now_ns, parent_id, {"aws.xray.origin": "AWS::Lambda"}, SpanKind.SERVER)
        self._pass(3.0)
        begin_ns = self.now_ns
        is_cold = bool(self.cold_ms) and self._invocations == 1
        self.now_ns += round(self.cold_ms * MS) * is_cold
        origin = {"aws.xray.origin": "AWS::Lambda::Function"}
        function = self._span(self.function, self.now_ns, service.span_id, origin, SpanKind.SERVER)
        if is_cold:
            init = self._span("Initialization", begin_ns, function.span_id, {})
            self.spans.append(replace(init, end_ns=self.now_ns))
        self._open += [service, function]
        return function.span_id

    def _suspend(self, status: str) -> None:
        """End an invocation with what is open in it."""
        invocation = self._invocation
        assert invocation is not None
        if self.form.by_invocation:
            opened = [span for span in self._open if "durable.operation.type" in span.attributes]
            self.spans += [replace(span, end_ns=self.now_ns) for span in opened]
        attributes = {**invocation.attributes, "durable.invocation.status": status}
        self.spans.append(replace(invocation, end_ns=self.now_ns, attributes=attributes, status=Status.OK))
        if self._handler is not None:
            self._pass(0.5)
            attributes = {**self._handler.attributes, "durable.invocation.status": status}
            self.spans.append(replace(self._handler, end_ns=self.now_ns, attributes=attributes))
        self._end_segments()

    def _end_segments(self) -> None:
        segments = [span for span in self._open if "aws.xray.origin" in span.attributes]
        for segment in reversed(segments):
            self._pass(1.0)
            self.spans.append(replace(segment, end_ns=self.now_ns))
        self._open = [span for span in self._open if span not in segments]

    def _begin(self, name: str, kind: str, subtype: str, parent: Span | None) -> Span:
        """Begin an operation."""
        attributes = {
            "durable.operation.id": self._id(f"{name} {self._done}"),
            "durable.operation.type": kind,
            "durable.operation.subtype": subtype,
            "durable.operation.status": "STARTED",
            "durable.operation.name": name,
        }
        assert self._invocation is not None
        below = self._invocation.span_id if self.form.by_invocation else self._workflow_id
        span = self._span(name, self.now_ns, parent.span_id if parent else below, attributes)
        span = replace(span, span_id=self._id(f"{name} {self._done}"), links=self._links())
        self._open.append(span)
        return span

    def _again(self, span: Span, parent: Span | None, *, continued: bool) -> Span:
        """The span of an operation in a later invocation, which is another one by invocation.

        `continued`: it ends when the invocation comes to it.
        """
        if not self.form.by_invocation:
            return span
        assert self._invocation is not None
        below = self._current(parent).span_id if parent else self._invocation.span_id
        segment = self._span(span.name, self.now_ns, below, dict(span.attributes))
        segment = replace(segment, links=(Link(self.trace_id, span.span_id), *self._links()))
        self._open = [segment if opened.name == span.name else opened for opened in self._open]
        if continued:
            self._pass(0.01)
        return segment

    def _current(self, span: Span) -> Span:
        """The open span of a context; by invocation each has its own."""
        current = next(opened for opened in self._open if opened.name == span.name)
        if self.form.by_invocation and self._invocation is not None and current.start_ns < self._invocation.start_ns:
            return self._again(current, None, continued=False)
        return current

    def _end(self, span: Span, end_ns: int | None = None) -> None:
        end_ns = self.now_ns if end_ns is None or self.form.by_invocation else end_ns
        attributes = {**span.attributes, "durable.operation.status": "SUCCEEDED"}
        self.spans.append(replace(span, end_ns=end_ns, attributes=attributes, status=Status.OK))
        self._open = [opened for opened in self._open if opened.span_id != span.span_id]

    def _span(
        self, name: str, start_ns: int, parent_id: str, attributes: Mapping[str, object],
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:  # fmt: skip
        is_of_platform = "aws.xray.origin" in attributes or name == "Initialization"
        named = {} if is_of_platform else {"durable.execution.arn": self.arn}
        resource = {"service.name": self.function, "faas.name": self.function}
        return Span(trace_id=self.trace_id, span_id=self._hex(64), parent_id=parent_id or None, name=name, kind=kind,
                    start_ns=start_ns, attributes={**named, **attributes}, resource=resource, scope=SCOPE)  # fmt: skip

    def _links(self) -> list[Link]:
        assert self._invocation is not None
        linked = self._workflow_id if self.form.by_invocation else self._invocation.span_id
        return [Link(self.trace_id, linked)]

    def _pass(self, ms: float) -> None:
        """Let a time pass that varies by some percent."""
        self.now_ns += round(ms * self.draw.lognormvariate(0, 0.12) * MS)

    def _id(self, text: str) -> str:
        return hashlib.sha256(f"{self.arn} {text}".encode()).hexdigest()[:16]

    def _hex(self, bits: int) -> str:
        return f"{self.draw.getrandbits(bits) or 1:0{bits // 4}x}"


def by_trace(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield the spans of each trace."""
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    yield from traces.values()
