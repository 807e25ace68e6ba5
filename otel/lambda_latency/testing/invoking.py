"""Invokes a handler under the runtime that ships to Lambda, until the freeze."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from opentelemetry.context import Context, attach, detach

from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.redact import RedactedSpans
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from lambda_latency.spelling import did_you_mean
from lambda_latency.template import Function, read_functions
from lambda_latency.testing.context import LambdaContext
from lambda_latency.testing.provider import making_spans
from lambda_latency.testing.recording import Recording, Tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

Handler: TypeAlias = Callable[[Any, Any], Any]
TEMPLATES = ("template.yaml", "template.yml")


class Invoke:
    """The fixture `invoke`. One environment runs at a time; it stays warm between invocations."""

    def __init__(self, trace: Recording, folder: Path) -> None:
        self._trace = trace
        self._folder = folder
        self._environments: dict[str, Environment] = {}
        self._running: Environment | None = None

    def __call__(
        self,
        handler: str | Handler,
        event: object = None,
        *,
        cold: bool | None = None,
        timeout_s: float | None = None,
        header: str | None = None,
    ) -> Any:
        """Invokes a handler, records its spans, and returns its result or raises its exception.

        `handler`: the logical id of a function in the project's template.yaml, an import path
        (`functions.orders.create_order`), or the function itself. `cold`: whether a new environment starts; by default
        the first invocation of a test is cold. `timeout_s`: the timeout in seconds; by default the template's, else 3.
        `header`: Lambda's tracing header (`_X_AMZN_TRACE_ID`); by default a sampled one with new ids. Raises
        `LookupError` for an unknown handler.
        """
        __tracebackhide__ = True  # pytest shows the test's line and the handler's
        event = json.loads(json.dumps(event))  # an event must be JSON
        function = self._function(handler)
        if timeout_s is None:
            timeout_s = function.timeout_s
        root = header if header is not None else new_header()
        with variables(function, root, self._folder):
            environment = self._environment(function, cold=cold)
            context = LambdaContext(function.name, function.memory_mb, timeout_s)
            return environment.invoke(partial(self._load, handler, function), event, context, self._trace)

    def stop(self) -> None:
        """Stops the environment, and restores the process."""
        if self._running is not None:
            self._running.runtime.stop()
            self._running = None

    def _environment(self, function: Function, *, cold: bool | None) -> Environment:
        known = self._environments.get(function.handler)
        if known is None or cold:
            self.stop()
            known = self._environments[function.handler] = Environment(self._trace)
        if known is not self._running:
            self.stop()  # instrumentations support one runtime at a time
            known.runtime.start()
            self._running = known
        if cold is False:
            known.warm()
        return known

    def _function(self, handler: str | Handler) -> Function:
        __tracebackhide__ = True
        if not isinstance(handler, str):
            name = getattr(handler, "__name__", type(handler).__name__)
            return Function(name, f"{name} at {id(handler)}", 3, 128, "", {})
        if "." in handler:
            return Function(handler.rpartition(".")[2], handler, 3, 128, "", {})
        path = next((self._folder / name for name in TEMPLATES if (self._folder / name).is_file()), None)
        if path is None:
            raise LookupError(
                f"{handler!r} is a logical id, but {self._folder} has no {' or '.join(TEMPLATES)}; "
                "give the handler's import path, such as 'orders.handler'"
            )
        functions = {one.name: one for one in read_functions(path)}
        if handler not in functions:
            hint = did_you_mean(handler, functions, f"it has {', '.join(functions) or 'none'}", quoted=True)
            raise LookupError(f"{path} has no function {handler!r}; {hint}")
        if not functions[handler].handler:
            raise LookupError(f"{path}: the Handler of {handler} is not plain text; give its import path")
        return functions[handler]

    def _load(self, handler: str | Handler, function: Function) -> Handler:
        __tracebackhide__ = True
        if not isinstance(handler, str):
            return handler
        for folder in (self._folder, self._folder / function.code):  # in place of Lambda's task root
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
        module, _, name = function.handler.rpartition(".")
        loaded = import_module(module.replace("/", "."))
        found = getattr(loaded, name, None)
        if found is None:
            hint = did_you_mean(name, vars(loaded), quoted=True)
            raise LookupError(f"{module} has no {name!r}{f'; {hint}' if hint else ''}")
        return found  # type: ignore[no-any-return]


class Environment:
    """One execution environment: the runtime, whose spans are exported only to the recording."""

    def __init__(self, trace: Recording) -> None:
        # Only the first test opens a connection, in random order: connection spans are recorded only on request.
        settings = Settings.read({"LAMBDA_LATENCY_CONNECTIONS": "false", **os.environ})
        for warning in settings.warnings:
            warn(warning)
        self.runtime = Runtime(settings, RedactedSpans(Delivered(trace), settings))
        self.runtime.delivers_before_response = False
        self.runtime.provider.add_span_processor(Tap([trace], "runtime"))

    def warm(self) -> None:
        """Runs the cold start without recording it: an invocation without a tracing header is not recorded."""
        given = os.environ.pop("_X_AMZN_TRACE_ID", None)
        self.runtime.begin({}, None).end()
        if given is not None:
            os.environ["_X_AMZN_TRACE_ID"] = given

    def invoke(self, load: Callable[[], Handler], event: object, context: LambdaContext, trace: Recording) -> Any:
        """One invocation: the handler, then the runtime's step after the response."""
        __tracebackhide__ = True
        handler = load()
        since = trace.mark()
        token = attach(Context())
        try:
            with making_spans(self.runtime.provider):
                return traced(handler, self.runtime)(event, context)
        finally:
            detach(token)
            self.runtime.outlive()
            self.runtime.after_response()
            trace.freeze(since)


class Delivered:
    """The exporter of the runtime's spans, which marks them as delivered."""

    def __init__(self, trace: Recording) -> None:
        self._trace = trace

    def export(self, spans: Sequence[ReadableSpan], /) -> None:
        """Accepts the spans immediately."""
        self._trace.delivered(spans)

    def shutdown(self) -> None:
        """Does nothing."""


@contextmanager
def variables(function: Function, header: str, folder: Path) -> Iterator[None]:
    """A context with Lambda's variables; the template's variables and credentials are set unless the test did."""
    before = dict(os.environ)
    ours = {
        "_HANDLER": function.handler,
        "_X_AMZN_TRACE_ID": header,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
        "LAMBDA_TASK_ROOT": str(folder),
    }
    unless_set = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        **function.variables,
    }
    os.environ.update({**unless_set, **before, **ours})
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            if name in ours or name in unless_set:
                del os.environ[name]
        os.environ.update({name: before[name] for name in ours if name in before})


def new_header() -> str:
    """The tracing header of a sampled request, with Lambda's segment as the parent."""
    trace_id = uuid.uuid4().hex
    return f"Root=1-69559d80-{trace_id[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=1"
