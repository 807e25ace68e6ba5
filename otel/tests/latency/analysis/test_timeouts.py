"""A function timeout: the span that was running, for how long, and the stack for people."""

from dataclasses import replace

import pytest

from lambda_latency.latency import Component, Frame, Timeout, report_of, timeout_of
from lambda_latency.latency.analysis.timeouts import Thread
from lambda_latency.text import Style, flat, render_report
from lambda_latency.text.prose import timeout_sentence
from lambda_latency.text.terminal import stack
from lambda_latency.trace import SpanKind, Status, Trace
from tests.latency.generated import timed_out
from tests.latency.system import THEIRS, breakdown_of, order, put_item, request
from tests.trace.build import MS, node, tree

STACK = """\
  File "/var/lang/lib/python3.13/threading.py", line 1012, in _bootstrap
    self._bootstrap_inner()
  File "/opt/python/lambda_latency/runtime/invocation.py", line 40, in run
    return handler(event, context)
  File "/var/task/functions/orders.py", line 41, in create_order
    charge = payments.charge(order)
  File "/var/task/functions/payments.py", line 27, in charge
    return self._http.post(url, json=body, timeout=None)
             ~~~~~~~~~~~~~^^^^^
  File "/var/task/requests/sessions.py", line 637, in post
  File "/opt/python/urllib3/connectionpool.py", line 534, in _make_request
    conn.request(
  File "/x/site-packages/botocore/client.py", line 1, in <module>
    pass
"""


def _trace(*, stack: str = STACK, provisional: bool = False) -> Trace:
    """A trace as the runtime exports it shortly before the deadline: open spans with an end, and the running stack."""
    marks = {"lambda.timeout": True, "code.stacktrace": stack, **({"lambda.provisional": True} if provisional else {})}
    running = node(
        "POST",
        40,
        2990,
        kind=SpanKind.CLIENT,
        attributes={"http.method": "POST", "http.url": "https://pay.example/charges", **marks},
        status=Status.ERROR,
    )
    trace = tree(request(put_item(12, 24), running, end=3010, status_code=504, timed_out=True), unit=MS)
    spans = [
        replace(span, attributes={**span.attributes, "lambda.timeout.limit_ms": 3000})
        if span.attributes.get("lambda.timeout") is True
        else span
        for span in trace.spans
    ]
    return Trace(spans)


def _timeout_with(attributes: dict[str, object]) -> Timeout:
    """The timeout of the trace whose running span has these attributes too."""
    spans = [
        replace(span, attributes={**span.attributes, **attributes}) if span.attributes.get("code.stacktrace") else span
        for span in _trace().spans
    ]
    timeout = timeout_of(Trace(spans))
    assert timeout is not None
    return timeout


def test_the_innermost_open_span_was_running() -> None:
    """With its part, its time until the deadline, and the limit, which any span may have."""
    for provisional in (False, True):
        timeout = timeout_of(_trace(provisional=provisional))
        assert timeout is not None
        assert (timeout.running, timeout.component) == ("POST pay.example", Component("external", "pay.example"))
        assert (timeout.limit_ns, timeout.elapsed_ns, timeout.wall_ns) == (3000 * MS, 2950 * MS, 3010 * MS)
    assert breakdown_of(_trace()).timed_out


def test_frames_of_the_functions_own_package_are_marked() -> None:
    """Other folders of the bundle are dependencies, and frames of the kit are not marked."""
    timeout = _timeout_with({})
    assert timeout.frames == (
        Frame("threading.py", 1012, "_bootstrap", "self._bootstrap_inner()", False),
        Frame("lambda_latency/runtime/invocation.py", 40, "run", "return handler(event, context)", False),
        Frame("functions/orders.py", 41, "create_order", "charge = payments.charge(order)", True),
        Frame("functions/payments.py", 27, "charge", "return self._http.post(url, json=body, timeout=None)", True),
        Frame("requests/sessions.py", 637, "post", "", False),
        Frame("urllib3/connectionpool.py", 534, "_make_request", "conn.request(", False),
        Frame("botocore/client.py", 1, "<module>", "pass", False),
    )


def test_frames_of_the_laptop_are_left_out() -> None:
    """The local emulation of Lambda, and the code that injects a fault, are no part of the function."""
    laptop_file = "/home/me/otel/lambda_latency/local/sandbox/bootstrap.py"
    stack = [
        f'  File "{laptop_file}", line 84, in faulty\n    return handler(event, context)\n',
        '  File "/var/task/app.py", line 3, in handler\n    answer.read()\n',
        '  File "/usr/lib/python3.13/http/client.py", line 286, in _read_status\n',
        f'  File "{laptop_file}", line 100, in readinto\n    time.sleep(seconds)\n',
    ]
    timeout = _timeout_with({"code.stacktrace": "".join(stack)})
    assert timeout.frames == (
        Frame("app.py", 3, "handler", "answer.read()", True),
        Frame("http/client.py", 286, "_read_status", "", False),
    )


