"""The waterfall of one request: rows, bars, and what lies beside its tree."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency import stacks_of
from lambda_latency.text import Style, paint, render_flame, render_waterfall
from lambda_latency.text.facts import distribution
from lambda_latency.text.waterfall import waterfall
from lambda_latency.trace import Span, SpanKind, Trace, dump_line
from tests.latency.generated import load, slow_order, timed_out
from tests.latency.system import THEIRS, breakdown_of, order, put_item, request
from tests.trace.build import MS, T0, TRACE_ID, node, tree


def _rows(trace: Trace, style: Style | None = None) -> list[str]:
    return render_waterfall(trace, style or Style(), owners=THEIRS.owners).replace("\u202f", " ").splitlines()


def test_a_slow_request_at_100_columns() -> None:
    """Filled is waited for, a line is open but waiting for something below, dotted is off the path."""
    assert _rows(slow_order()) == [
        "The request: POST /orders, 1,460 ms, 1-6b05a667-affeb9dbb0aa7f2b00000066",
        "                                        waited       took  0                               1,460 ms",
        "orders-api/dev                            5 ms   1,460 ms  ────────────────────────────────────────",
        "  Lambda CreateOrder                      6 ms   1,455 ms  ────────────────────────────────────────",
        "    cold start                          300 ms     300 ms  ████████",
        "    CreateOrder handler (502)             3 ms   1,148 ms          ────────────────────────────────",
        "      validate \\x1b[31morder             10 ms      10 ms          ▏",
        "      DynamoDB PutItem orders             8 ms       8 ms          ▏",
        "      POST payments.example.c… (503)    993 ms   1,070 ms           ─████████████████████████████",
        "        DNS payments.example.com          9 ms       9 ms           ▏",
        "        TCP 203.0.113.24:443             22 ms      22 ms           █",
        "        TLS 1.3                          36 ms      36 ms           ██",
        "      audit                              67 ms     510 ms                                        ██",
        "      telemetry flush                        -      18 ms                                         ┄",
        "    Lambda overhead                       1 ms       8 ms                                         ▏",
    ]


def test_spans_off_the_path_are_one_row_of_a_report() -> None:
    """A request alone, and --all, have each."""
    jobs = [node(f"job {number}", 40 + number, 60 + 7 * number) for number in range(4)]
    trace = tree(request(put_item(12, 30), node("pay", 31, 890), *jobs, end=900), unit=MS)
    whole, folded = (
        [line.split("  ")[0] for line in _lines(trace, everything=everything)] for everything in (True, False)
    )
    assert len(whole) - len(folded) == 3
    assert _lines(trace, everything=False)[-1].split() == ["4", "more", "spans", "off", "the", "path", "0", "ms"]


def _lines(trace: Trace, *, everything: bool) -> list[str]:
    lines = waterfall(trace, Style(), everything=everything)
    return paint(lines, Style()).replace("\u202f", " ").splitlines()


def test_a_slow_request_at_80_columns_without_unicode() -> None:
    """The bars are shorter, the names are not."""
    assert _rows(slow_order(), Style(width=80, unicode=False)) == [
        "The request: POST /orders, 1,460 ms, 1-6b05a667-affeb9dbb0aa7f2b00000066",
        "                                        waited       took  0           1,460 ms",
        "orders-api/dev                            5 ms   1,460 ms  --------------------",
        "  Lambda CreateOrder                      6 ms   1,455 ms  --------------------",
        "    cold start                          300 ms     300 ms  ####",
        "    CreateOrder handler (502)             3 ms   1,148 ms      ----------------",
        "      validate \\x1b[31morder             10 ms      10 ms      |",
        "      DynamoDB PutItem orders             8 ms       8 ms      |",
        "      POST payments.example.c~ (503)    993 ms   1,070 ms      -##############",
        "        DNS payments.example.com          9 ms       9 ms      |",
        "        TCP 203.0.113.24:443             22 ms      22 ms      |",
        "        TLS 1.3                          36 ms      36 ms      #",
        "      audit                              67 ms     510 ms                     #",
        "      telemetry flush                        -      18 ms                     .",
        "    Lambda overhead                       1 ms       8 ms                     |",
    ]


def test_the_providers_own_span_stands_below_the_call() -> None:
    """With the name of its service; what it calls keeps its own name."""
    assert _rows(order(200))[6:9] == [
        "      POST payments.example.com           4 ms     166 ms       █────────────────────────────────█",
        "        payments POST /charges          160 ms     162 ms       ─████████████████████████████████",
        "          INSERT charges                  2 ms       2 ms        █",
    ]


def test_the_first_span_of_another_service_has_its_name() -> None:
    """Also where spans have no kinds, as Jaeger's may have none."""
    shop, cart = {"service.name": "shop"}, {"service.name": "cart"}
    inner = node("get", 20, 80, node("load", 30, 70, resource=cart), resource=cart)
    rows = _rows(tree(node("checkout", 0, 100, node("egress", 10, 90, inner, resource=shop), resource=shop), unit=MS))
    assert [row[:37].rstrip() for row in rows[2:]] == ["checkout", "  egress", "    cart get", "      load"]


