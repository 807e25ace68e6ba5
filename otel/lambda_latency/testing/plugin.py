"""The pytest plugin: fixtures, the diff of a failed comparison, and the guarantees.

Its entry point loads it in every project where the kit is installed: imports are therefore deferred until use.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from lambda_latency.testing.clock import Clock
    from lambda_latency.testing.invoking import Invoke
    from lambda_latency.testing.recording import Recording

FIXTURES = frozenset(("invoke", "trace"))
SECTION = "span tree"
CAPTURE = "lambda_latency.testing.recording"
DIFFS = pytest.StashKey[dict[str, str]]()
"""The text of each failed comparison, by the line in its AssertionError."""


@pytest.fixture
def trace() -> Iterator[Recording]:
    """The recording: `trace()` is the trace of the last invocation, or of all spans that the test has recorded."""
    from lambda_latency.testing.recording import recording

    with recording() as spans:
        yield spans


@pytest.fixture
def invoke(trace: Recording, pytestconfig: pytest.Config) -> Iterator[Invoke]:
    """Invokes a handler, given as logical id, import path, or function: `invoke("CreateOrder", event)`."""
    from lambda_latency.testing.invoking import Invoke

    invoking = Invoke(trace, pytestconfig.rootpath)
    yield invoking
    invoking.stop()


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The fake clock of spans and deadlines, which moves only by `clock.advance(ms=17)`."""
    from lambda_latency.testing.clock import Clock

    clock = Clock()
    clock.start()
    yield clock
    clock.stop()


@pytest.fixture
def api_event() -> Callable[..., dict[str, Any]]:
    """An event of a REST API: `api_event("POST", "/orders", {"sku": "tea"})`."""
    from lambda_latency.testing.events import api_event

    return api_event


@pytest.fixture
def sqs_event() -> Callable[..., dict[str, Any]]:
    """A batch of SQS messages: `sqs_event({"sku": "tea"}, queue="orders")`."""
    from lambda_latency.testing.events import sqs_event

    return sqs_event


@pytest.fixture
def eventbridge_event() -> Callable[..., dict[str, Any]]:
    """An event of an event bus: `eventbridge_event("OrderPlaced", {"sku": "tea"}, source="shop")`."""
    from lambda_latency.testing.events import eventbridge_event

    return eventbridge_event


@pytest.fixture
def dynamodb_event() -> Callable[..., dict[str, Any]]:
    """A batch of a DynamoDB stream: `dynamodb_event((None, {"id": "7"}), table="orders")`."""
    from lambda_latency.testing.events import dynamodb_event

    return dynamodb_event


# Innermost: after plugins that set a span of the test as current.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Runs a test with an empty context: spans outside the test are not parents of spans in it."""
    if not FIXTURES.intersection(pyfuncitem.fixturenames):
        return (yield)
    from opentelemetry.context import Context, attach, detach

    token = attach(Context())
    try:
        return (yield)
    finally:
        detach(token)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fails a passed test that breaks a guarantee."""
    try:
        result = yield
        if CAPTURE in sys.modules:
            from lambda_latency.testing.recording import broken

            message = broken()
            if message is not None:
                pytest.fail(message, pytrace=False)
        return result
    finally:
        if CAPTURE in sys.modules:
            sys.modules[CAPTURE].OF_TEST.clear()


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Returns one line for the assertion, because pytest truncates longer texts; the tree has its own section."""
    if op != "==" or "lambda_latency.testing.expectation" not in sys.modules:
        return None
    from lambda_latency.testing.comparison import compare
    from lambda_latency.testing.drawing import draw, summary
    from lambda_latency.testing.expectation import roots_of
    from lambda_latency.testing.snapshot import forest_of

    recorded, expected = forest_of(left), roots_of(right)
    if recorded is None:
        recorded, expected = forest_of(right), roots_of(left)
    if recorded is None or expected is None:
        return None
    comparison = compare(expected, recorded)
    line = summary(comparison)
    config.stash.setdefault(DIFFS, {})[line] = "\n".join(draw(comparison))
    return [line]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the tree as a section of the failure, which pytest neither truncates nor hides with captured output."""
    texts = item.config.stash.get(DIFFS, {})
    error = call.excinfo.value if call.excinfo is not None else None
    message = str(error) if texts and error is not None else ""
    shown = [line for line in texts if line in message]
    if shown and isinstance(error, AssertionError):
        # The tree replaces the full operands that pytest adds.
        error.args = (message[: message.index(shown[0]) + len(shown[0])],)
    report = yield
    if call.when == "call":
        item.config.stash[DIFFS] = {}
    # Plain text has no sections: the user chose a short traceback.
    add_section = getattr(report.longrepr, "addsection", None)
    if add_section is not None:
        for line in shown:
            add_section(SECTION, texts[line])
    return report
