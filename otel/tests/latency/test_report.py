"""Whole reports for a terminal: one text for each kind of verdict, and colour."""

from collections.abc import Collection, Sequence

from lambda_latency.latency import Report, report_of
from lambda_latency.latency.breakdowns.totals import UNKNOWN, Traffic, Unknown
from lambda_latency.text import Style, render_report
from lambda_latency.trace import Problem, Trace
from tests.latency.generated import few, hundred, load, mixed
from tests.latency.system import THEIRS, breakdown_of, order
from tests.trace.build import MS

CLEAR = """\
10 of 119 requests of POST /orders (8 %) wait for payments.example.com: 1,183 ms more than a typical
one, 90 % of the excess. The cause is external.
Medium confidence: it is the largest excess in 10 of the 11 slow requests.
Next: Set a timeout for the call to payments.example.com below the function's, respond without its
result when it is late, and move the call to a queue if the caller does not need the result. Ask its
owner with a trace id.
1 of 120 requests timed out. POST a-rather-long-name.payments.example.com was still running, for
2,977 ms. The call is external, the limit is internal.
Too few to tell: 1 request for retries of DynamoDB orders (888 ms).

p50 109 ms · p95 1,290 ms · p99 1,440 ms · max 3,010 ms · cold 1 · errors 1 · timeouts 1 · seen 5 %
A cold start costs 0.242 GB-s and $4.03 a million for each GB of memory (x86_64, public list prices
of us-east-1, 2026-09-19).
             ▇▇▇██▆▇                      ▁┊              ▁   ▂▁▁▁             ▁
  50 ms        100          200              500          1 s          2 s               5 s

Timed out: POST /orders, 3,010 ms, 1-6b05a667-affeb9dbb0aa7f2b00000069
                                        waited       took  0                               3,010 ms
orders-api/dev                            5 ms   3,010 ms  ────────────────────────────────────────
  Lambda CreateOrder                      6 ms   3,005 ms  ────────────────────────────────────────
    CreateOrder handler                   9 ms   2,998 ms  ────────────────────────────────────────
      DynamoDB PutItem orders            12 ms      12 ms  ▏
      POST a-rather-long-… (running)  2,977 ms   2,977 ms  ████████████████████████████████████████
    Lambda overhead                       1 ms       8 ms                                         ▏

One of them: POST /orders, 1,290 ms, 1-6b05a667-affeb9dbb0aa7f2b000000cb
                                        waited       took  0                               1,290 ms
orders-api/dev                            5 ms   1,290 ms  ────────────────────────────────────────
  Lambda CreateOrder                      6 ms   1,285 ms  ────────────────────────────────────────
    CreateOrder handler                  10 ms   1,278 ms  ────────────────────────────────────────
      DynamoDB PutItem orders            12 ms      12 ms  █
      POST payments.example.com           4 ms   1,256 ms  ────────────────────────────────────────
        payments POST /charges        1,250 ms   1,252 ms  ████████████████████████████████████████
          INSERT charges                  2 ms       2 ms  ▏
      telemetry flush                        -      15 ms                                         ┄
    Lambda overhead                       1 ms       8 ms                                         ▏

Log lines of the example (payments.example.com), in /aws/lambda/CreateOrder:
fields @timestamp, @message | filter @message like "1-6b05a667-affeb9dbb0aa7f2b000000cb" | sort
@timestamp asc | limit 200

5 % of the traffic seen (120 of 2,394). Every span was read.
"""


