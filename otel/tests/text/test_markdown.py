"""The report as Markdown: what a pull request shows, and nothing that a name could do to it."""

from lambda_latency.latency import Breakdowns, Component, report_of
from lambda_latency.latency.baseline.against import against
from lambda_latency.latency.breakdowns.component import OWN_CODE
from lambda_latency.latency.gate import read_gate
from lambda_latency.text import Style, render_report
from lambda_latency.text.markdown import render_markdown
from tests.latency.drawn_requests import TABLE, request
from tests.latency.generated import hundred
from tests.latency.system import THEIRS, breakdown_of


def test_a_report_for_a_pull_request() -> None:
    """The sentence, the table, the baseline, the gates."""
    current = [request(number, {OWN_CODE: 20 + number % 3, TABLE: 400 if number > 91 else 50}) for number in range(100)]
    baseline = [request(number, {OWN_CODE: 20 + number % 3, TABLE: 20}) for number in range(100)]
    report = report_of(current, lambda _: {}, against=against(current, baseline))
    judged = [read_gate(gate).judge(report) for gate in ("slower > 5%", "max > 2s")]
    assert render_markdown(report, judged).replace("\u202f", " ").split("\n\n") == [
        (
            "Slower than the baseline (100 requests then, 100 now): DynamoDB PutItem orders takes **30 ms more each "
            "time (between +25 ms and +35 ms)**. The cause is internal (AWS). Requests of POST /orders take 900 % "
            "more at p95."
        ),
        (
            "Next: Reduce the calls to DynamoDB PutItem orders: request less per call, batch repeated calls, run "
            "independent calls in parallel, and set the client's timeouts below the function's."
        ),
        (
            "8 of 100 requests of POST /orders (8 %) wait for **DynamoDB PutItem orders**: **350 ms** more than a "
            "typical one, **100 %** of the excess. The cause is internal (AWS)."
        ),
        "Medium confidence: it is the largest excess in all 8 slow requests.",
        (
            "| Against the baseline | owner | then | now | difference | between |  |\n"
            "|---|---|--:|--:|--:|--:|---|\n"
            "| DynamoDB PutItem orders | AWS | 20 ms | 50 ms | +30 ms | +25 ms to +35 ms | each time |\n"
            "| the whole request |  | 41 ms | 71 ms | +30 ms | +25 ms to +35 ms | typically |"
        ),
        (
            "- **fails**: Requests of POST /orders are slower than the baseline (at p95, because of DynamoDB PutItem "
            "orders) by 900 %: more than 5 %.\n"
            "- holds: The max of the wall clock is 0.422 s: not more than 2 s."
        ),
        "p50 71 ms · p95 420 ms · p99 422 ms · max 422 ms · cold 0 · errors 0 · timeouts 0 · seen 100",
        "100 requests seen; how many were not sampled is not in the traces.\n",
    ]


def test_names_neither_format_nor_call_nor_leave_their_cell() -> None:
    """Bars, marks, tags, line ends and at signs of a name are shown as they are."""
    name = "a|b **c** <img src=x> @octocat `d`\n[e](f) &amp;"
    slow = Component("external", name)
    current = [request(number, {OWN_CODE: 20, slow: 400 if number > 90 else 5}) for number in range(100)]
    baseline = Breakdowns(request(number, {OWN_CODE: 20, slow: 4}) for number in range(100))
    changed = against(Breakdowns(current), baseline, ["baseline"])
    text = render_markdown(report_of(current, lambda _: {}, against=changed))
    row = next(line for line in text.splitlines() if line.startswith("| a"))
    assert row.split(" | ")[0] == (r"| a\|b \*\*c\*\* \<img src=x> @<!-- -->octocat \`d\`\\x0a\[e\](f) &amp;amp;")
    assert "@octocat" not in text


def test_every_kind_of_verdict_can_be_written() -> None:
    """Nothing, one request, timeouts, a clear one."""
    traces = hundred()
    by_id = {trace.trace_id: trace for trace in traces}
    for subset in ([], traces[:1], traces[:8], traces):
        report = report_of(
            [breakdown_of(trace) for trace in subset],
            lambda ids: {key: by_id[key] for key in ids},
            owners=THEIRS.owners,
        )
        assert render_markdown(report).endswith("\n")


def test_no_share_is_more_than_all_of_the_difference() -> None:
    """Where other parts take less in slow requests, one explains more than all: the sentence says 100 %."""
    typical = [request(number, {TABLE: 50, OWN_CODE: 20}) for number in range(100)]
    report = report_of(
        [*typical, *(request(200 + number, {TABLE: 450, OWN_CODE: 1}) for number in range(5))], lambda _: {}
    )
    assert report.comparison.components[0].difference_ns > report.comparison.difference_ns
    texts = (render_markdown(report).replace("\u202f", " "), render_report(report, Style(width=100, thin=False)))
    assert [text.count("100 %") for text in texts] == [1, 1]
    assert not [text for text in texts if "105 %" in text]
