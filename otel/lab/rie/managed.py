"""Managed Instances mode: one process a worker, never frozen, no INVOKE event for extensions."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.rie.emulator import HEADER, PARENT, Emulator, EmulatorAnswer
from lab.rie.scene import EmulatorScene, Scenario, complained
from tests.sandbox.state import until

MANY = 30
BUSY = b"Runtime.Unavailable"


def managed_one(scene: EmulatorScene) -> None:
    """Managed Instances, one worker: traced, no warning, no span twice under one id."""
    managed(scene, 1)


def managed_two(scene: EmulatorScene) -> None:
    """Managed Instances, two workers at once: each call below its own invocation."""
    managed(scene, 2)


def managed(scene: EmulatorScene, workers: int) -> None:
    """Each invocation in a trace of its own, as many at once as there are workers."""
    with scene.emulator(managed=workers) as emulator:
        with ThreadPoolExecutor(workers) as pool:
            answers = list(pool.map(lambda number: when_free(emulator, {"do": "call"}, header(number)), range(MANY)))
        until(lambda: right(scene) == MANY, 15)
        pids = Counter(json.loads(answer.body).get("pid") for answer in answers)
        scene.report.facts.append(f"answered by {len(pids)} workers")
        complained(scene, emulator)
    scene.report.expect("traces that are right", right(scene), MANY)
    ids = Counter(span.span_id for span in scene.collector.spans())
    scene.report.expect("spans sent twice", sum(times - 1 for times in ids.values()), 0)


def right(scene: EmulatorScene) -> int:
    """How many traces have arrived whole: one SERVER span, and the call below it."""
    by_trace: dict[str, list[Span]] = {}
    for span in scene.collector.spans():
        by_trace.setdefault(span.trace_id.hex(), []).append(span)
    count = 0
    for number in range(MANY):
        spans = by_trace.get(trace_of(number), [])
        roots = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
        calls = [span for span in spans if span.kind == Span.SPAN_KIND_CLIENT]
        count += len(roots) == len(calls) == 1 and calls[0].parent_span_id == roots[0].span_id
    return count


def managed_slow(scene: EmulatorScene) -> None:
    """A collector that takes three seconds holds no worker: two calls take half a second at most. Nothing is lost."""
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
        invocations, limit = 3, time.monotonic() + 40
        while len(scene.servers()) < invocations and time.monotonic() < limit:
            when_free(emulator, {"do": "nothing"}, HEADER)
            invocations += 1
            until(partial(scene.has_servers, invocations), 1)
    scene.report.expect("SERVER spans", len(scene.servers()), invocations)


def managed_overdue(scene: EmulatorScene) -> None:
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
    return any(attribute.key == "lambda.provisional" and attribute.value.bool_value for attribute in span.attributes)


def when_free(emulator: Emulator, event: dict[str, object], header: str, limit_s: float = 20) -> EmulatorAnswer:
    """The answer once a worker takes it."""
    limit = time.monotonic() + limit_s
    while BUSY in (answer := emulator.invoke(event, header)).body and time.monotonic() < limit:
        time.sleep(0.005)
    return answer


def trace_of(number: int) -> str:
    return f"6564a5b0{number + 1:024x}"


def header(number: int) -> str:
    trace = trace_of(number)
    return f"Root=1-{trace[:8]}-{trace[8:]};Parent={PARENT};Sampled=1"


MANAGED: dict[str, Scenario] = {
    "one worker": managed_one, "two workers": managed_two, "slow collector": managed_slow, "overdue": managed_overdue,
}  # fmt: skip
