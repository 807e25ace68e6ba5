"""Stand-ins for modules that OpenTelemetry's packages import but a traced invocation never uses.

The packages are not changed; the real modules are imported on their first use. A stand-in is in `sys.modules` only
during an import by the runtime. An imported module is never replaced (except two, during the import of one module of
OpenTelemetry). A user's import always gets the real module. A name that a stand-in lacks comes from the real module.
`LAMBDA_LATENCY_STAND_INS=false` switches all stand-ins off. The tests (runtime/coldstart/test_standins.py) compare each
with its real module. Figures are millions of instructions of a cold start that it takes without this one, Python 3.11,
SDK 1.44, by cachegrind without garbage collections; the X-Ray SDK costs 84. None is below 0.7.
"""

from __future__ import annotations

import functools
import gc
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import Any

from lambda_latency.runtime.harmless import warn

SEMCONV = "opentelemetry.semconv."
METADATA = "opentelemetry.util._importlib_metadata"
TRACER_METRICS = "opentelemetry.sdk.trace._tracer_metrics"
HTTPLIB = "opentelemetry.util.http.httplib"
READ = "opentelemetry.", "lambda_latency.runtime."


class StandIn(ModuleType):
    """A module with the few names that other imports use; all other names come from the real module."""

    def __init__(self, name: str, **names: object) -> None:
        super().__init__(name)
        self.__file__ = __file__  # a path: `deprecated` reads that of wrapt
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        # Attributes that the import system reads from every module
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(real(self.__name__), name)


def real(name: str) -> ModuleType:
    """Return the real module; imports it if necessary."""
    if isinstance(sys.modules.get(name), StandIn):
        del sys.modules[name]
    return import_module(name)


def read(name: str, *, stand_ins: bool) -> ModuleType:
    """Import a module with or without stand-ins. If that fails with them, import it again without."""
    with uncollected():
        if not stand_ins:
            return import_module(name)
        try:
            with standing_in():
                return import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever fails, the real modules may work
            failed = error
        module = import_module(name)
        warn(
            f"{name} is imported with all that it imports ({type(failed).__name__}: {failed}): a cold start takes "
            "longer; please report it"
        )
    return module


@contextmanager
def uncollected() -> Iterator[None]:
    """Disable garbage collection in the block: imports leave no garbage. Saves 20 M instructions of a cold start."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def reading() -> Iterator[None]:
    """Let `reader` find modules in the block."""
    sys.meta_path.insert(0, reader)
    try:
        yield
    finally:
        if reader in sys.meta_path:
            sys.meta_path.remove(reader)


@contextmanager
def standing_in() -> Iterator[None]:
    """Put stand-ins for modules that are not imported into `sys.modules` during the block.

    None if another thread of the function runs, because it might import the same modules meanwhile.
    """
    put: dict[str, ModuleType] = {}
    if threading.active_count() == 1:  # the runtime's own threads do not count
        put = {s.__name__: s for s in stand_ins() if s.__name__ not in sys.modules}
        sys.modules.update(put)
    try:
        with reading() if put else nullcontext():
            yield
    finally:
        for name, module in put.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


class ModuleReader:
    """A finder for modules of OpenTelemetry and of the runtime. It loads those in `READ_WITH` with a stand-in each."""

    def find_spec(self, name: str, path: Any, _target: ModuleType | None = None) -> Any:
        """Return a spec, as a finder does; None leaves a module to Python's own."""
        spec = spec_of(name, path) if name.startswith(READ) else None
        if spec is not None and name in READ_WITH:
            spec.loader_state, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: Any) -> None:
        """Python's default."""

    def exec_module(self, module: Any) -> None:
        """Run the module with the stand-in, then restore the real module."""
        spec = module.__spec__
        spec.loader = module.__loader__ = spec.loader_state
        originals = {name: import_module(name) for name in READ_WITH[module.__name__]}
        for name, names in READ_WITH[module.__name__].items():
            sys.modules[name] = StandIn(name, **{**vars(originals[name]), **names})
        try:
            spec.loader.exec_module(module)
        finally:
            sys.modules.update(originals)


def spec_of(name: str, path: Any) -> Any:
    """Return the spec of a module, from the only folder of its package; None if it is not a file of source there.

    6: Python's own search also lists the folder, tries the suffixes of extension modules and joins each path by parts.
    """
    folders = list(path or ())
    if len(folders) != 1 or not folders[0].startswith("/"):
        return None
    folder, tail = folders[0], name.rpartition(".")[2]
    file, inner = f"{folder}/{tail}.py", None
    if not os.path.isfile(file):  # noqa: PTH113 - the import of pathlib would cost more
        folder, tail, inner = f"{folder}/{tail}", "__init__", [f"{folder}/{tail}"]
        file = f"{folder}/__init__.py"
        if not os.path.isfile(file):  # noqa: PTH113
            return None
    spec = ModuleSpec(name, SourceFileLoader(name, file), origin=file)
    spec.has_location, spec.submodule_search_locations = True, inner
    if sys.pycache_prefix is None and not sys.flags.optimize:
        spec.cached = f"{folder}/__pycache__/{tail}.{sys.implementation.cache_tag}.pyc"
    return spec


