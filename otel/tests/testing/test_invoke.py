"""A handler under the real runtime: who it is told to be, cold and warm, and what is seen of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind, get_tracer

from lambda_latency.testing import CLIENT, ERROR, SERVER, Clock, Invoke, Recording, concurrent, ms, remote, span
from lambda_latency.testing.invoking import Delivered
from tests.sandbox.state import until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

TRACER = get_tracer("tests.testing")
TRACE, SEGMENT = "69559d800123456789abcdef01234567", "0123456789abcdef"
HEADER = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=1"

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 7
    Environment: { Variables: { STAGE: dev, TABLE: !Ref Orders, BOTH: everyone } }
Resources:
  Orders: { Type: AWS::DynamoDB::Table }
  Place:
    Type: AWS::Serverless::Function
    Properties:
      Handler: placing.place
      MemorySize: 256
      Environment: { Variables: { BOTH: own } }
  Elsewhere:
    Type: AWS::Serverless::Function
    Properties: { Handler: !Ref Name }
"""
PLACING = """\
import os

def place(event, context):
    names = ("AWS_LAMBDA_FUNCTION_NAME", "STAGE", "TABLE", "BOTH", "_X_AMZN_TRACE_ID")
    return [{name: os.environ.get(name) for name in names}, context.get_remaining_time_in_millis() // 1000,
            context.memory_limit_in_mb, context.function_name, context.invoked_function_arn]
"""


@pytest.fixture
def project(tmp_path: Path, trace: Recording) -> Invoke:
    """`invoke` in a project with a template."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "placing.py").write_text(PLACING)
    return Invoke(trace, tmp_path)


def nothing(_event: object, _context: object) -> None:
    """A handler."""


def test_a_function_of_the_template_finds_what_stands_there(
    project: Invoke, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own over everyone's; what a test has set itself stays; of what only a deployment knows, nothing."""
    monkeypatch.setenv("STAGE", "test")
    before = dict(os.environ)
    found, seconds, memory, name, arn = project("Place", header=HEADER)
    assert found == {
        "AWS_LAMBDA_FUNCTION_NAME": "Place",
        "STAGE": "test",
        "TABLE": None,
        "BOTH": "own",
        "_X_AMZN_TRACE_ID": HEADER,
    }
    assert (seconds, memory, name) == (7, "256", "Place")
    assert arn.endswith(":function:Place")
    assert dict(os.environ) == before
    project.stop()


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("Placed", "has no function 'Placed'; did you mean 'Place'?"),
        ("Elsewhere", "the Handler of Elsewhere is not plain text; give its import path"),
        ("placing.plac", "placing has no 'plac'; did you mean 'place'?"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(project: Invoke, handler: str, message: str) -> None:
    """Near names, and what to do."""
    with pytest.raises(LookupError) as error:
        project(handler)
    assert message in str(error.value)
    project.stop()


def test_without_a_template_a_name_is_told_what_else_to_give(trace: Recording, tmp_path: Path) -> None:
    """The import path."""
    with pytest.raises(LookupError, match=r"has no template.yaml or template.yml; give the handler's import path"):
        Invoke(trace, tmp_path)("Place")


def test_the_first_invocation_is_cold_and_the_next_is_warm(invoke: Invoke, trace: Recording) -> None:
    """Unless it is said otherwise; each function has an environment of its own."""

    def other(_event: object, _context: object) -> None:
        """Another function."""

    def cold(handler: Callable[[Any, Any], Any], **how: Any) -> object:
        invoke(handler, **how)
        return trace().one(handler.__name__).attributes["faas.coldstart"]

    assert [cold(nothing), cold(nothing), cold(other), cold(nothing)] == [True, False, True, False]
    assert [cold(nothing, cold=True), cold(nothing), cold(other, cold=False)] == [True, False, False]


def test_a_first_invocation_may_be_warm(invoke: Invoke, trace: Recording) -> None:
    """What made it warm is not seen."""
    invoke(nothing, cold=False)
    assert trace() == span("nothing", SERVER, attributes={"faas.coldstart": False})


def test_the_parent_is_lambdas_segment(invoke: Invoke, trace: Recording) -> None:
    """As the header names it; one of new ids, unless given."""
    invoke(nothing, header=HEADER)
    assert trace() == span("nothing", SERVER, parent=remote(TRACE, SEGMENT))
    invoke(nothing)
    assert trace() == span("nothing", SERVER, parent=remote())
    assert trace().one("nothing").trace_id != TRACE


def test_an_unsampled_invocation_records_nothing(invoke: Invoke, trace: Recording) -> None:
    """Nor is anything of it held to be lost."""

    def handler(_event: object, _context: object) -> None:
        TRACER.start_span("call").end()

    invoke(handler, header=HEADER.replace("Sampled=1", "Sampled=0"))
    assert trace() == []


def test_what_a_handler_raises_is_raised_and_recorded(invoke: Invoke, trace: Recording) -> None:
    """The trace is there all the same."""

    def handler(_event: object, _context: object) -> None:
        raise KeyError("sku")

    with pytest.raises(KeyError, match="sku"):
        invoke(handler)
    assert trace() == span("handler", SERVER, status=ERROR, raised=KeyError)


def test_an_event_is_json(invoke: Invoke) -> None:
    """The handler has a copy, and what is no JSON cannot be sent."""
    event = {"items": [1]}

    def handler(given: Any, _context: object) -> Any:
        given["items"].append(2)
        return given

    assert (invoke(handler, event), event) == ({"items": [1, 2]}, {"items": [1]})
    with pytest.raises(TypeError):
        invoke(handler, {"at": object()})


def test_time_passes_as_the_test_says(invoke: Invoke, trace: Recording, clock: Clock) -> None:
    """For spans, for their events, and for the deadline."""

    def handler(_event: object, context: Any) -> int:
        with TRACER.start_as_current_span("call", kind=SpanKind.CLIENT):
            clock.advance(ms=16.5)
        clock.advance(ms=0.5)
        return int(context.get_remaining_time_in_millis())

    assert invoke(handler, timeout_s=2) == 1983
    assert trace() == span("handler", SERVER, took=ms(17))[span("call", CLIENT, took=ms(16.5))]


def test_the_start_gives_the_order_and_not_the_clock(trace: Recording, clock: Clock) -> None:
    """Which stands still here: what ran one after the other is not concurrent, and what overlapped is."""
    with TRACER.start_as_current_span("work"):
        TRACER.start_span("b").end()
        TRACER.start_span("a").end()
        outer, inner = TRACER.start_span("d"), TRACER.start_span("c")
        outer.end()
        inner.end()
    assert trace() == span("work")[span("b"), span("a"), concurrent(span("c"), span("d"))]
    assert trace() != span("work")[span("a"), span("b"), span("d"), span("c")]
    assert trace() != span("work")[concurrent(span("a"), span("b")), ...]


def test_what_leaves_before_a_deadline_is_no_duplicate(
    invoke: Invoke, trace: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open spans are delivered as provisional ones shortly before it, and their final ones replace them."""
    left: list[str] = []
    export = Delivered.export

    def exported(self: Delivered, spans: Sequence[ReadableSpan], /) -> None:
        left.extend(one.name for one in spans if (one.attributes or {}).get("lambda.provisional"))
        export(self, spans)

    monkeypatch.setattr(Delivered, "export", exported)

    def handler(_event: object, _context: object) -> bool:
        with TRACER.start_as_current_span("call"):
            return until(lambda: {"handler", "call"} <= set(left))

    assert invoke(handler, timeout_s=1)
    assert trace() == span("handler", SERVER)[span("call")]