THIN = """\
Thin evidence: 2 of 14 requests of POST /orders took over 640 ms, and each for another reason.
DynamoDB PutItem orders explains 48 % of the difference (338 ms), cold start 46 % (321 ms). No one
part stands out.
Low confidence: 14 requests, 2 slow; DynamoDB PutItem orders is the largest part in 1 of the 2. Too
few to tell: 8 slow requests with one cause are needed.

p50 96 ms · p95 810 ms · p99 810 ms · max 810 ms · cold 1 · errors 0 · timeouts 0 · seen 14
A cold start costs 0.642 GB-s and $10.70 a million for each GB of memory (x86_64, public list prices
of us-east-1, 2026-09-19).
                   ▆█▆▄                                                      ┊    ▄
  50 ms               100                 200                       500                  1 s

One for each reason:
--trace 1-6b05a667-affeb9dbb0aa7f2b00000064  DynamoDB PutItem orders
--trace 1-6b05a667-affeb9dbb0aa7f2b00000065  cold start

14 requests seen; how many were not sampled is not in the traces. Every span was read.
"""

DEPENDING = """\
Thin evidence: 6 of 66 requests of POST /orders took over 400 ms. payments.example.com explains 60 %
of the difference (290 ms), DynamoDB PutItem orders 39 % (188 ms). No one part stands out.
Low confidence: 66 requests, 6 slow; payments.example.com is the largest part in 3 of the 6. Too few
to tell: 8 slow requests with one cause are needed."""

EVEN = """\
Nothing stands out.
Every request was compared with those of its own route. Most of their time (69 %) is
payments.example.com. Judged: POST /orders.

p50 109 ms · p95 127 ms · p99 129 ms · max 129 ms · cold 0 · errors 0 · timeouts 0 · seen 120
                                      ▃▃▆▃▆▃▆▃▆▆▃▆▆▃▆▆▆▆▆▆▆▃█▃
  50 ms                                      100                                         200

120 requests seen; how many were not sampled is not in the traces. Every span was read.
"""

ONE = """\
One request, 200 ms: here is where it went. 166 ms (83 %) for payments.example.com, 12 ms for
DynamoDB PutItem orders, 10 ms for its own code.
One request cannot tell slow from typical: no cause is named. Give more traces for a verdict.

Where the time goes      owner       time                                  share  calls
payments.example.com     external  166 ms  ██████████████████████████████   83 %      1
DynamoDB PutItem orders  AWS        12 ms  ██▏                               6 %      1
own code                 internal   10 ms  █▊                                5 %      -
API Gateway              platform    5 ms  ▉                                 3 %      -
Lambda overhead          platform    4 ms  ▋                                 2 %      -
Lambda service           platform    4 ms  ▋                                 2 %      -

The request: POST /orders, 200 ms, 1-6b05a667-affeb9dbb0aa7f2b00000000
                                        waited       took  0                                 200 ms
orders-api/dev                            5 ms     200 ms  █───────────────────────────────────────
  Lambda CreateOrder                      6 ms     195 ms  █───────────────────────────────────────
    CreateOrder handler                  10 ms     188 ms   ██───────────────────────────────────█
      DynamoDB PutItem orders            12 ms      12 ms    ███
      POST payments.example.com           4 ms     166 ms       █────────────────────────────────█
        payments POST /charges          160 ms     162 ms       ─████████████████████████████████
          INSERT charges                  2 ms       2 ms        █
      telemetry flush                        -      15 ms                                         ┄
    Lambda overhead                       1 ms       8 ms                                         ▏

Log lines of the example (payments.example.com), in /aws/lambda/CreateOrder:
fields @timestamp, @message | filter @message like "1-6b05a667-affeb9dbb0aa7f2b00000000" | sort
@timestamp asc | limit 200

1 request seen; how many were not sampled is not in the traces. Every span was read.
"""


def _report(
    traces: Sequence[Trace],
    *,
    slow_ns: int | None = None,
    traffic: Traffic | Unknown = UNKNOWN,
    problems: Sequence[Problem] = (),
    notes: Sequence[str] = (),
) -> Report:
    by_id = {trace.trace_id: trace for trace in traces}

    def find(trace_ids: Collection[str]) -> dict[str, Trace]:
        return {trace_id: by_id[trace_id] for trace_id in trace_ids}

    accounts = [breakdown_of(trace) for trace in traces]
    return report_of(
        accounts, find, slow_ns=slow_ns, problems=problems, traffic=traffic, notes=notes, owners=THEIRS.owners
    )


