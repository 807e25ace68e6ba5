"""User code with OpenTelemetry's API alone."""

import multiprocessing
import os
import threading

import requests
from opentelemetry import baggage, context as contexts, propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

PEER = os.environ["PEER"]
TRACER = trace.get_tracer("user")


def spans(event, context):
    with TRACER.start_as_current_span("outer", attributes={"a": 1}) as span:
        span.set_attribute("b", [1, 2])
        span.add_event("happened", {"k": "v"})
        with TRACER.start_as_current_span("inner", kind=SpanKind.CLIENT):
            requests.get(f"{PEER}/http/inner", timeout=10)
    return "ok"


def failing(event, context):
    with TRACER.start_as_current_span("fails"):
        raise ValueError("in a span")


@TRACER.start_as_current_span("decorator")
def decorated(event, context):
    return "ok"


def by_hand(event, context):
    span = TRACER.start_span("by hand")
    token = contexts.attach(trace.set_span_in_context(span))
    span.set_status(Status(StatusCode.ERROR, "as asked"))
    span.record_exception(ValueError("recorded"))
    span.update_name("renamed")
    span.end()
    span.end()
    span.set_attribute("late", 1)
    contexts.detach(token)
    return "ok"


def odd_values(event, context):
    with TRACER.start_as_current_span("odd", attributes={"n": None, "o": {"x": 1}, "b": b"x"}) as span:
        span.set_attribute("object", object())
        span.set_attributes({"mixed": [1, "x"], "": 1})
    return "ok"


def wrong_token(event, context):
    """OpenTelemetry logs it, and raises nothing."""
    token = contexts.attach(contexts.set_value("k", 1))
    thread = threading.Thread(target=contexts.detach, args=(token,))
    thread.start()
    thread.join()
    return contexts.get_value("k")


def with_baggage(event, context):
    """By the choice of who sets it, and to where it is injected by hand."""
    token = contexts.attach(baggage.set_baggage("tenant", "t1"))
    carrier = {}
    propagate.inject(carrier)
    requests.get(f"{PEER}/http/baggage", headers={k: v for k, v in carrier.items() if k == "baggage"}, timeout=10)
    got = baggage.get_baggage("tenant")
    contexts.detach(token)
    return [got, baggage.get_baggage("tenant"), carrier.get("baggage")]


def extracted(event, context):
    headers = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01", "baggage": "tenant=t1"}
    found = propagate.extract(headers)
    return [f"{trace.get_current_span(found).get_span_context().trace_id:x}", baggage.get_baggage("tenant", found)]


def new_root(event, context):
    """A trace of its own, as people make one for each message of a batch."""
    with TRACER.start_as_current_span("root of its own", context=contexts.Context()):
        pass
    return "ok"


def flushed(event, context):
    with TRACER.start_as_current_span("before the flush"):
        pass
    flush = getattr(trace.get_tracer_provider(), "force_flush", lambda: True)
    return flush()


def never_ended(event, context):
    TRACER.start_span("forgotten")
    return "ok"


def in_a_thread(event, context):
    def work():
        with TRACER.start_as_current_span("threaded"):
            pass

    with TRACER.start_as_current_span("starts it"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    return "ok"


def across_generators(event, context):
    def numbers():
        with TRACER.start_as_current_span("generator"):
            yield 1
            yield 2

    return list(numbers())


def forked(event, context):
    """Spans of a child."""
    here, there = multiprocessing.Pipe()

    def work():
        with TRACER.start_as_current_span("in the child"):
            there.send(requests.get(f"{PEER}/http/child", timeout=10).status_code)
        there.close()

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    got = here.recv()
    child.join(10)
    return [got, child.exitcode]


def variables(event, context):
    """OpenTelemetry's own variables, as people set them for other tools."""
    requests.get(f"{PEER}/http/variables", timeout=10)
    with TRACER.start_as_current_span("mine"):
        pass
    return {
        name: value for name, value in sorted(os.environ.items()) if name.startswith("OTEL_") and "ENDPOINT" not in name
    }


def fields(event, context):
    return sorted(set(propagate.get_global_textmap().fields) - {"X-Amzn-Trace-Id"})
