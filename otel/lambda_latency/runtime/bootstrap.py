"""The handler that the wrapper gives to Lambda: set up once, then the function's own handler with a span around it.

The file is called bootstrap.py because the runtime client (`awslambdaric.bootstrap`) leaves frames of `/bootstrap.py`
out at the top of every stack it reports: the user reads the same stack as without us. For the same reason the handler
is loaded when it is asked for (`__getattr__`), not while this module is imported.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from lambda_latency.runtime.harmless import harmless, warn
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.standins import read, uncollected
from lambda_latency.runtime.startup import Startup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.delivery import Responses
    from lambda_latency.runtime.outbox import Sink, Urgent
    from lambda_latency.runtime.setup import Runtime

    Handler: TypeAlias = Callable[[Any, Any], Any]

__all__ = ["traced"]


def __getattr__(name: str) -> Handler:
    """`handler`, which Lambda asks for once."""
    if name != "handler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    settings = Settings.read(os.environ)
    if not settings.handler:
        raise RuntimeError("LAMBDA_LATENCY_HANDLER must name the function's handler, got nothing; "
                           "set AWS_LAMBDA_EXEC_WRAPPER to "
                           "/opt/lambda-latency/wrapper, which sets it")  # fmt: skip
    os.environ["_HANDLER"] = settings.handler  # code that looks there finds what it would find without us
    for warning in settings.warnings:
        warn(warning)
    started = set_up(settings)  # first, for it watches what the handler imports
    if started is None:
        return load(settings.handler)
    runtime, responses = started
    runtime.loading(settings.handler)
    real = load(settings.handler)
    runtime.loaded()
    if responses is not None:
        responses.begin()
    return traced(real, runtime)


def traced(real: Handler, runtime: Runtime) -> Handler:
    """The handler with its span around it. It returns and raises what the real one does, unchanged."""

    def handler(event: Any, context: Any) -> Any:
        invocation = runtime.begin(event, context)
        try:
            result = real(event, context)
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
    """Start tracing this process; None when it is switched off or cannot be."""
    if not settings.enabled:
        return None
    try:
        with uncollected():  # around both, for what the one leaves is looked through at once after it
            found = started(settings)
            if settings.xray_sdk == "bridge":
                import_bridge()
            return found
    except Exception as error:  # noqa: BLE001 - whatever it is, the function must work
        warn(f"nothing is traced ({type(error).__name__}: {error})")
        return None


def started(settings: Settings) -> tuple[Runtime, Responses | None]:
    """The runtime, with the sender that the settings name, and what tells it of responses."""
    settings = checked(settings)
    startup = Startup(os.environ)  # first, for what is imported now is a part of the cold start too
    # OpenTelemetry loads the propagators of this variable on import, by a scan of every installed package, and raises
    # where it names none. The runtime sets its own.
    given = os.environ.get("OTEL_PROPAGATORS")
    os.environ["OTEL_PROPAGATORS"] = "none"
    try:
        runtime_of = read("lambda_latency.runtime.setup", stand_ins=settings.stand_ins).Runtime
    finally:
        del os.environ["OTEL_PROPAGATORS"]
        if given is not None:
            os.environ["OTEL_PROPAGATORS"] = given
    from lambda_latency.runtime.delivery import hook_responses

    runtime: Runtime = runtime_of(settings, *sinks(settings), startup).start(is_global=True)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        around_snapshot(runtime.before_snapshot, runtime.restored)
    responses = hook_responses(runtime.after_response, runtime.last_chance, startup.ready)
    runtime.delivers_before_response = responses is None
    return runtime, responses


def around_snapshot(before: Callable[[], None], after: Callable[[], None]) -> None:
    """Run `before` as the last thing before SnapStart's snapshot, and `after` first in each environment made of it.

    Ids need nothing: they come from the kernel and not from a generator whose state would be in every copy. The watch
    over the deadline, the circuit and the spans' times go by the wall clock.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    try:
        hooks = import_module("snapshot_restore_py")  # Lambda's own, beside the runtime client
    except ImportError as error:
        warn(f"nothing is done at a restore ({error}); the first delivery after one may find a dead connection")
        return
    hooks.register_before_snapshot(harmless("preparing for a snapshot")(before))
    hooks.register_after_restore(harmless("waking up from a snapshot")(after))


def checked(settings: Settings) -> Settings:
    """Without stand-ins where the versions of OpenTelemetry are not those that the tests have run."""
    from lambda_latency.runtime.versions import installed, is_tested

    versions = installed()
    if not settings.stand_ins or is_tested(versions):
        return settings
    warn("OpenTelemetry {} with instrumentations {} is not one that this release was tested with: everything of it is "
         "imported, and a cold start takes longer".format(*versions))  # fmt: skip
    return settings.but(stand_ins=False)


def sinks(settings: Settings) -> tuple[Sink, Urgent | None]:
    """The chosen sender, the other is not imported, and what delivers shortly before a deadline, imported then.

    The daemon's sender never waits, and does that itself.
    """
    if settings.export == "daemon":
        from lambda_latency.runtime.daemon import DaemonSender

        return DaemonSender(settings), None

    def deliver(spans: Sequence[ReadableSpan], seconds: float) -> bool:
        from lambda_latency.runtime.urgent import deliver_urgently

        return deliver_urgently(settings, spans, seconds)

    from lambda_latency.runtime.sender import Sender

    return Sender(settings), deliver


@harmless("the bridge of the X-Ray SDK")
def import_bridge() -> None:
    """Let `aws_xray_sdk` be the layer's, before the function's own or another layer's can be found."""
    layer = __file__.rpartition("/python/")[0]
    sys.path.insert(0, f"{layer}/lambda-latency/bridge")
    try:
        import_module("aws_xray_sdk.core")
        import_module("lambda_latency.bridge.spans")
    finally:
        del sys.path[0]


def load(name: str) -> Handler:
    """The function's handler, found by the runtime client's own code: what is missing or broken is reported as ever."""
    client = sys.modules.get("awslambdaric.bootstrap")
    find = getattr(client, "_get_handler", None)
    if find is None:
        module, _, function = name.rpartition(".")
        return cast("Handler", getattr(import_module(module.replace("/", ".")), function))
    try:
        return cast("Handler", find(name))
    except AttributeError as error:
        # Out of a module's `__getattr__` this one would read as "handler missing on lambda_latency.runtime.bootstrap".
        failure = client.build_fault_result(sys.exc_info(), None)  # type: ignore[union-attr]
        fault = client.FaultException  # type: ignore[union-attr]
        raise fault(failure["errorType"], failure["errorMessage"], failure["stackTrace"]) from error