def test_a_call_that_never_ended_is_running() -> None:
    """Its name is cut before the word; it ends with its parent."""
    assert _rows(timed_out())[6] == (
        "      POST a-rather-long-… (running)  2,977 ms   2,977 ms  ████████████████████████████████████████"
    )


def test_waited_adds_up_to_the_requests_time() -> None:
    """To the nanosecond in the path; here in whole milliseconds."""
    rows = _rows(order(200))[2:]
    waited = [row[37:46].strip() for row in rows]
    # 3.5 ms each of service and function share a row; the halves of Overhead and of what is around the handler round.
    assert sum(int(text.removesuffix(" ms")) for text in waited if text != "-") in (200, 201)


def test_a_throttled_call_says_so() -> None:
    """429, or the code of a throttling error."""
    throttled = put_item(20, 30, more={"http.status_code": 429})
    rows = _rows(tree(request(throttled, end=60), unit=MS))
    assert rows[5].startswith("      DynamoDB PutItem … (throttled)     10 ms      10 ms")


def test_names_are_measured_in_cells() -> None:
    """East-asian letters take two: the columns stay where they are."""
    rows = _rows(tree(request(node("注文を検証する", 20, 30), end=60), unit=MS))
    assert rows[5] == "      注文を検証する                     10 ms      10 ms               ███████"


def test_what_lies_beside_the_requests_tree_is_told() -> None:
    """Orphans, and other roots of the same trace."""
    spans = [*order(200).spans]
    lost = [
        Span(
            trace_id=order(200).trace_id,
            span_id=f"{number:016x}",
            parent_id="f" * 16 if number < 0xF3 else None,
            parent_remote=False,
            name=f"lost {number}",
            start_ns=T0 + number,
        )
        for number in range(0xF0, 0xF4)
    ]
    assert _rows(Trace(spans + lost))[-2:] == [
        "3 orphans (the parent was never recorded): lost 240, lost 241, lost 242",
        "1 more root in this trace: lost 243",
    ]
    narrow = _rows(Trace(spans + lost), Style(width=60))[-3:]
    assert narrow[:2] == ["3 orphans (the parent was never recorded): lost 240, lost", "241, lost 242"]


def test_a_caller_above_the_gateway_begins_the_request() -> None:
    """It is the first bar, what the gateway's request has stands below it, and there is no other root."""
    gateway = order(200).request_root
    caller = replace(gateway, span_id="f" * 16, attributes={}, name="curl", kind=SpanKind.CLIENT)
    inner = [span for span in order(200).spans if span is not gateway and span.span_id != gateway.span_id]
    trace = Trace([caller, replace(gateway, parent_id="f" * 16), *inner])
    names = [row[:37].strip() for row in _rows(trace)]
    assert names[2:5] == ["curl", "orders-api/dev", "Lambda CreateOrder"]
    assert not [name for name in names if "root" in name]


