"""Stand-ins for modules that OpenTelemetry's packages import and a traced invocation never uses.

The packages stay as they are; what they import at their top is put off until something of it is really used. A stand-in
is in `sys.modules` only while an import of ours runs. A module that is loaded already is never replaced, a user's own
import gets the real module, before and after, and a name that a stand-in lacks comes from the real module, which is
imported then. `LAMBDA_LATENCY_STAND_INS=false` switches all of them off. tests/runtime/test_standins.py holds each
one against its real module. The figures are millions of instructions of a cold start, Python 3.11, by cachegrind; the
X-Ray SDK costs 85.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["OURS", "standing_in"]

OURS = "lambda-latency"  # what the names of our own threads begin with


class StandIn(ModuleType):
    """A module with the few names that are used while others are imported; every other name is the real module's."""

    def __init__(self, name: str, **names: object) -> None:
        super().__init__(name)
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


@contextmanager
def standing_in(*, wanted: bool = True) -> Iterator[None]:
    """Stand-ins for what is not loaded yet, for as long as the block runs.

    None where another thread of the function's is about: it might import the same modules meanwhile.
    """
    alone = all(
        thread is threading.current_thread() or thread.name.startswith(OURS) for thread in threading.enumerate()
    )
    put: dict[str, ModuleType] = {}
    if wanted and alone:
        put = {one.__name__: one for one in stand_ins() if one.__name__ not in sys.modules}
        sys.modules.update(put)
        constants.enter()
    try:
        yield
    finally:
        constants.leave()
        for name, module in put.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


class Constants:
    """Modules of OpenTelemetry's names, read with an `Enum` that only holds values: 27, for 300 members of no use here.

    They are ours alone, and nobody else finds them later.
    """

    def __init__(self) -> None:
        self._kept: dict[str, ModuleType] = {}
        self._loader: Any = None

    def enter(self) -> None:
        """From here on."""
        for name, module in self._kept.items():
            sys.modules.setdefault(name, module)
        sys.meta_path.insert(0, self)

    def leave(self) -> None:
        """Until here."""
        if self not in sys.meta_path:
            return
        sys.meta_path.remove(self)
        for name, module in self._kept.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
                parent, _, own = name.rpartition(".")
                if parent in sys.modules:
                    vars(sys.modules[parent]).pop(own, None)

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        """Python's question to a finder: where is this module?"""
        if not name.startswith("opentelemetry.semconv."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader_state = spec.loader
            spec.loader = self  # type: ignore[assignment]
        return spec

    def create_module(self, spec: Any) -> None:
        """As ever."""

    def exec_module(self, module: Any) -> None:
        """Run it, with another `enum`."""
        spec = module.__spec__
        spec.loader = module.__loader__ = spec.loader_state
        self._kept[module.__name__] = module
        enum = sys.modules["enum"]
        sys.modules["enum"] = StandIn("enum", Enum=Values)
        try:
            spec.loader.exec_module(module)
        finally:
            sys.modules["enum"] = enum


class Member:
    """A member of such an enumeration."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: object) -> None:
        self.name = name
        self.value = value


class Holding(type):
    """Makes members of the values in a class's body."""

    def __new__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any]) -> Holding:
        members = {
            key: Member(key, value)
            for key, value in names.items()
            if bases and isinstance(value, str | int) and not key.startswith("_")
        }
        return super().__new__(cls, name, (), {**names, **members})


class Values(metaclass=Holding):
    """In the place of `Enum`."""


constants = Constants()


@functools.cache
def stand_ins() -> tuple[StandIn, ...]:
    """All of them."""
    version = StandIn("packaging.version")
    dependencies = "opentelemetry.instrumentation.dependencies"
    return (
        # 80, most of it packaging.requirements, and packaging.version: the check of versions, which is skipped.
        StandIn(dependencies, DependencyConflict=Nothing, **late(dependencies, "get_dependency_conflicts"),
                **late(dependencies, "DependencyConflictError")),
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
        # 10: marks functions that warn when they are called; none of them is.
        StandIn("typing_extensions", deprecated=unmarked),
    )  # fmt: skip


METRICS = ("CallbackOptions", "Counter", "Histogram", "Instrument", "Meter", "MeterProvider", "ObservableGauge",
           "Observation", "UpDownCounter")  # fmt: skip


class Nothing:
    """A meter, an instrument, a logger: every method of it takes everything and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> Nothing:
        return self


def given(module: str, function: str) -> Callable[..., Any]:
    """The function of the real module where the user has loaded that, else one that gives nothing."""

    def chosen(*args: Any, **kwargs: Any) -> Any:
        loaded = sys.modules.get(module)
        if loaded is None or isinstance(loaded, StandIn):
            return Nothing()
        return getattr(loaded, function)(*args, **kwargs)

    return chosen


def late(module: str, name: str) -> dict[str, Callable[..., Any]]:
    """The function of the real module, which is imported when it is called."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(real(module), name)(*args, **kwargs)

    return {name: call}


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
