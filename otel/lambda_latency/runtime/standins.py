"""Stand-ins for modules that OpenTelemetry's packages import and a traced invocation never uses.

The packages stay as they are; what they import at their top is put off until something of it is really used. A stand-in
is in `sys.modules` only while an import of ours runs. A module that is loaded already is never replaced (but for two,
while one module of OpenTelemetry's is read), a user's own import gets the real module, before and after, and a name
that a stand-in lacks comes from the real module, which is imported then. `LAMBDA_LATENCY_STAND_INS=false` switches all
of them off. tests/runtime/test_standins.py holds each one against its real module. The figures are millions of
instructions of a cold start, Python 3.11, by cachegrind; the X-Ray SDK costs 85.
"""

from __future__ import annotations

import functools
import gc
import re
import sys
import threading
import time
from contextlib import contextmanager, nullcontext
from importlib import import_module
from importlib.machinery import PathFinder
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.conventions import CONVENTIONS, RESOURCE, named
from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["OURS", "read", "standing_in", "uncollected"]

OURS = "lambda-latency"  # what the names of our own threads begin with

SEMCONV = "opentelemetry.semconv."
METADATA = "opentelemetry.util._importlib_metadata"
TRACER_METRICS = "opentelemetry.sdk.trace._tracer_metrics"
HTTPLIB = "opentelemetry.util.http.httplib"


class StandIn(ModuleType):
    """A module with the few names that are used while others are imported; every other name is the real module's."""

    def __init__(self, name: str, **names: object) -> None:
        super().__init__(name)
        self.__file__ = __file__  # what reads the one of wrapt (`deprecated`) wants a path
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system asks every module for
            raise AttributeError(name)
        return getattr(real(self.__name__), name)


def real(name: str) -> ModuleType:
    """The real module, imported now if need be."""
    if isinstance(sys.modules.get(name), StandIn):
        del sys.modules[name]
    return import_module(name)


def read(name: str, *, stand_ins: bool) -> ModuleType:
    """A module that is imported now, with or without stand-ins; where one does not do, once more without."""
    with uncollected():
        if not stand_ins:
            return import_module(name)
        try:
            with standing_in():
                return import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the real modules may do
            failed = error
        module = import_module(name)
        warn(f"{name} is imported with all that it imports ({type(failed).__name__}: {failed}): a cold start takes "
             "longer; please report it")  # fmt: skip
    return module


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is looked for in the block: imports leave none. 20 of the cold start's millions."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def standing_in() -> Iterator[None]:
    """Stand-ins for what is not loaded yet, for as long as the block runs.

    None where another thread of the function's is about: it might import the same modules meanwhile.
    """
    alone = all(
        thread is threading.current_thread() or thread.name.startswith(OURS) for thread in threading.enumerate()
    )
    put: dict[str, ModuleType] = {}
    if alone:
        put = {one.__name__: one for one in stand_ins() if one.__name__ not in sys.modules}
        sys.modules.update(put)
        sys.meta_path.insert(0, reader)
    try:
        yield
    finally:
        if reader in sys.meta_path:
            sys.meta_path.remove(reader)
        for name, module in put.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


class Reader:
    """A finder of the modules of `READ_WITH`: each is read with a stand-in for one that is loaded, in its place."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        """Python's question to a finder: where is this module?"""
        spec = PathFinder.find_spec(name, path, target) if name in READ_WITH else None
        if spec is not None and spec.loader is not None:
            spec.loader_state, spec.loader = spec.loader, self  # type: ignore[assignment]
        return spec

    def create_module(self, spec: Any) -> None:
        """As ever."""

    def exec_module(self, module: Any) -> None:
        """Run it."""
        spec = module.__spec__
        spec.loader = module.__loader__ = spec.loader_state
        others = {name: import_module(name) for name in READ_WITH[module.__name__]}
        for name, names in READ_WITH[module.__name__].items():
            sys.modules[name] = StandIn(name, **{**vars(others[name]), **names})
        try:
            spec.loader.exec_module(module)
        finally:
            sys.modules.update(others)


def pattern(*compiled: Any) -> Any:
    """A regular expression that is compiled when it is first asked."""
    return Late(lambda: re.compile(*compiled))


def filtering(*args: Any, **kwargs: Any) -> None:
    """A filter for the warning of a function that is marked as deprecated, where it is marked."""
    if getattr(sys.modules.get("opentelemetry.sdk.util.instrumentation"), "deprecated", None) is not unmarked:
        import_module("warnings").filterwarnings(*args, **kwargs)