def test_of_many_spans_those_waited_for_longest_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """None without the one above it; the rest is counted with its time."""
    monkeypatch.setattr("lambda_latency.text.waterfall.MOST_ROWS", 8)
    calls = [put_item(10 + 10 * number, 10 + 10 * number + 1 + number % 5) for number in range(60)]
    trace = tree(request(*calls, end=640), unit=MS)
    rows = paint(waterfall(trace, Style(), owners=THEIRS.owners), Style()).replace("\u202f", " ").splitlines()
    assert [row[:46].rstrip() for row in rows[2:]] == [
        "orders-api/dev                            5 ms",
        "  Lambda CreateOrder                      6 ms",
        "    CreateOrder handler                 448 ms",
        "      DynamoDB PutItem orders             5 ms",
        "      DynamoDB PutItem orders             5 ms",
        "      DynamoDB PutItem orders             5 ms",
        "      DynamoDB PutItem orders             5 ms",
        "      DynamoDB PutItem orders             5 ms",
        "  56 more spans                         156 ms",
    ]


def test_a_handler_alone_has_the_name_of_its_function() -> None:
    """From its resource, else its own."""
    handler = node(
        "POST /orders", 0, 50, kind=SpanKind.SERVER, scope="lambda_latency.runtime", resource={"faas.name": "Create"}
    )
    assert _rows(tree(handler, unit=MS))[2].startswith("Create handler ")


def test_a_request_of_no_length_is_drawn_all_the_same() -> None:
    """Nothing is divided by it."""
    assert _rows(tree(node("nothing", 5, 5))) == [
        f"The request: nothing, 0 ms, 1-{TRACE_ID[:8]}-{TRACE_ID[8:]}",
        "                                        waited       took  0                                   0 ms",
        "nothing                                      -       0 ms  ┄",
    ]


def test_the_times_of_a_request_of_hours_stand_apart() -> None:
    """As of a WebSocket: the bars are shorter, and the axis has no end where there is no place."""
    hours = tree(node("GET /ws", 0, 4_294_000, node("message", 1000, 4_294_000)), unit=MS)
    assert _rows(hours, Style(width=80)) == [
        "The request: GET /ws, 4,294 s, 1-6b05a667-affeb9dbb0aa7f2b5d5ab5f9",
        "                                        waited       took  0            4,294 s",
        "GET /ws                               1,000 ms    4,294 s  ────────────────────",
        "  message                              4,293 s    4,293 s  ████████████████████",
    ]
    assert _rows(hours, Style(width=60))[2:] == [
        "                            waited       took  0    4,294 s",
        "GET /ws                   1,000 ms    4,294 s  ────────────",
        "  message                  4,293 s    4,293 s  ████████████",
    ]


def test_a_deep_trace_is_drawn_without_recursion() -> None:
    """Two thousand spans, each below the one before, all open but the first."""
    spans = [
        Span(
            trace_id=TRACE_ID,
            span_id=f"{number:016x}",
            parent_id=f"{number - 1:016x}" if number > 1 else None,
            name="s",
            start_ns=T0 + number,
            end_ns=T0 + 50_000 if number == 1 else None,
        )
        for number in range(1, 2_001)
    ]
    assert _rows(Trace(spans))[-1].startswith("  1,960 more spans")


def test_the_init_of_the_kit_lies_in_lambdas_own() -> None:
    """One cold start, counted once."""
    init = node("init", 2, 298, scope="lambda_latency.runtime")
    trace = tree(request(init, end=700, cold=300), unit=MS)
    lines = _rows(trace)
    assert [line.split("  ")[2] for line in lines if "cold start " in line[:20]] == ["cold start"]
    assert [line.strip().split("  ")[0] for line in lines if line.strip().startswith("init")] == ["init"]


def _drawn(walls_ms: list[float], style: Style, slow_ms: float | None = None) -> list[str]:
    walls = [round(wall * MS) for wall in walls_ms]
    lines = distribution(walls, None if slow_ms is None else round(slow_ms * MS), style)
    return paint(lines, style).replace("\u202f", " ").splitlines()


