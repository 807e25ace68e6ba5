"""One library in a process of its own, bare or with the kit: prints its answers and the spans as JSON.

`python -m lab.libraries.child MODULE LIBRARY bare|kit|sdk|unsampled PLACE`, the place as JSON. With `sdk`, the function
has a processor of its own, for which the SDK makes the spans.
"""

import importlib
import json
import logging
import os
import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from lab.libraries.place import Place
from tests.runtime.lambdas import ENVIRONMENT, Context

TRACE = "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled={sampled}"


def main(module: str, library: str, how: str, place: str) -> None:
    """Run its four calls, each in an invocation."""
    os.environ.update(ENVIRONMENT)
    os.environ["_X_AMZN_TRACE_ID"] = TRACE.format(sampled=int(how != "unsampled"))
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("lambda_latency.runtime").addHandler(handler)
    invoke, spans = bare() if how == "bare" else with_kit(by_sdk=how == "sdk")
    calls = importlib.import_module(f"lab.libraries.calls.{module}").LIBRARIES[library]
    where = Place(**json.loads(place))
    answers, spans_by_call = {}, {}
    for name, call in calls.items():
        answers[name] = invoke(partial(attempt, call, where))
        spans_by_call[name] = spans()
    print(json.dumps({"answers": answers, "spans": spans_by_call, "log": logged}))


def attempt(call: Callable[[Place], Any], place: Place) -> str:
    """What it answers or raises, without what is different in each process."""
    try:
        said = repr(call(place))
    except Exception as error:  # noqa: BLE001 - it is compared
        said = f"{type(error).__module__}.{type(error).__qualname__}: {error}"
    said = re.sub(r"0x[0-9a-f]+|[0-9a-f]{24,32}|\d+\.\d+", "N", said)
    return re.sub(r"\b\d{4,7}\b", "PORT", said)[:400]


def bare() -> tuple[Callable[[Callable[[], str]], str], Callable[[], list[Any]]]:
    """The function as it is."""
    return lambda call: call(), list


def with_kit(*, by_sdk: bool) -> tuple[Callable[[Callable[[], str]], str], Callable[[], list[Any]]]:
    """The runtime started first, as in Lambda."""
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from lambda_latency.runtime.bootstrap import traced
    from lambda_latency.runtime.settings import Settings
    from lambda_latency.runtime.setup import Runtime
    from lambda_latency.testing.redacted import RedactedSpans

    memory = InMemorySpanExporter()
    settings = Settings.read(dict(os.environ))
    runtime = Runtime(settings, RedactedSpans(memory, settings)).start(is_global=True)
    if by_sdk:
        runtime.provider.add_span_processor(SpanProcessor())

    def invoke(call: Callable[[], str]) -> str:
        answer: str = traced(lambda *_: call(), runtime)({}, Context())
        return answer

    def spans() -> list[Any]:
        runtime.flush(10)
        finished = [as_json(span) for span in memory.get_finished_spans()]
        memory.clear()
        return finished

    return invoke, spans


def as_json(span: Any) -> dict[str, Any]:
    """A span as far as it is looked at."""
    return {
        "id": f"{span.get_span_context().span_id:016x}",
        "parent": f"{span.parent.span_id:016x}" if span.parent is not None else "",
        "name": span.name,
        "kind": span.kind.name,
        "status": span.status.status_code.name,
        "message": span.status.description,
        "events": [[e.name, {name: str(v) for name, v in (e.attributes or {}).items()}] for e in span.events],
        "links": len(span.links),
        "scope": span.instrumentation_scope.name,
        "start": span.start_time,
        "attributes": {name: list(v) if isinstance(v, tuple) else v for name, v in (span.attributes or {}).items()},
        "ms": round((span.end_time - span.start_time) / 1e6, 1),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