def pattern(*compiled: Any) -> Any:
    """Return a regular expression that is compiled on its first use."""
    return LazyProxy(lambda: re.compile(*compiled))


def filtering(*args: Any, **kwargs: Any) -> None:
    """Add a filter for the warning of a deprecated function, if the function is marked as deprecated."""
    if getattr(sys.modules.get("opentelemetry.sdk.util.instrumentation"), "deprecated", None) is not unmarked:
        import_module("warnings").filterwarnings(*args, **kwargs)


def plain(kind: Any) -> Any:
    """Replace `dataclass`, without comparison and text: the class takes its fields, by position or by name."""
    names = tuple(kind.__annotations__)

    def take(self: Any, *values: object, **named: object) -> None:
        vars(self).update(zip(names, values, strict=False), **named)

    kind.__init__ = take
    return kind


reader = ModuleReader()
# A context manager in C that does nothing: each call enters one
idle = functools.partial[Any](memoryview, b"")
READ_WITH: dict[str, dict[str, dict[str, object]]] = {
    # 4: patterns for the header `tracestate`, which is neither read nor written.
    "opentelemetry.trace.span": {"re": {"compile": pattern, "split": lambda compiled, text: compiled.split(text)}},
    # 3: a filter for the warning of a function that is not marked here, and a dataclass, whether a tracer is enabled.
    "opentelemetry.sdk.trace": {"warnings": {"filterwarnings": filtering}, "dataclasses": {"dataclass": plain}},
    # An extension is looked up in each call of AWS: five functions in Python without the cache, which is in C.
    "opentelemetry.instrumentation.botocore.extensions": {
        "importlib": {"import_module": functools.cache(import_module)}
    },
    # 2: an abstract class, and `issubclass` of it for each of its subclasses.
    "opentelemetry.instrumentation.botocore.extensions.dynamodb": {"abc": {"ABC": object}},
}


@functools.cache
def stand_ins() -> tuple[StandIn, ...]:
    """Return all stand-ins."""
    version = StandIn("packaging.version")
    dependencies = "opentelemetry.instrumentation.dependencies"
    return (
        # 68, most of it packaging.requirements and packaging.version: for the check of versions, which is skipped.
        StandIn(dependencies, DependencyConflict=Nothing,
                DependencyConflictError=lazy(dependencies, "DependencyConflictError"),
                get_dependency_conflicts=lazy(dependencies, "get_dependency_conflicts")),
        StandIn("packaging", version=version),
        version,
        # 45, most of it asyncio, to wrap three functions. Other names come from the real module, as for `httplib`.
        StandIn("wrapt", wrap_function_wrapper=wrap, BaseObjectProxy=WrapperType, ObjectProxy=WrapperType),
        # 34: for attributes of the process, which are not used.
        StandIn("psutil"),
        # 71 and 4: instruments and loggers that nobody reads. They are real if the user has imported the API.
        StandIn("opentelemetry.metrics", **dict.fromkeys(METRICS, Nothing),
                get_meter=if_loaded("opentelemetry.metrics", "get_meter"),
                get_meter_provider=if_loaded("opentelemetry.metrics", "get_meter_provider")),
        StandIn("opentelemetry._logs", Logger=Nothing, get_logger=if_loaded("opentelemetry._logs", "get_logger")),
        # 1: a clock.
        StandIn("timeit", default_timer=time.perf_counter),
        # 12: marks functions that warn when they are called. SDK 1.33 (with `deprecated`) calls such a function, which
        # would raise if the handler turns warnings into errors.
        StandIn("deprecated", deprecated=unmarked),
        StandIn("typing_extensions", deprecated=unmarked, assert_never=lazy("typing_extensions", "assert_never")),
        # 2 and 1: propagators that are created but not used: for comments in SQL, and before the runtime sets its own.
        *[StandIn(name, **{its: lazy_instance(name, its)}) for name, its in PROPAGATORS.items()],
        # 1: for an instrumentation of `http.client` that only users install; it writes a call's address to its span.
        StandIn(HTTPLIB, set_ip_on_next_http_connection=if_loaded(HTTPLIB, "set_ip_on_next_http_connection", idle)),
        # 5: a metric of the number of spans, which a variable switches on.
        StandIn(TRACER_METRICS, create_tracer_metrics=tracer_metrics),
        # 1: for the search of installed packages, which is skipped.
        StandIn(METADATA, entry_points=lazy(METADATA, "entry_points")),
        # 3: detectors of other platforms, which import HTTP and TLS clients; the handler's libraries do, too.
        *map(detector, OTHER_PLATFORMS),
        # 37: hundreds of unused attribute names, and enumerations of their values.
        *conventions(),
    )  # fmt: skip


