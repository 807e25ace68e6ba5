"""Lines of the log carry the id of their trace."""

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import get_current_span, get_tracer

from lambda_latency.redaction import credentials
from lambda_latency.runtime import harmless
from tests.runtime.conftest import TRACE, Function

LOG = logging.getLogger("orders")
XRAY_ID = f"1-{TRACE[:8]}-{TRACE[8:]}"
TIMELESS = {"timestamp": None, "location": None}


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What Lambda's JSON format makes of the root logger's records."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def lines(stream: StringIO) -> list[dict[str, Any]]:
    """Each line as a value, without its time."""
    return [
        {name: value for name, value in json.loads(line).items() if name not in TIMELESS}
        for line in stream.getvalue().splitlines()
        if line
    ]


def test_a_line_of_an_invocation_carries_its_trace(written: StringIO, start: Callable[..., Function]) -> None:
    """As X-Ray writes it; a line from outside an invocation has none."""
    function = start()
    LOG.warning("before")

    function.invoke(lambda *_: LOG.warning("payments are slow: %s", 7))

    assert lines(written) == [
        {"level": "WARNING", "message": "before", "logger": "orders"},
        {"level": "WARNING", "message": "payments are slow: 7", "logger": "orders", "traceId": XRAY_ID},
    ]


def test_what_the_user_says_of_a_trace_stays(written: StringIO, start: Callable[..., Function]) -> None:
    """An `extra` of the same name is theirs, and no error."""
    start().invoke(lambda *_: LOG.warning("mine", extra={"traceId": "abc"}))

    assert [line["traceId"] for line in lines(written)] == ["abc"]


def test_a_stopped_runtime_leaves_the_log_alone(written: StringIO, start: Callable[..., Function]) -> None:
    """Every handler formats as before."""
    formats = [dict(vars(handler)) for handler in logging.getLogger().handlers]
    function = start()
    assert [dict(vars(handler)) for handler in logging.getLogger().handlers] != formats

    function.runtime.stop()

    assert [dict(vars(handler)) for handler in logging.getLogger().handlers] == formats


class Extras(logging.Formatter):
    """Dumps all that a record has beyond logging's own attributes, as many JSON formatters do."""

    def format(self, record: logging.LogRecord) -> str:
        standard = vars(logging.makeLogRecord({}))
        return json.dumps({name: value for name, value in vars(record).items() if name not in {*standard, "message"}})


@pytest.mark.parametrize(("pattern", "expected"), [(None, {}), ("%(message)s %(traceId)s", {"traceId": XRAY_ID})])
def test_another_formatter_gets_the_id_if_it_names_it(
    start: Callable[..., Function], pattern: str | None, expected: dict[str, str]
) -> None:
    """Its dump of a record's extras has nothing of ours otherwise."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Extras(pattern))
    logging.getLogger().addHandler(handler)
    start().invoke(lambda *_: LOG.warning("slow"))
    logging.getLogger().removeHandler(handler)
    assert json.loads(stream.getvalue()) == expected


def test_no_later_handler_sees_the_id(written: StringIO, start: Callable[..., Function]) -> None:
    """Sentry's reads the record after all others."""
    records: list[logging.LogRecord] = []

    class Later(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    function = start()
    later = Later()
    logging.getLogger().addHandler(later)
    function.invoke(lambda *_: LOG.warning("slow"))
    logging.getLogger().removeHandler(later)
    assert ("traceId" in written.getvalue(), [hasattr(record, "traceId") for record in records]) == (True, [False])


def test_an_attribute_without_a_value_is_left_out_in_silence(written: StringIO, start: Callable[..., Function]) -> None:
    """Without the kit no SDK would warn; other mistakes are told in the words of the SDK, and kept as it keeps them."""
    attributes: Any = {"messaging.kafka.partition": None, "wrong": object(), "right": 1}

    def logged() -> list[str]:
        messages = [line["message"] for line in lines(written)]
        written.truncate(0)
        written.seek(0)
        return messages

    def alone() -> tuple[list[str], set[str]]:
        span: Any = get_tracer("test", tracer_provider=TracerProvider()).start_span("own")
        span.set_attributes(attributes)
        return logged(), set(span.attributes)

    expected = alone()
    function = start()
    function.invoke(lambda *_: get_current_span().set_attributes(attributes))
    during = logged()
    function.runtime.stop()

    assert during == [line for line in expected[0] if "NoneType" not in line] != []
    assert alone() == expected
    [span] = function.spans
    assert set(attributes) & set(span.attributes or {}) == expected[1] >= {"right"}


def test_a_failure_inside_of_an_instrumentation_is_one_line(written: StringIO, start: Callable[..., Function]) -> None:
    """Not a traceback for each call; other lines of the instrumentation stay, and all of them after the stop."""
    function = start()
    invoke = pytest.importorskip("opentelemetry.instrumentation.botocore")._safe_invoke

    def on_success() -> None:
        raise KeyError("usage")

    def handler(*_: object) -> None:
        invoke(on_success)
        invoke(on_success)
        logging.getLogger("opentelemetry.instrumentation.botocore").error("another")

    function.invoke(handler)
    function.runtime.stop()
    invoke(on_success)
    said = "on_success of the instrumentation of botocore failed (KeyError: 'usage'); the request goes on, and a span"
    assert [(line["message"], "stackTrace" in line) for line in lines(written)] == [
        (f"lambda-latency: {said} lacks attributes", False),
        ("another", False),
        ("Error when invoking function 'on_success'", True),
    ]


@harmless.harmless("the step")
def fails(error: Exception) -> None:
    """Raises it."""
    raise error


def test_an_error_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """It says what failed."""
    fails(ValueError("no"))
    assert caplog.messages == ["lambda-latency: the step failed (ValueError: no); the request goes on"]


def test_a_line_that_cannot_be_written_is_left_out(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error's text may raise, a filter of the function's, or redaction under a hook that checks types."""

    class OddError(Exception):
        def __str__(self) -> str:
            raise LookupError("no text")

    fails(OddError())

    def refuse(_: object) -> bool:
        raise LookupError("no line")

    log = logging.getLogger("lambda_latency.runtime")
    with monkeypatch.context() as replaced:
        replaced.setattr(log, "filters", [refuse])
        fails(ValueError("filtered"))
    monkeypatch.setattr(credentials, "clean", refuse)
    fails(ValueError("cleaned"))
    assert caplog.messages == []
