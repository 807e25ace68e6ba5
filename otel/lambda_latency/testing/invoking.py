"""Invokes a handler under the runtime that ships to Lambda, until the freeze."""

from __future__ import annotations

import json
import math
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.copies import attributes_of, copied
from lambda_latency.runtime.deadline.stacks import OPEN, PROVISIONAL
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from lambda_latency.spelling import did_you_mean
from lambda_latency.template import FunctionConfig, read_functions
from lambda_latency.testing.clock import RUNNING, now_ns
from lambda_latency.testing.recording import Recording, Tap, making_spans
from lambda_latency.testing.redacted import RedactedSpans

Handler: TypeAlias = Callable[[Any, Any], Any]
TEMPLATES = ("template.yaml", "template.yml")
NS = 1_000_000


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
        the first invocation of a test is cold. `timeout_s`: the timeout in seconds; by default that of the function in
        the template, else 3. `header`: Lambda's tracing header (`_X_AMZN_TRACE_ID`); by default a sampled one with new
        ids. Raises `LookupError` for an unknown handler, and `TimeoutError` for a handler that takes longer than the
        timeout that the test or the template sets: Lambda would have killed it.
        """
        __tracebackhide__ = True  # pytest shows the test's line and the handler's
        event = json.loads(json.dumps(event))  # an event must be JSON
        function = self._function(handler)
        is_known = timeout_s is not None or is_declared(handler)
        timeout_s = function.timeout_s if timeout_s is None else timeout_s
        if header is None:  # a sampled request, with Lambda's segment as the parent
            header = f"Root=1-69559d80-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=1"
        with variables(function, header, self._folder):
            environment = self._environment(function, cold=cold)
            own_handler = self._load(handler, function)
            context = LambdaContext(function.name, function.memory_mb, timeout_s)
            return environment.invoke(own_handler, event, context, self._trace, timeout_s if is_known else math.inf)

    def stop(self) -> None:
        """Stops the environment, and restores the process."""
        if self._running is not None:
            self._running.runtime.stop()
            self._running = None

    def _environment(self, function: FunctionConfig, *, cold: bool | None) -> Environment:
        environment = self._environments.get(function.handler)
        if environment is None or cold:
            self.stop()
            environment = self._environments[function.handler] = Environment(self._trace)
        if environment is not self._running:
            self.stop()  # instrumentations support one runtime at a time
            environment.runtime.start()
            self._running = environment
        if cold is False:
            environment.warm()
        return environment

    def _function(self, handler: str | Handler) -> FunctionConfig:
        __tracebackhide__ = True
        if not isinstance(handler, str):
            name = getattr(handler, "__name__", type(handler).__name__)
            return FunctionConfig(name, f"{name} at {id(handler)}", 3, 128, "", {})
        if not is_declared(handler):
            return FunctionConfig(handler.rpartition(".")[2], handler, 3, 128, "", {})
        path = next((self._folder / name for name in TEMPLATES if (self._folder / name).is_file()), None)
        if path is None:
            raise LookupError(
                f"{handler!r} is a logical id, but {self._folder} has no {' or '.join(TEMPLATES)}; "
                "give the handler's import path, such as 'orders.handler'"
            )
        functions = {function.name: function for function in read_functions(path)}
        if handler not in functions:
            hint = did_you_mean(handler, functions, f"it has {', '.join(functions) or 'none'}", quoted=True)
            raise LookupError(f"{path} has no function {handler!r}; {hint}")
        if not functions[handler].handler:
            raise LookupError(f"{path}: the Handler of {handler} is not plain text; give its import path")
        return functions[handler]

    def _load(self, handler: str | Handler, function: FunctionConfig) -> Handler:
        __tracebackhide__ = True
        if not isinstance(handler, str):
            return handler
        for folder in (self._folder, self._folder / function.code):  # in place of Lambda's task root
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
        module, _, name = function.handler.rpartition(".")
        loaded = import_module(module.replace("/", "."))
        loaded_handler = getattr(loaded, name, None)
        if loaded_handler is None:
            hint = did_you_mean(name, vars(loaded), quoted=True)
            raise LookupError(f"{module} has no {name!r}{f'; {hint}' if hint else ''}")
        return loaded_handler  # type: ignore[no-any-return]


class Environment:
    """One execution environment: the runtime, whose spans are exported only to the recording."""

    def __init__(self, trace: Recording) -> None:
        # Only the first test opens a connection, in random order: connection spans are recorded only on request.
        settings = Settings.read({"LAMBDA_LATENCY_CONNECTIONS": "false", **os.environ})
        for warning in settings.warnings:
            warn(warning)
        self._sink = RedactedSpans(Delivered(trace), settings)
        self.runtime = Runtime(settings, self._sink)
        self.runtime.delivers_before_response = False
        self.runtime.provider.add_span_processor(Tap([trace], "runtime"))

    def warm(self) -> None:
        """Runs the cold start without recording it: an invocation without a tracing header is not recorded."""
        header = os.environ.pop("_X_AMZN_TRACE_ID")
        self.runtime.begin({}, None).end()
        os.environ["_X_AMZN_TRACE_ID"] = header

    def invoke(self, handler: Handler, event: object, context: LambdaContext, trace: Recording, limit_s: float) -> Any:
        """One invocation: the handler, then the runtime's step after the response.

        Raises `TimeoutError` for a handler that takes longer than `limit_s`, at whose end Lambda kills the environment.
        Then only the spans are recorded that leave it before: those that have ended, and the open ones as marked.
        """
        __tracebackhide__ = True
        since, start_ns = trace.mark(), now_ns()
        token = attach(Context())
        try:
            with making_spans(self.runtime.provider):
                result = traced(handler, self.runtime)(event, context)
        finally:
            detach(token)
            took_s = (now_ns() - start_ns) / 1e9
            if took_s > limit_s:
                self._mark(trace, limit_s)
                trace.kill(since)
            self.runtime.outlive()
            self.runtime.after_response()
            trace.freeze(since)
            if took_s > limit_s:
                raise TimeoutError(f"{context.function_name} took {took_s:.1f} s, its timeout is {limit_s:g} s")
        return result

    def _mark(self, trace: Recording, limit_s: float) -> None:
        """Records the handler's span at the deadline, if the watch could not: with a stopped clock it has no time."""
        context = self.runtime.recorder.handler_span
        server = trace.undelivered(context.span_id) if context is not None else None
        if server is not None:
            end_ns = (server.start_time or 0) + round(limit_s * 1e9)
            marks = {"lambda.timeout": True, "lambda.timeout.limit_ms": math.ceil(limit_s) * 1000, **PROVISIONAL}
            events = [event for event in server.events if event.timestamp <= end_ns]
            values = {**attributes_of(server), **marks}
            self._sink.export([copied(server, values, status=OPEN, end_time=end_ns, events=events)])


