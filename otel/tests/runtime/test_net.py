"""What another package's release changes reaches no handler: the request goes on, and one line says what is missing."""

import copy
import dataclasses
import importlib
import pickle
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind

from lambda_latency.runtime import bootstrap, recorder
from lambda_latency.runtime.drivers.call import within
from lambda_latency.runtime.harmless import failed
from lambda_latency.runtime.imports import ImportHook
from lambda_latency.runtime.lean import LeanSpan, LeanTracer, is_alike
from lambda_latency.runtime.replace import replaced
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from tests.runtime.conftest import Function
from tests.runtime.lambdas import Sink

Start = Callable[..., Function]


class Library:
    """A class of another package."""

    @classmethod
    def made(cls, name: str) -> tuple[type, str]:
        """A class method."""
        return cls, name


def test_a_name_that_is_gone_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Of a class and of a module; there is nothing to undo."""
    undo = [
        replaced(Library, "gone", lambda original: original),
        within(sys.modules[__name__], "gone", nullcontext),
    ]
    assert [function() for function in undo] == [False, False]
    reason = "so a part of its calls is not traced: this version is not known"
    assert caplog.messages == [
        f"lambda-latency: tests.runtime.test_net.Library has no gone, {reason}",
        f"lambda-latency: tests.runtime.test_net has no gone, {reason}",
    ]


def test_a_class_method_stays_one() -> None:
    """Its wrapper gets the class, and the original returns."""
    undo = replaced(Library, "made", lambda original: lambda kind, name: (*original(kind, name), "wrapped"))
    made: Any = Library.made
    assert made("a") == (Library, "a", "wrapped")
    assert undo()
    assert Library.made("a") == (Library, "a")


def test_a_method_that_is_bound_stays_bound() -> None:
    """As `psycopg.connect`, a name of a module that is a class method of its connections."""
    module = SimpleNamespace(made=Library.made, __name__="library")
    undo = within(module, "made", lambda *_: nullcontext())
    assert module.made("a") == (Library, "a")
    assert (undo(), module.made("b")) == (True, (Library, "b"))


def test_a_callback_that_raises_is_one_line_and_the_import_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """During the import and after it; other callbacks come."""
    (tmp_path / "renamed_library.py").write_text("READY = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    hook, ready = ImportHook(), list[bool]()

    def breaks(_: object) -> None:
        raise KeyError("ssl_wrap_socket")

    hook.install()
    try:
        hook.on_import("renamed_library", breaks)
        hook.on_import("renamed_library", lambda module: ready.append(module.READY))
        importlib.import_module("renamed_library")
        hook.on_import("renamed_library", breaks)
    finally:
        hook.remove()
        del sys.modules["renamed_library"]
    assert ready == [True]
    line = "lambda-latency: tracing renamed_library failed (KeyError: 'ssl_wrap_socket'); the request goes on"
    assert caplog.messages == [line]


def test_an_error_that_each_request_repeats_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """By subject and kind: its text may name a request."""
    for number in range(3):
        failed("a step", ValueError(number))
    failed("a step", KeyError("k"))
    assert caplog.messages == [
        "lambda-latency: a step failed (ValueError: 0); the request goes on",
        "lambda-latency: a step failed (KeyError: 'k'); the request goes on",
    ]


def broken(*_: object, **__: object) -> Any:
    """What another release does not have any more."""
    raise AttributeError("renamed")


INTERNAL = SpanKind.INTERNAL
SPANS = "the SDK makes the spans, and requests take longer: a lean one failed (AttributeError: renamed)"


@pytest.mark.parametrize("name", ["_bounded", "record_exception"])
def test_the_sdk_makes_the_spans_where_a_lean_one_fails(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, start: Start
) -> None:
    """At init, by one span: the requests never see it."""
    monkeypatch.setattr(LeanSpan, name, broken)
    function = start()
    assert caplog.messages == [f"lambda-latency: {SPANS}"]
    function.invoke(lambda _event, _context: function.runtime.provider.get_tracer("t").start_span("own").end())
    function.runtime.after_response()
    assert function.trees() == [("orders-create", "SERVER", "UNSET", {}, [("own", "INTERNAL", "UNSET", {}, [])])]
    assert type(function.runtime.provider.get_tracer("t")) is sdk.Tracer


def one_more(self: Any) -> Any:
    """A method that a release has added."""


def test_a_parameter_that_a_release_has_added_is_seen() -> None:
    """Upstream's instrumentations would use it."""

    class Renamed(sdk.Tracer):
        def start_span(self, name: str, one_more: int = 0) -> Any:  # type: ignore[override]
            """With another parameter."""

    assert [is_alike(LeanTracer, kind) for kind in (sdk.Tracer, Renamed)] == [True, False]


