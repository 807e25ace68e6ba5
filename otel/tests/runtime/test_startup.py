"""The first invocation carries the init before it: as long as Lambda measures it."""

import json
from collections.abc import Iterator

import pytest

from lab.faults.box import Box
from lab.faults.collector import Collector
from lab.timeouts import EVENT, Site, read
from lambda_latency.trace import Span, Trace

FINE = json.dumps({**EVENT, "do": "nothing"}).encode()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """What the function calls."""
    site = Site()
    yield site
    site.close()


def started(site: Site, **more: str) -> tuple[list[Span], Box]:
    """The spans of the first two invocations of an environment, and the environment."""
    collector = Collector()
    box = site.box(collector, timeout_s=20, **more)
    try:
        for _ in range(2):
            box.invoke(FINE)
            box.settle()
    finally:
        box.close()
        collector.close()
    return read(collector), box


def test_init_is_what_the_sandbox_has_measured(site: Site) -> None:
    """Within 5 ms at both ends; on a busy machine it is enough that one of a few starts was not interrupted."""
    off = []
    for _ in range(8):
        spans, box = started(site)
        [init] = [span for span in spans if span.name == "init"]
        handlers = [span for span in spans if span.name == "GET /items"]
        assert (init.parent_id, init.scope.name) == (handlers[0].span_id, "lambda_latency.runtime")
        assert init.end_ns is not None
        environment = box.environment
        off.append((abs(init.start_ns - environment.started_ns), abs(init.end_ns - environment.ready_ns)))
        if max(off[-1]) < 5_000_000:
            return
    pytest.fail(f"init is off by {[(start / 1e6, end / 1e6) for start, end in off]} ms")


@pytest.mark.parametrize(
    ("type_", "kind"), [("on-demand", "cold"), ("provisioned-concurrency", "provisioned"), ("snap-start", "restored")]
)
def test_it_says_how_the_environment_came_to_be(monkeypatch: pytest.MonkeyPatch, type_: str, kind: str) -> None:
    """Cold, provisioned or restored."""
    from lambda_latency.runtime.startup import Startup

    startup = Startup({"AWS_LAMBDA_INITIALIZATION_TYPE": type_})
    startup.ready()
    assert startup.attributes["lambda.init.type"] == kind


def test_a_trace_with_the_init_counts_it_once(site: Site) -> None:
    """It begins before the handler's span and is a cold start; the second request has none."""
    spans, _ = started(site)
    assert [span.name for span in spans].count("init") == 1
    assert Trace(spans).cold_start