def plain(kind: Any) -> Any:
    """`dataclass`, for one that is made and asked for its fields; only what compares or prints it could tell."""
    names = tuple(kind.__annotations__)

    def take(self: Any, *values: object, **named: object) -> None:
        vars(self).update(zip(names, values, strict=False), **named)

    kind.__init__ = take
    return kind


reader = Reader()
READ_WITH: dict[str, dict[str, dict[str, object]]] = {
    # 3: for the header `tracestate`, which is neither read nor written.
    "opentelemetry.trace.span": {"re": {"compile": pattern, "split": lambda compiled, text: compiled.split(text)}},
    # 1: a filter, for the warning of a function that is not marked. 2: whether a tracer is enabled.
    "opentelemetry.sdk.trace": {"warnings": {"filterwarnings": filtering}, "dataclasses": {"dataclass": plain}},
    # 2: an abstract class of its own, which it asks for each of its other classes.
    "opentelemetry.instrumentation.botocore.extensions.dynamodb": {"abc": {"ABC": object}},
}


@functools.cache
def stand_ins() -> tuple[StandIn, ...]:
    """All of them."""
    version = StandIn("packaging.version")
    dependencies = "opentelemetry.instrumentation.dependencies"
    return (
        # 80, most of it packaging.requirements, and packaging.version: the check of versions, which is skipped.
        StandIn(dependencies, DependencyConflict=Nothing,
                DependencyConflictError=late(dependencies, "DependencyConflictError"),
                get_dependency_conflicts=late(dependencies, "get_dependency_conflicts")),
        StandIn("packaging", version=version),
        version,
        # 46, most of it asyncio: three functions are wrapped. What is not there of it is fetched (`httplib` does).
        StandIn("wrapt", wrap_function_wrapper=wrap, BaseObjectProxy=Wrapped, ObjectProxy=Wrapped),
        # 36: for the attributes of a process, which are not asked for.
        StandIn("psutil"),
        # 18 and 4: instruments and loggers that nobody reads. They are real ones where the user has loaded the API.
        StandIn("opentelemetry.metrics", **dict.fromkeys(METRICS, Nothing),
                get_meter=given("opentelemetry.metrics", "get_meter"),
                get_meter_provider=given("opentelemetry.metrics", "get_meter_provider")),
        StandIn("opentelemetry._logs", Logger=Nothing, get_logger=given("opentelemetry._logs", "get_logger")),
        # 1: a clock.
        StandIn("timeit", default_timer=time.perf_counter),
        # 10: marks functions that warn when they are called. In SDK 1.33, which has `deprecated` for it, one is called,
        # and would fail in a function that makes errors of warnings.
        StandIn("deprecated", deprecated=unmarked),
        StandIn("typing_extensions", deprecated=unmarked, assert_never=late("typing_extensions", "assert_never")),
        # 2 and 1: propagators that are made and never asked: for comments in SQL, and until ours is set.
        *[StandIn(name, **{its: made_late(name, its)}) for name, its in PROPAGATORS.items()],
        # 1: a call's address on its span, told by an instrumentation of `http.client` that only the user puts on.
        StandIn(HTTPLIB, set_ip_on_next_http_connection=given(HTTPLIB, "set_ip_on_next_http_connection", nullcontext)),
        # 1: how many spans a tracer has made, as a metric, where a variable asks for it.
        StandIn(TRACER_METRICS, create_tracer_metrics=tracer_metrics),
        # 1: the packages that are installed are not looked through.
        StandIn(METADATA, entry_points=late(METADATA, "entry_points")),
        # 20: detectors of other platforms, which ask servers by HTTP and TLS.
        *[StandIn(DETECTORS + name, **{its: late(DETECTORS + name, its)}) for name, its in OTHER_PLATFORMS.items()],
        # 39: hundreds of names that nobody asks for, and enumerations of their values.
        *conventions(),
    )  # fmt: skip


PROPAGATORS = {
    "opentelemetry.trace.propagation.tracecontext": "TraceContextTextMapPropagator",
    "opentelemetry.propagators.composite": "CompositePropagator",
}
DETECTORS = "opentelemetry.sdk.extension.aws.resource."
OTHER_PLATFORMS = {
    "beanstalk": "AwsBeanstalkResourceDetector",
    "ec2": "AwsEc2ResourceDetector",
    "ecs": "AwsEcsResourceDetector",
    "eks": "AwsEksResourceDetector",
}
METRICS = ("CallbackOptions", "Counter", "Histogram", "Instrument", "Meter", "MeterProvider", "ObservableGauge",
           "Observation", "UpDownCounter")  # fmt: skip

