"""Own code divided by the samples on the handler's span."""

from collections.abc import Collection, Mapping
from typing import Any

from lambda_latency.latency import Breakdowns, against, breakdown_of, own_code_in, report_of, stacks_of
from lambda_latency.latency.own_code import OwnCode
from lambda_latency.latency.waterfall import CodePlace, runs_of
from lambda_latency.text import Style, render_flame, render_markdown, render_report, render_waterfall
from lambda_latency.text.json_document import document
from lambda_latency.text.prose import flat, sentence
from lambda_latency.trace import Span, SpanKind, Trace

MS = 1_000_000
STYLE = Style()
PRICE, STOCK, LOCKED = (
    "functions/orders.py:14 price", "functions/orders.py:19 stock > json.loads", "functions/orders.py:40 locked",
)  # fmt: skip


def handler(number: int, wall: int, runs: str = "", after_ms: int = 200, memory: int = 0, **more: object) -> Span:
    """A handler's span of some milliseconds with runs of samples."""
    samples = {
        "lambda.profile.after_ms": after_ms,
        "lambda.profile.places": (PRICE, STOCK, LOCKED),
        "lambda.profile.waits": ("", "", "lock"),
        "lambda.profile.lines": ("return PATTERN.match(text)",),
        "lambda.profile.runs": runs,
    }
    return Span(
        trace_id=f"{number:032x}",
        span_id=f"{number + 1:016x}",
        name="POST /orders",
        kind=SpanKind.SERVER,
        start_ns=number * 10_000 * MS,
        end_ns=(number * 10_000 + wall) * MS,
        attributes={"http.route": "/orders", "http.request.method": "POST", **(samples if runs else {}), **more},
        resource={"faas.name": "orders", **({"faas.max_memory": memory * 2**20} if memory else {})},
    )


def call(above: Span, begin: int, end: int) -> Span:
    """A call below a span, from and to some milliseconds after its start."""
    return Span(
        trace_id=above.trace_id,
        span_id=f"{int(above.span_id, 16) + 5000:016x}",
        parent_id=above.span_id,
        name="GET",
        kind=SpanKind.CLIENT,
        start_ns=above.start_ns + begin * MS,
        end_ns=above.start_ns + end * MS,
        attributes={"server.address": "pay.example.com", "http.request.method": "GET"},
    )