def test_requests_are_drawn_where_they_belong() -> None:
    """The most crowded column is full; `┊` is where the slow ones begin."""
    walls = [30.0] * 8 + [60.0] * 4 + [61.0] + [300.0] * 2 + [1500.0]
    assert _drawn(walls, Style(), slow_ms=300) == [
        "         █            ▄▁                             ▂┊                            ▁",
        "  20 ms            50           100          200              500          1 s           2 s",
    ]


def test_a_single_request_has_an_axis_too() -> None:
    """From the mark below it to the mark above."""
    assert _drawn([120.0], Style(width=60, unicode=False)) == [
        "              @",
        "  100 ms                                         200",
    ]


def test_very_short_and_very_long_ones_share_an_axis() -> None:
    """Labels that would touch are left out."""
    assert _drawn([0.2, 290_000.0], Style(width=60)) == [
        "  █                                            █",
        "  1 ms 5  10    50  200 500  2 s  10 s  50 s 200 s",
    ]


def test_nothing_is_drawn_of_nothing() -> None:
    """No axis without a request."""
    assert _drawn([], Style()) == []


def test_folded_stacks_add_up_to_all_requests() -> None:
    """The root first; of two requests that are alike, twice the time."""
    traces = [order(100, number=1), order(100, number=2)]
    folded = render_flame(stacks_of(traces, THEIRS.owners), "requests.folded")
    lines = dict(line.rsplit(" ", 1) for line in folded.splitlines())
    assert sum(map(int, lines.values())) * 1000 == sum(breakdown_of(trace).wall_ns for trace in traces)
    assert lines == EXPECTED


def test_nothing_is_lost_whatever_happens_to_a_request() -> None:
    """Cold starts, retries, timeouts: the sum is that of the wall clocks, to the nanosecond."""
    stacks = stacks_of(load(), THEIRS.owners)
    assert stacks.total() == sum(breakdown_of(trace).wall_ns for trace in load())


def test_the_name_of_the_file_says_the_format(tmp_path: Path) -> None:
    """Written by the command; the same total in each."""
    traces = tmp_path / "traces.jsonl"
    traces.write_text("".join(dump_line(trace.spans) for trace in load()))
    written = {}
    for name in ("a.folded", "a.speedscope.json", "a.json"):
        assert run_report(Request([traces], flame=str(tmp_path / name)), Style(), io.StringIO()) == 0
        written[name] = (tmp_path / name).read_text()
    total = sum(int(line.rsplit(" ", 1)[1]) for line in written["a.folded"].splitlines())
    [profile] = json.loads(written["a.speedscope.json"])["profiles"]
    slices = json.loads(written["a.json"])["traceEvents"]
    assert sum(profile["weights"]) == profile["endValue"] == total
    assert max(s["ts"] + s["dur"] for s in slices) == total
    roots = [s for s in slices if s["ts"] == 0]
    assert roots[0]["dur"] == max(s["dur"] for s in slices)


def test_a_name_ends_neither_its_frame_nor_its_line() -> None:
    """Whatever a trace calls its spans."""
    assert render_flame({("a;b", "c\n9"): 5_000}, "x") == "a,b;c\\x0a9 5\n"


HANDLER = "orders-api/dev;Lambda CreateOrder;CreateOrder handler"
EXPECTED = {
    "orders-api/dev": "10000",
    "orders-api/dev;Lambda CreateOrder": "7000",
    HANDLER: "20000",
    f"{HANDLER};DynamoDB PutItem orders": "24000",
    f"{HANDLER};POST payments.example.com": "8000",
    f"{HANDLER};POST payments.example.com;payments POST /charges": "120000",
    f"{HANDLER};POST payments.example.com;payments POST /charges;INSERT charges": "4000",
    "orders-api/dev;Lambda CreateOrder;Lambda overhead": "7000",
}