def _text(report: Report, style: Style) -> str:
    """The report with thin no-break spaces replaced by plain ones, which editors show."""
    return render_report(report, style).replace("\u202f", " ")


def test_a_clear_verdict_at_100_columns() -> None:
    """The sentence, evidence, timeout, next step, facts, distribution, waterfalls, and missing data."""
    assert _text(_report(hundred(), traffic=Traffic(2394)), Style()) == CLEAR


def test_at_80_columns_without_unicode_the_table_has_owners_and_bars() -> None:
    """The text is pure ASCII."""
    text = render_report(_report(hundred()), Style(width=80, unicode=False), everything=True)
    assert text.isascii()
    table = text.partition("Where the time goes")[2].splitlines()[:2]
    assert table == [
        "                   owner       mean  share  calls",
        "payments.example.com                  external  165 ms   71 %    119  1 error",
    ]


def test_thin_evidence_names_candidates_and_blames_none() -> None:
    """The text begins with the doubt and says what would settle it."""
    assert _text(_report(few(), slow_ns=640 * MS), Style()) == THIN


def test_a_part_of_half_of_the_slow_requests_does_not_stand_out() -> None:
    """Three slow requests wait for payments, three for the table."""
    text = _text(_report(mixed(), slow_ns=400 * MS), Style())
    assert text.split("\n\n")[0] == DEPENDING


def test_if_nothing_stands_out_nothing_is_drawn() -> None:
    """No table and no waterfall, except with `everything`."""
    report = _report([order(90 + number % 40, number=number) for number in range(120)])
    assert _text(report, Style()) == EVEN
    everything = render_report(report, Style(), everything=True)
    assert "Where the time goes" in everything
    assert "The slowest: POST /orders" in everything


def test_one_request_is_not_compared() -> None:
    """The report shows its parts and its waterfall."""
    assert _text(_report([order(200)]), Style()) == ONE


def test_few_requests_are_reported_without_a_threshold_too() -> None:
    """Two are beyond the threshold of their route."""
    text = _text(_report(few()), Style())
    assert text.startswith("Thin evidence: 2 of 14 requests of POST /orders are slow, and each for another reason.")


def test_a_report_without_traces_is_a_line() -> None:
    """And the problems, but no empty table."""
    problem = Problem("t.jsonl", 1, "cut")
    assert _text(_report([], problems=[problem] * 7), Style()).splitlines() == [
        "No requests: no trace was read.",
        *["t.jsonl:1: cut"] * 5,
        "2 more: --problems shows them.",
    ]


def test_skipped_input_is_reported_at_the_end() -> None:
    """Before the notes; inconsistencies that were counted all the same are not called skipped."""
    skipped, counted = Problem("t.jsonl", 1, "cut"), Problem("t.jsonl", 2, "twice", "counted")
    lines = _text(_report([order()], problems=[skipped, skipped, counted], notes=["A note."]), Style()).splitlines()
    assert lines[-3:] == [
        "1 request seen; how many were not sampled is not in the traces. 2 things skipped while reading:",
        "--problems shows them.",
        "A note.",
    ]
    assert _text(_report([order()], problems=[counted], traffic=Traffic(4)), Style()).splitlines()[-1:] == [
        "25 % of the traffic seen (1 of 4). Every span was read. 1 inconsistency: --problems shows it.",
    ]


def test_numbers_and_units_are_not_separated() -> None:
    """A thin no-break space is between them."""
    assert "p50 135\u202fms · p95 900\u202fms" in render_report(_report(load()), Style())


def test_colour_changes_no_text() -> None:
    """Everything with a colour also has a word."""
    inked = render_report(_report(hundred()), Style(colour=True))
    for code in ("1", "2", "31", "33", "34"):
        assert f"\x1b[{code}m" in inked or code in ("33", "34")
        inked = inked.replace(f"\x1b[{code}m", "")
    assert inked.replace("\x1b[0m", "") == render_report(_report(hundred()), Style())