def times(code: OwnCode | None) -> dict[str, int]:
    """Milliseconds by function, and those without samples."""
    assert code is not None
    return {line.place.function: line.slow_ns // MS for line in code.places} | {"": code.unsampled_ns // MS}


def test_own_code_is_divided_by_the_samples_on_the_critical_path() -> None:
    """What was sampled during a call is not own code."""
    root = handler(1, 1000, "0,300,290;1,200,190;0,300,300")
    trace = Trace([root, call(root, 450, 650)])
    assert times(own_code_in(trace)) == {"price": 550, "stock": 50, "": 200}


def test_samples_say_whether_a_line_computes_or_waits() -> None:
    """By the CPU time, at the share of a CPU that the memory gives."""
    code = own_code_in(Trace([handler(1, 1000, "0,400,130;1,300,30;2,100,2", memory=512)]))
    assert code is not None
    assert [(line.place.function, line.state, line.waits_for) for line in code.places] == [
        ("price", "computing", ""),
        ("stock", "", ""),
        ("locked", "waiting", "lock"),
    ]


def test_late_samples_make_a_place_uncertain() -> None:
    """From 30 % of its time."""
    code = own_code_in(Trace([handler(1, 1000, "0,400,400,200;1,300,300,50")]))
    assert code is not None
    assert [line.about for line in code.places] == [True, False]


def test_what_cannot_be_read_is_left_out() -> None:
    """A text that was cut, an unknown place, or none at all."""
    assert [run.end_ns // MS for run in runs_of(handler(0, 900, "0,100,100;0,50,50;9,1,1;0,5,5"))] == [300, 350]
    assert [run.end_ns // MS for run in runs_of(handler(0, 900, "0,100,100;0,5"))] == [300, 305]
    assert runs_of(handler(0, 900, "0,100,100;x"))[0].place == CodePlace("functions/orders.py", 14, "price", "")
    assert runs_of(handler(0, 900)) == []
    assert own_code_in(Trace([handler(1, 900)])) is None


def plain(text: str) -> str:
    """With ordinary spaces in numbers."""
    return text.replace("\u202f", " ")


def traces() -> dict[str, Trace]:
    """200 requests: 12 slow in a regular expression, 8 at a lock, and typical ones with samples from their begin."""
    by_id = {}
    for number in range(200):
        if number % 10 == 3:
            place = 0 if number < 120 else 2
            span = handler(number, 1200, f"{place},900,{880 if place == 0 else 1};1,90,90")
        elif number % 64 == 0:
            span = handler(number, 100 + number % 7, "1,40,40;0,30,30", after_ms=0)
        else:
            span = handler(number, 100 + number % 7)
        by_id[span.trace_id] = Trace([span])
    return by_id


def find_in(by_id: Mapping[str, Trace]):  # type: ignore[no-untyped-def]
    """Finds traces by id."""

    def find(ids: Collection[str]) -> Mapping[str, Trace]:
        return {key: by_id[key] for key in ids if key in by_id}

    return find


def test_the_sentence_names_the_lines_and_what_they_do() -> None:
    """Of two causes in one class, each with the number of its requests."""
    by_id = traces()
    report = report_of([breakdown_of(trace) for trace in by_id.values()], find_in(by_id))
    assert flat(sentence(report, STYLE)).startswith(
        "20 of 200 requests of POST /orders (10 %) wait for the code of orders: 1,097 ms more than a typical one (of "
        "which 870 ms in functions/orders.py:14 price(), computing, in 12 of them and 900 ms in functions/orders.py:40 "
        "locked(), waiting for a lock, in 8 of them), 100 % of the excess."
    )
    text = plain(render_report(report, STYLE))
    assert "Look at functions/orders.py:14 price()." in text.replace("\n", " ")
    assert "    870 ms  functions/orders.py:14 price()  computing, return PATTERN.match(text)" in text
    assert "    210 ms  before sampling" in text
    row = "| functions/orders.py:14 price() | computing | 900 ms | +870 ms |"
    assert row in plain(render_markdown(report)).replace("\\", "")


def test_the_json_has_the_places() -> None:
    """With lines, sources, CPU and what they wait for."""
    by_id = traces()
    report = report_of([breakdown_of(trace) for trace in by_id.values()], find_in(by_id))
    groups: Any = document(report, command="", version="")["classes"]
    code = groups[0]["own_code"]
    assert (code["requests"], code["typical_requests"], code["before_sampling_ns"]) == (20, 4, 210 * MS)
    assert code["places"][0] == {
        "file": "functions/orders.py",
        "line": 14,
        "function": "price",
        "called": None,
        "source": "return PATTERN.match(text)",
        "excess_ns": 870 * MS,
        "slow_ns": 900 * MS,
        "requests": 12,
        "cpu_share": 0.978,
        "state": "computing",
        "waits_for": None,
        "about": False,
    }


def test_the_flame_graph_has_a_frame_for_each_line() -> None:
    """And one for the library's function below it; their sum is the request."""
    root = handler(1, 1000, "0,300,290;1,200,190")
    stacks = stacks_of([Trace([root])])
    name = "POST /orders"
    assert {stack[1:]: ns // MS for stack, ns in stacks.items()} == {
        ("functions/orders.py:14 price()",): 300,
        ("functions/orders.py:19 stock()", "json.loads"): 200,
        (): 500,
    }
    assert all(stack[0].startswith(name) for stack in stacks)
    assert "functions/orders.py:14 price() 300000" in render_flame(stacks, "x.folded")


def test_a_waterfall_lists_the_lines_of_its_request() -> None:
    """Below the bars."""
    drawn = plain(render_waterfall(Trace([handler(1, 1000, "0,700,690")]), STYLE))
    assert "Own code, by line:\n    700 ms  functions/orders.py:14 price()  computing" in drawn


def test_against_a_baseline_the_line_that_became_slower_is_told() -> None:
    """From the requests that both sides sampled from their begin."""

    def side(start: int, slow: int) -> dict[str, Trace]:
        by_id = {}
        for number in range(start, start + 640):
            span = handler(number, 100 + slow + number % 7, f"0,{50 + slow},40;1,40,40", after_ms=0)
            by_id[span.trace_id] = Trace([span])
        return by_id

    earlier, new = side(0, 0), side(64_000, 300)
    accounts, then = ([breakdown_of(trace) for trace in run.values()] for run in (new, earlier))
    report = report_of(
        accounts, find_in(new), against=against(accounts, then), baseline=Breakdowns(then), find_before=find_in(earlier)
    )
    code = report.own_code_against
    assert code is not None
    assert [(line.place.function, line.excess_ns // MS) for line in code.places] == [("price", 300), ("stock", 0)]
    text = plain(render_report(report, STYLE))
    assert "More own code than in the baseline, by line:\n    300 ms  functions/orders.py:14 price()" in text
    comparison: Any = document(report, command="", version="")["against"]
    assert comparison["own_code"]["places"][0]["excess_ns"] == 300 * MS


def _charging(number: int, wall: int) -> Trace:
    """A sampled handler that waits in `price` for a service without samples."""
    root = handler(number, wall, f"1,10,10;0,{wall - 20},2", after_ms=0)
    client = call(root, 10, wall - 10)
    served = Span(
        trace_id=root.trace_id,
        span_id="c" * 16,
        parent_id=client.span_id,
        name="POST /charge",
        kind=SpanKind.SERVER,
        start_ns=client.start_ns + MS,
        end_ns=(client.end_ns or 0) - MS,
        resource={"service.name": "payments"},
    )
    return Trace([root, client, served])


def test_a_line_of_the_caller_explains_no_own_code_of_a_called_service() -> None:
    """Samples show one service; a callee without samples has no line, and its flame has no frame of the caller."""
    charging = [_charging(number, 900 if number % 10 == 3 else 100 + number % 7) for number in range(200)]
    by_id = {trace.trace_id: trace for trace in charging}
    report = report_of([breakdown_of(trace) for trace in by_id.values()], find_in(by_id))
    text = flat(sentence(report, STYLE))
    assert "the code of payments" in text
    assert "orders.py" not in text
    assert report.own_code == {}
    trace = by_id[f"{3:032x}"]
    assert times(own_code_in(trace)) == {"stock": 10, "": 888}
    assert not [frames for frames in stacks_of([trace]) if "payments POST /charge" in frames and PRICE in frames[-1]]


def test_the_line_that_waits_for_a_call_is_in_the_finding_about_the_callee() -> None:
    """By the samples of the caller during its calls; none without samples."""
    by_id = {}
    for number in range(200):
        wall = 900 if number % 10 == 3 else 100 + number % 7
        root = handler(number, wall, f"1,10,10;2,{wall - 20},2" if number % 10 == 3 else "", after_ms=0)
        by_id[root.trace_id] = Trace([root, call(root, 10, wall - 10)])
    report = report_of([breakdown_of(trace) for trace in by_id.values()], find_in(by_id))
    assert flat(sentence(report, STYLE)) == (
        "20 of 200 requests of POST /orders (10 %) wait for pay.example.com (called by orders): 797 ms more than a "
        "typical one, 100 % of the excess. It is waited for at functions/orders.py:40 locked(). The cause is external."
    )
    [example] = [group["example"] for group in document(report, command="", version="")["classes"]]  # type: ignore[attr-defined]
    assert example["line"] == "functions/orders.py:40 locked()"
