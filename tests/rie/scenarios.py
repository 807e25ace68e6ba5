"""What is held against AWS's own code: the protocol, the order of response and extension, and that no span is lost.

The emulator does not freeze, and answers its caller only after the extension has asked for its next event: times say
nothing here. https://github.com/aws/aws-lambda-runtime-interface-emulator
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lambda_latency.local.http import Handler, Server
from tests.faults.collector import Collector
from tests.rie.emulator import Answer, Emulator
from tests.rie.proxy import HEADER, PARENT

__all__ = ["CLASSIC", "MANAGED", "Report", "Scenario", "Scene"]

MANY = 30
BUSY = b"Runtime.Unavailable"
RESPONSE, NEXT, EVENT = "/response", "/invocation/next", "/extension/event/next"


@dataclass
class Report:
    """What a scenario saw, and what of it is wrong."""

    facts: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def expect(self, what: str, seen: object, expected: object) -> None:
        """Note a value that is not what it has to be."""
        if seen != expected:
            self.wrong.append(f"{what}: {seen!r} instead of {expected!r}")


class Peer(Handler):
    """Whatever is asked of it: an empty answer."""

    def do_GET(self) -> None:
        self.body()
        self.answer(200, b"{}", {"Content-Type": "application/json"})


@dataclass
class Scene:
    """A peer and a collector for one scenario."""

    report: Report = field(default_factory=Report)
    collector: Collector = field(default_factory=Collector)
    peer: Server = field(default_factory=lambda: Server(Peer))

    def emulator(self, *, wrapped: bool = True, timeout_s: int = 6, managed: int = 0, **extra: str) -> Emulator:
        address = f"http://{self.peer.address}/"
        return Emulator(address, self.collector.url, wrapped=wrapped, timeout_s=timeout_s, managed=managed, **extra)

    def close(self) -> None:
        self.collector.close()
        self.peer.close()

    def wait(self, spans: int, limit_s: float = 10) -> None:
        """Until so many spans have arrived, or a while."""
        limit = time.monotonic() + limit_s
        while len(self.collector.spans()) < spans and time.monotonic() < limit:
            time.sleep(0.02)

    def trees(self, expected: int) -> None:
        """So many SERVER spans below Lambda's segment, each with its call, no orphan, none twice."""
        spans = self.collector.spans()
        by_id = {span.span_id: span for span in spans}
        roots = [span for span in by_id.values() if span.kind == Span.SPAN_KIND_SERVER]
        calls = [span for span in by_id.values() if span.kind == Span.SPAN_KIND_CLIENT]
        report = self.report
        report.facts.append(f"{len(by_id)} spans")
        report.expect("SERVER spans", len(roots), expected)
        report.expect("their parents", {span.parent_span_id.hex() for span in roots}, {PARENT} if roots else set())
        report.expect("calls below them", sum(span.parent_span_id in by_id for span in calls), len(calls))
        report.expect("CLIENT spans", len(calls), expected)
        report.expect("spans sent twice", len(spans) - len(by_id), 0)


Scenario = Callable[[Scene], None]


def protocol(scene: Scene) -> None:
    """The extension registers and is taken for one; every invocation's spans arrive, below Lambda's segment."""
    with scene.emulator() as emulator:
        answers = [emulator.invoke({"do": "call"}) for _ in range(MANY)]
        scene.wait(2 * MANY)
        assert emulator.proxy is not None
        calls = Counter(call.rpartition("/")[2] for _, call in emulator.proxy.calls)
        scene.report.expect("statuses", Counter(answer.status for answer in answers), Counter({200: MANY}))
        scene.report.expect("registrations", calls["register"], 1)
        complained(scene, emulator)
    scene.trees(MANY)