class Delivered(SpanExporter):
    """The exporter of the runtime's spans, which marks them as delivered."""

    def __init__(self, trace: Recording) -> None:
        self._trace = trace

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Accepts the spans immediately."""
        self._trace.delivered(spans)
        return SpanExportResult.SUCCESS


@contextmanager
def variables(function: FunctionConfig, header: str, folder: Path) -> Iterator[None]:
    """A context with Lambda's variables; the template's variables and credentials are set unless the test did."""
    original = dict(os.environ)
    fixed = {
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
    os.environ.update({**unless_set, **original, **fixed})
    try:
        yield
    finally:
        for name in os.environ.keys() - original.keys():
            if name in fixed or name in unless_set:
                del os.environ[name]
        os.environ.update({name: original[name] for name in fixed if name in original})


def is_declared(handler: str | Handler) -> bool:
    """Whether a handler is given by the logical id of a function in the template."""
    return isinstance(handler, str) and "." not in handler


class LambdaContext:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html; the deadline counts from its creation."""

    def __init__(self, function_name: str, memory_mb: int, timeout_s: float) -> None:
        region = os.environ.get("AWS_REGION", "us-east-1")
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:{region}:123456789012:function:{function_name}"
        self.memory_limit_in_mb = str(memory_mb)
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self.identity = None
        self.client_context = None
        self.tenant_id = None
        self._deadline_ns = now_ns() + round(timeout_s * 1000) * NS
        # The runtime watches this deadline by the real clock; None disables that while the clock is stopped.
        self._epoch_deadline_time_in_ms = None if RUNNING else self._deadline_ns // NS

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline; 0 after it."""
        return max(0, (self._deadline_ns - now_ns()) // NS)