PROPAGATORS = {
    "opentelemetry.trace.propagation.tracecontext": "TraceContextTextMapPropagator",
    "opentelemetry.propagators.composite": "CompositePropagator",
}
DETECTORS = "opentelemetry.sdk.extension.aws.resource."
OTHER_PLATFORMS = ("beanstalk", "ec2", "ecs", "eks")
METRICS = ("CallbackOptions", "Counter", "Histogram", "Instrument", "Meter", "MeterProvider", "NoOpHistogram",
           "ObservableGauge", "Observation", "UpDownCounter")  # fmt: skip

# Classes and functions of the same modules, with their names that are used; most are rarely or never used.
PARTS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("_incubating.attributes.db_attributes", "DbSystemValues", {"DYNAMODB": SimpleNamespace(value="dynamodb")}),
    ("_incubating.attributes.user_agent_attributes", "UserAgentSyntheticTypeValues", {}),
    ("metrics", "MetricInstruments", {"HTTP_CLIENT_DURATION": "http.client.duration"}),
    ("schemas", "Schemas", {}),
    ("resource", "CloudProviderValues", {"AWS": SimpleNamespace(value="aws")}),
    ("resource", "CloudPlatformValues", {"AWS_LAMBDA": SimpleNamespace(value="aws_lambda")}),
)


# The attribute names that instrumentations of traced libraries import: HTTP_METHOD is `http.method`, likewise for all.
CONVENTIONS = {
    "attributes.client_attributes": "client.address client.port",
    "attributes.db_attributes": "db.namespace db.operation.name db.query.text db.system.name",
    "attributes.error_attributes": "error.type",
    "attributes.exception_attributes": "exception.escaped exception.message exception.stacktrace exception.type",
    "attributes.http_attributes": "http.request.method http.request.method_original http.response.status_code "
    "http.route",
    "attributes.network_attributes": "network.peer.address network.peer.port network.protocol.version "
    "network.transport",
    "attributes.server_attributes": "server.address server.port",
    "attributes.url_attributes": "url.full url.path url.query url.scheme",
    "attributes.user_agent_attributes": "user_agent.original",
    "_incubating.attributes.aws_attributes": "aws.dynamodb.attribute_definitions aws.dynamodb.attributes_to_get "
    "aws.dynamodb.consistent_read aws.dynamodb.consumed_capacity aws.dynamodb.count aws.dynamodb.exclusive_start_table "
    "aws.dynamodb.global_secondary_index_updates aws.dynamodb.global_secondary_indexes aws.dynamodb.index_name "
    "aws.dynamodb.item_collection_metrics aws.dynamodb.limit aws.dynamodb.local_secondary_indexes "
    "aws.dynamodb.projection aws.dynamodb.provisioned_read_capacity aws.dynamodb.provisioned_write_capacity "
    "aws.dynamodb.scan_forward aws.dynamodb.scanned_count aws.dynamodb.segment aws.dynamodb.select "
    "aws.dynamodb.table_count aws.dynamodb.table_names aws.dynamodb.total_segments",
    "_incubating.attributes.cloud_attributes": "cloud.region",
    "_incubating.attributes.db_attributes": "db.name db.operation db.redis.database_index db.statement db.system "
    "db.user",
    "_incubating.attributes.http_attributes": "http.flavor http.host http.method http.scheme http.server_name "
    "http.status_code http.target http.url http.user_agent",
    "_incubating.attributes.net_attributes": "net.host.name net.host.port net.peer.ip net.peer.name net.peer.port "
    "net.transport",
    "_incubating.attributes.rpc_attributes": "rpc.method rpc.service rpc.system",
    "_incubating.attributes.server_attributes": "server.address server.port",
    "_incubating.attributes.user_agent_attributes": "user_agent.synthetic.type",
    "metrics.http_metrics": "http.client.request.duration",
}