def order(scene: Scene) -> None:
    """The response is out before the spans leave, and the extension asks for its next event after they have arrived."""
    arrived: list[float] = []
    scene.collector.arrived = lambda: arrived.append(time.time())
    with scene.emulator() as emulator:
        for _ in range(3):
            emulator.invoke({"do": "call"})
        scene.wait(6)
        assert emulator.proxy is not None
        calls = list(emulator.proxy.calls)
    responses = [at for at, call in calls if call.endswith(RESPONSE)]
    asked = [at for at, call in calls if call.endswith(EVENT)][1:]  # the first is at the end of init
    scene.report.expect("responses, exports, next events", (len(responses), len(arrived), len(asked)), (3, 3, 3))
    turns = sorted(
        [
            *((at, "response") for at in responses),
            *((at, "export") for at in arrived),
            *((at, "next event") for at in asked),
        ]
    )
    scene.report.expect("their order", [what for _, what in turns], ["response", "export", "next event"] * 3)
    scene.trees(3)


def same_answers(scene: Scene) -> None:
    """Errors, ends of the process, large responses: the caller gets the same as without the kit."""
    steps = ("call", "raise", "call", "deep", "call", "large", "call", "exit", "call")
    answers = {}
    for wrapped in (False, True):
        with scene.emulator(wrapped=wrapped) as emulator:
            answers[wrapped] = [comparable(emulator.invoke({"do": do})) for do in steps]
            scene.wait(1 if wrapped else 0)
            if wrapped:
                complained(scene, emulator)
    for do, bare, kit in zip(steps, answers[False], answers[True], strict=True):
        scene.report.expect(f"answer to {do!r}", kit, bare)
    scene.wait(15)
    roots = [span for span in scene.collector.spans() if span.kind == Span.SPAN_KIND_SERVER]
    scene.report.facts.append(f"{len(steps)} answers")
    scene.report.expect("SERVER spans", len(roots), len(steps))


def timeout(scene: Scene) -> None:
    """A handler that is killed at its deadline leaves its span, marked; the next environment is traced as the first."""
    with scene.emulator(timeout_s=5) as emulator:  # in which the emulator counts the init
        emulator.invoke({"do": "call"})
        late = emulator.invoke({"do": "sleep", "s": 20})
        scene.wait(3)
        emulator.invoke({"do": "call"})
        scene.wait(5)
        scene.report.facts.append(f"the caller got {late.status} {late.body[:60].decode()!r}")
        complained(scene, emulator)
    roots = [span for span in scene.collector.spans() if span.kind == Span.SPAN_KIND_SERVER]
    late_ones = [span for span in roots if any(one.key == "lambda.timeout" for one in span.attributes)]
    scene.report.expect("SERVER spans", len({span.span_id for span in roots}), 3)
    scene.report.expect("with lambda.timeout", len(late_ones), 1)


def outage(scene: Scene) -> None:
    """A collector that refuses and comes back gets all that waited."""
    scene.collector.set("refused")
    with scene.emulator(timeout_s=10) as emulator:
        for _ in range(5):
            emulator.invoke({"do": "call"})
        scene.collector.set("healthy")
        limit = time.monotonic() + 40
        calls = 5
        while len(scene.collector.spans()) < 2 * calls and time.monotonic() < limit:
            emulator.invoke({"do": "call"})
            calls += 1
            time.sleep(0.5)
        scene.wait(2 * calls)
    scene.trees(calls)


def managed_one(scene: Scene) -> None:
    """Managed Instances, one worker: traced, no warning, no span twice under one id."""
    managed(scene, 1)


def managed_two(scene: Scene) -> None:
    """Managed Instances, two workers at once: each call below its own invocation."""
    managed(scene, 2)


