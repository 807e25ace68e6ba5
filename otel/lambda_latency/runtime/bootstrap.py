"""The handler that the wrapper gives to Lambda: it sets up tracing, then runs the function's handler inside a span.

The file is called bootstrap.py because the runtime client (`awslambdaric.bootstrap`) removes frames of `/bootstrap.py`
from the top of every stack that it reports, so users see the same stack with and without the kit. For the same reason
the handler is loaded by `__getattr__`, when Lambda asks for it, not during the import of this module.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from lambda_latency.runtime.coldstart.standins import read, reading, uncollected
from lambda_latency.runtime.harmless import harmless, warn
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.startup import Startup

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from lambda_latency.runtime.delivery.after_response import Responses
    from lambda_latency.runtime.delivery.outbox import Sink
    from lambda_latency.runtime.setup import Runtime

    Handler: TypeAlias = Callable[[Any, Any], Any]


def __getattr__(name: str) -> Handler:
    """Return the handler under the name `handler`. Lambda asks for it once."""
    if name != "handler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    settings = Settings.read(os.environ)
    if not settings.handler:
        raise RuntimeError(
            "LAMBDA_LATENCY_HANDLER must name the function's handler, got nothing; "
            "set AWS_LAMBDA_EXEC_WRAPPER to "
            "/opt/lambda-latency/wrapper, which sets it"
        )
    os.environ["_HANDLER"] = settings.handler  # the value that code would read there without the kit
    for warning in settings.warnings:
        warn(warning)
    started = set_up(settings)  # first, because it watches the imports of the handler
    if started is None:
        return load(settings.handler)
    runtime, responses = started
    own_handler = load(settings.handler)
    runtime.loaded()
    if responses is not None:
        responses.begin()
    return traced(own_handler, runtime)


def traced(own_handler: Handler, runtime: Runtime) -> Handler:
    """Return the handler inside a span. Its results and exceptions are those of `own_handler`, unchanged."""

    def handler(event: Any, context: Any) -> Any:
        invocation = runtime.begin(event, context)
        try:
            result = own_handler(event, context)
        except BaseException as error:
            invocation.fail(error)
            raise
        else:
            invocation.answer(result)
            return result
        finally:
            invocation.end()
            if runtime.delivers_before_response:
                runtime.after_response()

    return handler


def set_up(settings: Settings) -> tuple[Runtime, Responses | None] | None:
    """Start tracing in this process; None if tracing is off, or if it cannot start."""
    if not settings.enabled:
        return None
    try:
        # Around both: the garbage of the first is collected together with that of the second
        with uncollected():
            tracing = started(settings)
            if settings.xray_sdk == "bridge":
                import_bridge()
            return tracing
    except Exception as error:  # noqa: BLE001 - the function must work, whatever fails
        warn(f"nothing is traced ({type(error).__name__}: {error})")
        return None


def started(settings: Settings) -> tuple[Runtime, Responses | None]:
    """Return the runtime with the sender of the settings, and the hook for responses; None if there is none."""
    settings = checked(settings)
    # first, because the imports below are a part of the cold start
    startup = Startup(os.environ)
    # On import, OpenTelemetry scans all installed packages for the propagators of this variable, and raises if one is
    # missing. The runtime sets its own propagator. At the level DEBUG, the scan would be in the function's log.
    scan = logging.getLogger("opentelemetry.propagate")
    scan.disabled = True
    propagators = os.environ.get("OTEL_PROPAGATORS")
    os.environ["OTEL_PROPAGATORS"] = "none"
    try:
        runtime_of = read("lambda_latency.runtime.setup", stand_ins=settings.stand_ins).Runtime
    finally:
        scan.disabled = False
        del os.environ["OTEL_PROPAGATORS"]
        if propagators is not None:
            os.environ["OTEL_PROPAGATORS"] = propagators
    from lambda_latency.runtime.delivery.after_response import hook_responses

    make = functools.partial(sink, settings)
    made: Sink = make() if startup.is_early else LazySink(make)
    runtime: Runtime = runtime_of(settings, made, startup).start(is_global=True)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        around_snapshot(runtime.before_snapshot, runtime.restored)
    responses = hook_responses(runtime.after_response, runtime.last_chance, startup.ready)
    runtime.delivers_before_response = responses is None
    return runtime, responses


def around_snapshot(prepare: Callable[[], None], restored: Callable[[], None]) -> None:
    """Run `prepare` last before SnapStart's snapshot, and `restored` first in each environment that it becomes.

    Ids stay unique: they come from the kernel, not from a generator whose state each copy would share. The watch over
    the deadline, the circuit and the times of spans use the wall clock.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    try:
        hooks = import_module("snapshot_restore_py")  # Lambda has it with the runtime client
    except ImportError as error:
        warn(f"nothing is done at a restore ({error}); the first delivery after one may find a dead connection")
        return
    hooks.register_before_snapshot(harmless("preparing for a snapshot")(prepare))
    hooks.register_after_restore(harmless("waking up from a snapshot")(restored))


def checked(settings: Settings) -> Settings:
    """Return the settings, without stand-ins if the tests have not run with the installed versions of OpenTelemetry."""
    from lambda_latency.runtime.coldstart import installed, is_tested

    versions = installed()
    if is_tested(versions):
        return settings
    warn(
        "OpenTelemetry {} with instrumentations {} is not one that this release was tested with: everything of it is "
        "imported and the SDK makes the spans, so that a cold start and a request take longer".format(*versions)
    )
    return settings.with_fields(stand_ins=False)


class LazySink:
    """A sink that is imported and made at its first use, with encoding and redaction: after the first response."""

    def __init__(self, make: Callable[[], Sink]) -> None:
        self._make = make
        self._made: Sink | None = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            if name in ("shutdown", "disconnect", "forget"):
                return list  # there is nothing to close
            with uncollected(), reading():
                self._made = self._make()
        return getattr(self._made, name)


def sink(settings: Settings) -> Sink:
    """Return the chosen sender; the other one is not imported."""
    if settings.export == "daemon":
        from lambda_latency.runtime.delivery.daemon import DaemonSender

        return DaemonSender(settings)
    from lambda_latency.runtime.delivery.sender import Sender

    return Sender(settings)


@harmless("the bridge of the X-Ray SDK")
def import_bridge() -> None:
    """Import `aws_xray_sdk` from the kit's layer, before a copy of the function or of another layer is found."""
    layer = __file__.rpartition("/python/")[0]
    sys.path.insert(0, f"{layer}/lambda-latency/bridge")
    try:
        import_module("aws_xray_sdk.core")
        import_module("lambda_latency.bridge.spans")
    finally:
        del sys.path[0]


def load(name: str) -> Handler:
    """Find the function's handler. The runtime client's own code does it, so the errors are those that users know."""
    client = sys.modules.get("awslambdaric.bootstrap")
    find = getattr(client, "_get_handler", None)
    if find is None:
        module, _, function = name.rpartition(".")
        return cast("Handler", getattr(import_module(module.replace("/", ".")), function))
    try:
        return cast("Handler", find(name))
    except AttributeError as error:
        # From a module's `__getattr__`, this error would read "handler missing on lambda_latency.runtime.bootstrap".
        result_of, fault = getattr(client, "build_fault_result", None), getattr(client, "FaultException", None)
        if result_of is None or fault is None:
            raise
        failure = result_of(sys.exc_info(), None)
        raise fault(failure["errorType"], failure["errorMessage"], failure["stackTrace"]) from error