THREADS = """\
Thread ThreadPoolExecutor-0_0:
  File "/var/lang/lib/python3.13/concurrent/futures/thread.py", line 58, in run
    result = self.fn(*self.args, **self.kwargs)
  File "/var/task/functions/prices.py", line 9, in price
    while True:
Thread ThreadPoolExecutor-0_1:
  File "/var/task/functions/prices.py", line 12, in tax
    time.sleep(9)
"""


def test_the_line_of_a_thread_comes_before_that_of_the_handler() -> None:
    """The handler only waits for the thread."""
    timeout = _timeout_with({"lambda.timeout.threads": THREADS})
    own_frame = Frame("functions/prices.py", 9, "price", "while True:", True)
    assert timeout.threads == (
        Thread(
            "ThreadPoolExecutor-0_0",
            (
                Frame("concurrent/futures/thread.py", 58, "run", "result = self.fn(*self.args, **self.kwargs)", False),
                own_frame,
            ),
        ),
        Thread("ThreadPoolExecutor-0_1", (Frame("functions/prices.py", 12, "tax", "time.sleep(9)", True),)),
    )
    assert timeout.line == own_frame
    assert len(timeout.frames) == 7
    lines = ["".join(piece.text for piece in line) for line in stack(timeout, Style(unicode=False), everything=True)]
    assert lines[-9:] == [
        "",
        "In thread ThreadPoolExecutor-0_0:",
        "  concurrent/futures/thread.py:58 run",
        "> functions/prices.py:9 price",
        "      while True:",
        "",
        "In thread ThreadPoolExecutor-0_1:",
        "> functions/prices.py:12 tax",
        "      time.sleep(9)",
    ]


def test_a_span_that_was_left_open_was_running_until_its_parent_ended() -> None:
    """A killed function leaves no other record of the time."""
    timeout = timeout_of(timed_out())
    assert timeout is not None
    assert (timeout.running, timeout.elapsed_ns, timeout.limit_ns, timeout.frames) == (
        "POST a-rather-long-name.payments.example.com",
        2977 * MS,
        0,
        (),
    )


def test_if_the_spans_of_the_function_were_lost_the_running_span_is_unknown() -> None:
    """Only Lambda's own segments show the timeout."""
    trace = tree(request(end=3000, timed_out=True, status_code=504), unit=MS)
    spans = [
        replace(span, attributes={**span.attributes, "lambda.timeout": True}) if span.origin else span
        for span in trace.spans
        if span.name != "POST /orders"
    ]
    assert timeout_of(Trace(spans)) == Timeout(trace.trace_id, "POST /orders", 3000 * MS, 0, "", None, 0, ())


def test_a_request_that_ended_has_no_timeout() -> None:
    """Also after a long time."""
    assert timeout_of(order(9000)) is None


@pytest.mark.parametrize(
    ("component", "said"),
    [
        (Component("aws", "DynamoDB GetItem orders"), "The call is one of AWS, the limit is internal."),
        (Component("database", "postgresql ledger"), "The limit is internal."),
        (Component("external", "pay.example", "unknown"), "The owner of the call is unknown, the limit is internal."),
    ],
)
def test_a_service_of_ones_own_account_is_not_called_external(component: Component, said: str) -> None:
    """Of a call that was still running."""
    timeout = Timeout("1" * 32, "GET /a", 3000 * MS, 3000 * MS, component.name, component, 2950 * MS, ())
    report = report_of([breakdown_of(order(100))], lambda _: {})
    assert flat(timeout_sentence([timeout], report, Style(unicode=False))) == (
        f"1 of 1 request timed out at 3,000 ms. {component.name} was still running, for 2,950 ms. {said}"
    )


def test_the_timeout_is_drawn_with_its_stack() -> None:
    """Sentence, waterfall and frames; no item occurs twice."""
    traces = [order(100 + number, number=number) for number in range(119)]
    by_id = {trace.trace_id: trace for trace in [*traces, _trace()]}
    report = report_of(
        [breakdown_of(trace) for trace in by_id.values()],
        lambda ids: {key: by_id[key] for key in ids},
        owners=THEIRS.owners,
    )
    text = render_report(report, Style(unicode=False))
    assert text.splitlines()[:6] == [
        "1 of 120 requests timed out at 3,000 ms. POST pay.example was still running, for 2,950 ms, at",
        "functions/payments.py:27. The call is external, the limit is internal.",
        "Next: Set a timeout for the call to pay.example below the function's, respond without its result",
        "when it is late, and move the call to a queue if the caller does not need the result. Ask its owner",
        "with a trace id.",
        "Nothing else stands out.",
    ]
    assert text.count("Timed out: POST /orders, 3,010 ms") == 1
    assert "      POST pay.example (running)      2,950 ms   2,950 ms  #" in text
    stack = text[text.index("Running at the deadline:") :].splitlines()
    assert stack[1:5] == [
        "  ~ 2 frames of libraries (--all)",
        "> functions/orders.py:41 create_order",
        "      charge = payments.charge(order)",
        "> functions/payments.py:27 charge",
    ]