def managed(scene: Scene, workers: int) -> None:
    """Each invocation in a trace of its own, as many at once as there are workers."""
    with scene.emulator(managed=workers) as emulator:
        with ThreadPoolExecutor(workers) as pool:
            answers = list(pool.map(lambda number: when_free(emulator, {"do": "call"}, header(number)), range(MANY)))
        scene.wait(2 * MANY, 15)
        pids = Counter(json.loads(answer.body).get("pid") for answer in answers)
        scene.report.facts.append(f"answered by {len(pids)} workers")
        complained(scene, emulator)
    by_trace: dict[str, list[Span]] = {}
    for span in scene.collector.spans():
        by_trace.setdefault(span.trace_id.hex(), []).append(span)
    right = 0
    for number in range(MANY):
        spans = by_trace.get(trace_of(number), [])
        roots = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
        calls = [span for span in spans if span.kind == Span.SPAN_KIND_CLIENT]
        right += len(roots) == len(calls) == 1 and calls[0].parent_span_id == roots[0].span_id
    scene.report.expect("traces that are right", right, MANY)
    ids = Counter(span.span_id for span in scene.collector.spans())
    scene.report.expect("spans sent twice", sum(times - 1 for times in ids.values()), 0)


def managed_slow(scene: Scene) -> None:
    """A collector that takes three seconds holds no worker: two calls are answered within half a second."""
    with scene.emulator(managed=1, timeout_s=10) as emulator:
        when_free(emulator, {"do": "call"}, HEADER)
        scene.collector.set("slow")
        begin = time.monotonic()
        when_free(emulator, {"do": "call"}, HEADER)
        when_free(emulator, {"do": "nothing"}, HEADER)
        held = time.monotonic() - begin
        scene.collector.set("healthy")
        scene.report.facts.append(f"two calls took {held * 1000:.0f} ms")
        scene.report.expect("two calls within half a second", held < 0.5, True)


def managed_overdue(scene: Scene) -> None:
    """A handler that goes on past its deadline, which does not kill there: its span does not arrive twice as ended."""
    with scene.emulator(managed=1, timeout_s=6) as emulator:
        when_free(emulator, {"do": "call"}, HEADER)
        late = when_free(emulator, {"do": "sleep", "s": 8}, HEADER)
        scene.report.facts.append(f"the caller got {late.status}")
        time.sleep(1.5)
        when_free(emulator, {"do": "call"}, HEADER)
        scene.wait(5)
        time.sleep(0.5)
    ids = Counter(span.span_id for span in scene.collector.spans() if not provisional(span))
    scene.report.expect("spans sent twice as ended", [times for times in ids.values() if times > 1], [])


def provisional(span: Span) -> bool:
    return any(one.key == "lambda.provisional" and one.value.bool_value for one in span.attributes)


def when_free(emulator: Emulator, event: dict[str, object], given: str, limit_s: float = 20) -> Answer:
    """The answer once a worker takes it."""
    limit = time.monotonic() + limit_s
    while BUSY in (answer := emulator.invoke(event, given)).body and time.monotonic() < limit:
        time.sleep(0.005)
    return answer


def trace_of(number: int) -> str:
    return f"6564a5b0{number + 1:024x}"


def header(number: int) -> str:
    trace = trace_of(number)
    return f"Root=1-{trace[:8]}-{trace[8:]};Parent={PARENT};Sampled=1"


def comparable(answer: Answer) -> tuple[int, object]:
    """Status and body, without what two runs never have in common."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return answer.status, answer.body.decode(errors="replace").partition("RequestId")[0][:200]
    if isinstance(body, dict):
        for name in (
            "pid",
            "id",
            "requestId",
            "errorMessage" if "RequestId" in str(body.get("errorMessage")) else "pid",
        ):
            body.pop(name, None)
        if isinstance(frames := body.get("stackTrace"), list):
            body["stackTrace"] = [frame for frame in frames if "probe.py" in frame]
    return answer.status, body


def complained(scene: Scene, emulator: Emulator) -> None:
    """The kit has nothing to say where all is well."""
    scene.report.wrong += [line for line in emulator.lines if "lambda-latency:" in line][:3]


CLASSIC: dict[str, Scenario] = {
    "protocol": protocol, "order": order, "same answers": same_answers, "timeout": timeout, "outage": outage,
}  # fmt: skip
MANAGED: dict[str, Scenario] = {
    "one worker": managed_one, "two workers": managed_two, "slow collector": managed_slow, "overdue": managed_overdue,
}  # fmt: skip