# Classes and functions of the same modules, and what is asked of them; of most nothing, or only in rare cases.
PARTS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("_incubating.attributes.db_attributes", "DbSystemValues", {"DYNAMODB": SimpleNamespace(value="dynamodb")}),
    ("_incubating.attributes.user_agent_attributes", "UserAgentSyntheticTypeValues", {}),
    ("metrics", "MetricInstruments", {"HTTP_CLIENT_DURATION": "http.client.duration"}),
    ("schemas", "Schemas", {}),
    ("resource", "CloudProviderValues", {"AWS": SimpleNamespace(value="aws")}),
    ("resource", "CloudPlatformValues", {"AWS_LAMBDA": SimpleNamespace(value="aws_lambda")}),
)


def conventions() -> list[StandIn]:
    """The modules of OpenTelemetry's names."""
    modules = {name: named(values) for name, values in CONVENTIONS.items()}
    for module, name, names in (*PARTS, ("resource", "ResourceAttributes", named(RESOURCE))):
        modules.setdefault(module, {})[name] = late(SEMCONV + module, name, names)
    return [StandIn(SEMCONV + module, **names) for module, names in modules.items()]


class Late:
    """A class, an object or a function that is fetched when more of it is asked for than `names`."""

    def __init__(self, fetch: Callable[[], Any], names: Mapping[str, object] = MappingProxyType({})) -> None:
        self.__dict__.update(names)
        self._fetch = fetch

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._fetch(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._fetch()(*args, **kwargs)


def late(module: str, name: str, names: Mapping[str, object] = MappingProxyType({})) -> Any:
    """That of a module, which is imported then."""
    return Late(lambda: getattr(real(module), name), names)


def made_late(module: str, name: str) -> Callable[..., Any]:
    """A class of a module whose instances are made when they are used."""
    return lambda *args: Late(lambda: getattr(real(module), name)(*args))


class Nothing:
    """A meter, an instrument, a logger: every method of it takes everything and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> Nothing:
        return self


def given(module: str, function: str, otherwise: Callable[[], Any] = Nothing) -> Callable[..., Any]:
    """The function of the real module where the user has loaded that, else one that gives nothing."""

    def chosen(*args: Any, **kwargs: Any) -> Any:
        loaded = sys.modules.get(module)
        if loaded is None or isinstance(loaded, StandIn):
            return otherwise()
        return getattr(loaded, function)(*args, **kwargs)

    return chosen


def tracer_metrics(provider: object, enabled: object) -> Any:
    """Real ones where they are wanted."""
    return real(TRACER_METRICS).create_tracer_metrics(provider, enabled) if enabled else Nothing()


def unmarked(*_: object, **__: object) -> Callable[[Any], Any]:
    """`deprecated`, which marks nothing."""
    return lambda function: function


def wrap(target: object, name: str, wrapper: Callable[..., Any]) -> Any:
    """wrapt's `wrap_function_wrapper`, for functions and for methods that are called on an instance."""
    owner = import_module(target) if isinstance(target, str) else target
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original = getattr(owner, last)

    if isinstance(owner, type):

        @functools.wraps(original)
        def wrapped(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            return wrapper(original.__get__(self), self, args, kwargs)

    else:

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return wrapper(original, None, args, kwargs)

    wrapped.wrapped_here = True  # type: ignore[attr-defined]
    setattr(owner, last, wrapped)
    return wrapped


class WrappedHere(type):
    """What `isinstance(function, BaseObjectProxy)` asks before it takes a wrapper off again: ours, or wrapt's own."""

    def __instancecheck__(cls, instance: object) -> bool:
        wrapt = sys.modules.get("wrapt")
        if wrapt is None or isinstance(wrapt, StandIn):
            return hasattr(instance, "wrapped_here")
        theirs = getattr(wrapt, "BaseObjectProxy", wrapt.ObjectProxy)
        return hasattr(instance, "wrapped_here") or isinstance(instance, theirs)


class Wrapped(metaclass=WrappedHere):
    """In the place of wrapt's proxies."""
