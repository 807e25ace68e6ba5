"""What is held against AWS's own code: the protocol, the order of response and extension, and that no span is lost.

The emulator does not freeze, and answers its caller only after the extension has asked for its next event: times say
nothing here. https://github.com/aws/aws-lambda-runtime-interface-emulator
"""

import json
import re
import sys
import time
from collections import Counter
from pathlib import Path

from lab.faults.collector import Collector
from lab.rie.emulator import Emulator, EmulatorAnswer, Proxy
from lab.rie.scene import EmulatorScene, Scenario, complained
from lab.same.case import Case
from lab.same.corpus import CORPUS
from lab.same.difference import answer_of
from lab.same.peer import Peer
from lab.same.run import HANDLERS, Children, Observed, run
from lab.same.tree import names
from lambda_latency.local.sandbox.function import Outcome
from tests.sandbox.state import until

MANY = 30
RESPONSE, EVENT = "/response", "/extension/event/next"
SHARED = (
    "plain.returned", "plain.streamed", "plain.echo", "plain.counting", "errors.raised", "errors.plain",
    "errors.chained", "errors.recursion", "aws.twice", "calls.get", "concurrency.pool", "databases.cursor",
    "own/api.spans", "starts/at_import.handler (seeded)", "logs.many_lines",
)  # fmt: skip


def protocol(scene: EmulatorScene) -> None:
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


def order(scene: EmulatorScene) -> None:
    """The response is out before the spans leave, and the extension asks for its next event after they have arrived."""
    arrived: list[float] = []
    scene.collector.arrived = lambda: arrived.append(time.time())
    with scene.emulator() as emulator:
        for _ in range(3):
            emulator.invoke({"do": "call"})
        scene.wait(6)
        assert emulator.proxy is not None
        responses = asked(emulator.proxy, RESPONSE)
        next_events = asked(emulator.proxy)[1:]  # the first is at the end of init
    scene.report.expect("responses, exports, next events", (len(responses), len(arrived), len(next_events)), (3, 3, 3))
    instants = {"response": responses, "export": arrived, "next event": next_events}
    turns = sorted((instant, kind) for kind in instants for instant in instants[kind])
    scene.report.expect("their order", [kind for _, kind in turns], ["response", "export", "next event"] * 3)
    scene.trees(3)


def same_answers(scene: EmulatorScene) -> None:
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
    scene.wait(14)
    scene.report.facts.append(f"{len(steps)} answers")
    scene.report.expect("SERVER spans", len(scene.servers()), len(steps))


def timeout(scene: EmulatorScene) -> None:
    """A handler that is killed at its deadline leaves its span, marked; the next environment is traced as the first."""
    with scene.emulator(timeout_s=5) as emulator:  # in which the emulator counts the init
        emulator.invoke({"do": "call"})
        late = emulator.invoke({"do": "sleep", "s": 20})
        scene.wait(3)
        emulator.invoke({"do": "call"})
        scene.wait(5)
        scene.report.facts.append(f"the caller got {late.status} {late.body[:60].decode()!r}")
        complained(scene, emulator)
    late_ones = [span for span in scene.servers().values() if any(a.key == "lambda.timeout" for a in span.attributes)]
    scene.report.expect("SERVER spans", len(scene.servers()), 3)
    scene.report.expect("with lambda.timeout", len(late_ones), 1)


def outage(scene: EmulatorScene) -> None:
    """A collector that refuses and comes back gets all that waited."""
    scene.collector.set("refused")
    with scene.emulator(timeout_s=10) as emulator:
        for _ in range(5):
            emulator.invoke({"do": "call"})
        scene.collector.set("healthy")
        limit = time.monotonic() + 40
        calls = 5
        while scene.arrived() < 2 * calls and time.monotonic() < limit:
            emulator.invoke({"do": "call"})
            calls += 1
            time.sleep(0.5)
        scene.wait(2 * calls)
    scene.trees(calls)


def late(scene: EmulatorScene) -> None:
    """An answer shortly before the deadline, while the collector says nothing: the extension is done before it."""
    with scene.emulator(timeout_s=5) as emulator:  # in which the emulator counts the init
        emulator.invoke({"do": "call"})
        for left_ms in (700, 250, 100):
            scene.collector.set("hole")
            answer = emulator.invoke({"do": "late", "left_ms": left_ms})
            scene.collector.set("healthy")
            deadline = json.loads(answer.body).get("deadline_ms", 0) / 1000
            assert emulator.proxy is not None
            until(lambda: asked(emulator.proxy)[-1] > asked(emulator.proxy, RESPONSE)[-1], 5)
            before_ms = (deadline - asked(emulator.proxy)[-1]) * 1000
            scene.report.facts.append(f"{left_ms} ms left: done {before_ms:.0f} ms before")
            scene.report.expect(f"{left_ms} ms left, done in time", before_ms > (50 if left_ms > 150 else 0), True)
        calls = 1
        limit = time.monotonic() + 40
        while len(scene.servers()) < calls + 3 and time.monotonic() < limit:
            emulator.invoke({"do": "call"})
            calls += 1
            time.sleep(0.5)
    scene.report.expect("SERVER spans", len(scene.servers()), calls + 3)


def asked(proxy: Proxy | None, ending: str = EVENT) -> list[float]:
    """The instants of the calls that end so."""
    return [instant for instant, call in proxy.calls if call.endswith(ending)] if proxy is not None else []


def comparable(answer: EmulatorAnswer) -> tuple[int, object]:
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


def our_sandbox(scene: EmulatorScene) -> None:
    """Handlers of the corpus answer as they do in the laptop's sandbox, with the spans that they leave there."""
    cases = [case for case in CORPUS if case.name in SHARED]
    with Children() as processes:
        for case in cases:
            local = run(case, Path(sys.executable), processes, kit=True)
            aws = emulated(case, len(local.spans))
            report = scene.report
            report.expect(f"answers of {case.name}", [*map(answer, aws.outcomes)], [*map(answer, local.outcomes)])
            report.expect(f"spans of {case.name}", names(aws), names(local))
    scene.report.facts.append(f"{len(cases)} handlers")


def emulated(case: Case, spans: int) -> Observed:
    """The case under AWS's emulator, with the kit; waits for so many spans."""
    peer, collector, observed = Peer(), Collector(), Observed()
    addresses = {"_HANDLER": case.handler, "RIE_TASK_ROOT": str(HANDLERS), "AWS_ENDPOINT_URL": peer.url}
    variables = {**addresses, **case.variables}
    try:
        with Emulator(peer.url, collector.url, timeout_s=20, variables=variables) as emulator:
            observed.outcomes = [Outcome(emulator.invoke(event).body) for event in case.events]
            until(lambda: len(collector.spans()) >= spans)
    finally:
        collector.close()
        peer.close()
    observed.spans = collector.spans()
    return observed


def answer(outcome: Outcome) -> str:
    """The payload without what the two never have in common: ids of requests."""
    text = answer_of(outcome).partition(" ")[2]
    return re.sub(r"UUID|0{8}-0{4}-4000-8000-\d{12}", "ID", text)


CLASSIC: dict[str, Scenario] = {
    "protocol": protocol, "order": order, "same answers": same_answers, "our sandbox": our_sandbox,
    "timeout": timeout, "outage": outage, "late answers": late,
}  # fmt: skip