# The names of `opentelemetry.semconv.resource.ResourceAttributes`.
RESOURCE = (
    "cloud.provider cloud.platform cloud.account.id cloud.region cloud.availability_zone container.name container.id "
    "container.image.name container.image.tag deployment.environment faas.name faas.id faas.version faas.instance "
    "faas.max_memory host.name host.arch host.id host.type host.image.name host.image.id host.image.version "
    "k8s.cluster.name k8s.namespace.name k8s.pod.uid k8s.pod.name k8s.container.name k8s.replicaset.uid "
    "k8s.replicaset.name k8s.deployment.uid k8s.deployment.name k8s.statefulset.uid k8s.statefulset.name "
    "k8s.daemonset.uid k8s.daemonset.name k8s.job.uid k8s.job.name k8s.cronjob.uid k8s.cronjob.name os.description "
    "os.type os.version process.pid process.parent_pid process.executable.name process.executable.path "
    "process.command process.command_line process.command_args process.owner process.runtime.name "
    "process.runtime.version process.runtime.description service.name service.namespace service.instance.id "
    "service.version telemetry.sdk.name telemetry.sdk.version telemetry.auto.version telemetry.sdk.language"
)


def named(values: str) -> dict[str, object]:
    """Attribute names by the names of their constants."""
    return dict(zip(values.upper().replace(".", "_").split(), values.split(), strict=True))


def detector(platform: str) -> StandIn:
    """Return a stand-in for the module of a platform's detector, such as `AwsEc2ResourceDetector`."""
    module, name = DETECTORS + platform, f"Aws{platform.capitalize()}ResourceDetector"
    return StandIn(module, **{name: lazy(module, name)})


def conventions() -> list[StandIn]:
    """Stand-ins for the modules of OpenTelemetry's semantic conventions."""
    modules = {name: named(values) for name, values in CONVENTIONS.items()}
    for module, name, names in (*PARTS, ("resource", "ResourceAttributes", named(RESOURCE))):
        modules.setdefault(module, {})[name] = lazy(SEMCONV + module, name, names)
    return [StandIn(SEMCONV + module, **names) for module, names in modules.items()]


class LazyProxy:
    """A proxy of a class, an object or a function. It is fetched on the use of anything beyond `names`."""

    def __init__(self, fetch: Callable[[], Any], names: Mapping[str, object] = MappingProxyType({})) -> None:
        self.__dict__.update(names)
        self._fetch = fetch

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._fetch(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._fetch()(*args, **kwargs)


def lazy(module: str, name: str, names: Mapping[str, object] = MappingProxyType({})) -> Any:
    """Return a proxy of a module's attribute, which imports the module on its use."""
    return LazyProxy(lambda: getattr(real(module), name), names)


def lazy_instance(module: str, name: str) -> Callable[..., Any]:
    """Return a function in place of a module's class. It returns proxies, which create their instance on their use."""
    return lambda *args: LazyProxy(lambda: getattr(real(module), name)(*args))


class Nothing:
    """A meter, an instrument or a logger. Every method accepts all arguments and does nothing."""

    # A method in C: a request calls it, and the client waits
    record: Callable[..., object] = "".format

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> Nothing:
        return self


def if_loaded(module: str, function: str, otherwise: Callable[[], Any] = Nothing) -> Callable[..., Any]:
    """Return a function that calls the real module's if the user has imported that, else `otherwise`."""

    def chosen(*args: Any, **kwargs: Any) -> Any:
        loaded = sys.modules.get(module)
        if loaded is None or isinstance(loaded, StandIn):
            return otherwise()
        return getattr(loaded, function)(*args, **kwargs)

    return chosen


def tracer_metrics(provider: object, enabled: object) -> Any:
    """Return the real metrics of a tracer if they are enabled, else ones that do nothing."""
    return real(TRACER_METRICS).create_tracer_metrics(provider, enabled) if enabled else Nothing()


def unmarked(*_: object, **__: object) -> Callable[[Any], Any]:
    """Replace `deprecated`, without an effect."""
    return lambda function: function


def wrap(target: object, name: str, wrapper: Callable[..., Any]) -> Any:
    """As wrapt's `wrap_function_wrapper`, for functions and for methods that are called on an instance."""
    owner = import_module(target) if isinstance(target, str) else target
    *path, attribute = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original, is_method = getattr(owner, attribute), isinstance(owner, type)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if is_method:
            return wrapper(original.__get__(args[0]), args[0], args[1:], kwargs)
        return wrapper(original, None, args, kwargs)

    wrapped.wrapped_here = wrapper  # type: ignore[attr-defined]
    setattr(owner, attribute, wrapped)
    return wrapped


class WrappedHere(type):
    """Makes `isinstance(function, BaseObjectProxy)` true for wrappers of `wrap` and of wrapt, so both are removed."""

    def __instancecheck__(cls, instance: object) -> bool:
        wrapt = sys.modules.get("wrapt")
        if wrapt is None or isinstance(wrapt, StandIn):
            return hasattr(instance, "wrapped_here")
        proxy = getattr(wrapt, "BaseObjectProxy", wrapt.ObjectProxy)
        return hasattr(instance, "wrapped_here") or isinstance(instance, proxy)


class WrapperType(metaclass=WrappedHere):
    """The stand-in for wrapt's proxy classes."""