@pytest.mark.parametrize(("kind", "name"), [(sdk.Span, "one_more"), (sdk.Tracer, "one_more")])
def test_the_sdk_makes_the_spans_where_its_classes_have_other_names(
    kind: type, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, start: Start
) -> None:
    """A lean one would lack them."""
    monkeypatch.setattr(kind, name, one_more, raising=False)
    function = start()
    assert type(function.runtime.provider.get_tracer("t")) is sdk.Tracer
    reason = "a lean one failed (TypeError: the SDK's classes have other names)"
    assert caplog.messages == [f"lambda-latency: the SDK makes the spans, and requests take longer: {reason}"]


@pytest.mark.parametrize("name", ["on_start", "on_end"])
def test_nothing_is_traced_where_the_sdks_span_fails_too(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The handler runs; what had been replaced is as before."""
    monkeypatch.setattr(recorder.Recorder, name, broken)
    assert bootstrap.set_up(Settings.read({})) is None
    assert caplog.messages == ["lambda-latency: nothing is traced (AttributeError: renamed)"]


def test_a_start_that_fails_half_way_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The finders and `Thread.start` are Python's again."""
    finders, begin = list(sys.meta_path), vars(importlib.import_module("threading").Thread)["start"]
    monkeypatch.setattr("lambda_latency.runtime.setup.give_trace_ids", broken)
    with pytest.raises(AttributeError, match="renamed"):
        Runtime(Settings.read({}), Sink()).start()
    assert sys.meta_path == finders
    assert vars(importlib.import_module("threading").Thread)["start"] is begin


class Text(str):
    """A text that a lean span leaves to the SDK's classes."""

    __slots__ = ()


def test_what_fails_within_a_call_is_the_sdks(function: Function, caplog: pytest.LogCaptureFixture) -> None:
    """Later spans too; one line says so."""
    tracer: Any = function.runtime.provider.get_tracer("t")
    assert type(tracer) is LeanTracer
    vars(tracer)["bounded"] = broken
    spans: list[Any] = []
    attributes = {"a": Text("x")}
    function.invoke(
        lambda _event, _context: spans.extend(tracer.start_span("s", None, INTERNAL, attributes) for _ in "ab")
    )
    assert [isinstance(span, LeanSpan) for span in spans] == [False, False]
    assert [dict(span.attributes) for span in spans] == [{"a": "x"}] * 2
    assert caplog.messages == [f"lambda-latency: {SPANS}"]


def test_what_the_function_does_wrong_is_what_the_sdk_says(
    function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    """Spans stay lean: it is not their fault."""
    tracer: Any = function.runtime.provider.get_tracer("t")
    with pytest.raises(TypeError, match=r"^mappingproxy\(\) argument must be a mapping, not int$"):
        tracer.start_span("s", attributes=3)
    assert isinstance(tracer.start_span("s"), LeanSpan)
    assert caplog.messages == []


@pytest.mark.parametrize("step", ["header", "start", "end"])
def test_a_step_of_a_call_that_fails_is_one_line(
    step: str, function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The call goes on untraced."""
    if step == "header":
        monkeypatch.setattr("lambda_latency.runtime.propagation.root_of", broken)
    else:
        monkeypatch.setattr("lambda_latency.runtime.recorder." + {"start": "get_ident", "end": "size_of"}[step], broken)
        monkeypatch.setattr("lambda_latency.runtime.recorder.FEW", 0)
    headers: dict[str, str] = {}
    inject = importlib.import_module("opentelemetry.propagate").inject

    def handler(_event: object, _context: object) -> str:
        with function.runtime.provider.get_tracer("t").start_as_current_span("own"):
            inject(headers)
        return "answer"

    assert function.invoke(handler) == "answer"
    subject = {"header": "the tracing header of a call", "start": "the start of a span", "end": "the end of a span"}
    assert caplog.messages == [f"lambda-latency: {subject[step]} failed (AttributeError: renamed); the request goes on"]
    assert bool(headers) == (step != "header")


class Ids(IdGenerator):
    """Ids of the function's own."""

    def generate_span_id(self) -> int:
        """A span's."""
        return 0xABC

    def generate_trace_id(self) -> int:
        """A trace's."""
        return 0xDEF


def test_what_is_set_on_a_tracer_counts(function: Function) -> None:
    """As on the SDK's, and on this tracer alone: `id_generator`, `sampler`, `resource`."""
    tracer: Any = function.runtime.provider.get_tracer("plugin")
    untouched: Any = function.runtime.provider.get_tracer("other")
    tracer.id_generator = Ids()
    tracer.resource = resource = tracer.resource.merge(tracer.resource)
    assert (tracer.id_generator, tracer.resource) == (tracer.sdk_tracer.id_generator, resource)
    spans: list[Any] = []
    function.invoke(lambda _event, _context: spans.extend(t.start_span("s") for t in (tracer, untouched)))
    changed_span, other_span = spans
    assert (changed_span.context.span_id, changed_span.resource) == (0xABC, resource)
    assert other_span.context.span_id != 0xABC
    tracer.sampler = ALWAYS_OFF
    spans.clear()
    function.invoke(lambda _event, _context: spans.append(tracer.start_span("s")))
    assert [span.is_recording() for span in spans] == [False]
    tracer.note = "the function's"
    assert (tracer.note, hasattr(tracer.sdk_tracer, "note")) == ("the function's", False)


@dataclasses.dataclass
class Holder:
    """Holds what a function may hold."""

    held: Any


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "asdict": lambda held: dataclasses.asdict(Holder(held)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["tracer", "span"])
def test_a_copy_is_what_it_is_with_the_sdk(way: str, kind: str, function: Function) -> None:
    """Or the same kind of error."""
    tracers = (function.runtime.provider.get_tracer("t"), sdk.TracerProvider(shutdown_on_exit=False).get_tracer("t"))
    results: list[Any] = []

    def handler(_event: object, _context: object) -> None:
        for tracer in tracers:
            held = tracer if kind == "tracer" else tracer.start_span("s")
            try:
                made = WAYS[way](held)
            except Exception as error:  # noqa: BLE001 - it is compared
                results.append(type(error))
            else:
                results.append((isinstance(made, sdk.Tracer | sdk.Span), getattr(made, "name", "")))

    function.invoke(handler)
    assert results[0] == results[1]


def test_a_version_that_the_tests_have_not_run_has_the_sdks_spans(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    """The same tree."""
    monkeypatch.setattr("lambda_latency.runtime.lean.installed", lambda: ("1.99.0", "0.99b0"))
    function = start()
    assert type(function.runtime.provider.get_tracer("t")) is sdk.Tracer
    function.invoke(lambda _event, _context: function.runtime.provider.get_tracer("t").start_span("own").end())
    function.runtime.after_response()
    assert function.trees() == [("orders-create", "SERVER", "UNSET", {}, [("own", "INTERNAL", "UNSET", {}, [])])]


def test_a_begin_that_fails_is_a_request_without_a_trace(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it is that fails."""
    monkeypatch.setattr(function.runtime.recorder, "open", SimpleNamespace())
    monkeypatch.setattr(function.runtime.recorder, "forget_open", broken)
    assert function.invoke(lambda _event, _context: "answer") == "answer"
    assert caplog.messages == ["lambda-latency: this request is not traced (AttributeError: renamed)"]
