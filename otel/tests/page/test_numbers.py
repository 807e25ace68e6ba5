"""One number per thing: what the page's rows say of a finding is what text, Markdown and JSON say of it."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from lambda_latency.latency import Breakdowns, Report, against, report_of
from lambda_latency.page import page_values
from lambda_latency.text import Style, document, render_markdown, render_report
from lambda_latency.trace import Trace
from tests.latency.attributed import Order, attributed
from tests.latency.generated import few, hundred
from tests.latency.system import THEIRS, breakdown_of
from tests.page import firsts, samples
from tests.page.shop import shop


def _acme(number: int, _draw: object) -> Order:
    return Order(number, {"tenant.id": f"t-{number % 10}"}, {}, {})


REPORTS: dict[str, Callable[[], tuple[Sequence[Trace], Sequence[Trace]]]] = {
    "three causes": lambda: (firsts.three_classes(), ()),
    "a set of two": lambda: (firsts.fifty(), ()),
    "an attribute": lambda: (attributed(_acme, lambda order, _: order.first["tenant.id"] == "t-3"), ()),
    "own code": lambda: (firsts.sampled(), ()),
    "a shop": lambda: (shop(), ()),
    "all sorts": lambda: (samples.many(600), ()),
    "timeouts": lambda: (hundred(), ()),
    "few": lambda: (few(), ()),
    "all failed": lambda: (firsts.all_failed(), ()),
    "a baseline": lambda: (samples.many(600), samples.even()),
}


OF_SLOW = ("class", "change", "rest", "verdict")  # kinds of findings that slow requests belong to


def _report(traces: Sequence[Trace], baseline: Sequence[Trace]) -> Report:
    by_id = {trace.trace_id: trace for trace in traces}
    current, earlier = (Breakdowns(map(breakdown_of, group)) for group in (traces, baseline))
    return report_of(
        current,
        lambda trace_ids: {trace_id: by_id[trace_id] for trace_id in trace_ids},
        owners=THEIRS.owners,
        against=against(current, earlier, ["before.jsonl"]) if baseline else None,
        baseline=earlier if baseline else None,
        spans=lambda trace_ids: (span for trace_id in trace_ids for span in by_id[trace_id].spans),
    )


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\\(.)|\*\*", r"\1", text).replace("\u202f", " ").split())


def _numbers(finding: dict[str, Any]) -> Iterator[str]:
    """The numbers that the row of a class or of a change has, as sentences have them."""
    row = finding["row"]
    yield _plain(row["time"]).lstrip("+\u2212-")
    if finding["kind"] == "class":
        yield "{0} of {2} requests".format(*row["requests"].split(" "))


def _lacking(finding: dict[str, Any], outputs: dict[str, str]) -> list[tuple[str, str]]:
    """The numbers of a row that an output does not have."""
    texts = {**outputs, "page": _plain("".join(piece["text"] for piece in finding["pieces"]))}
    return [(where, number) for number in _numbers(finding) for where, text in texts.items() if number not in text]


@pytest.mark.parametrize("name", REPORTS)
def test_a_finding_has_the_same_numbers_everywhere(name: str) -> None:
    """In ten reports: the page's row, its sentence, text, Markdown and JSON."""
    traces, baseline = REPORTS[name]()
    report = _report(traces, baseline)
    page, _ = page_values(report, lambda _: {}, command="", version="")
    values: Any = document(report, command="", version="")
    compared = values["against"]["sentence"] if values["against"] else ""
    outputs = {
        "text": _plain(render_report(report, Style())),
        "Markdown": _plain(render_markdown(report)),
        "JSON": _plain(" ".join([compared, *(group["sentence"] for group in values["classes"])])),
    }
    findings: Any = page["findings"]
    causes = [finding for finding in findings if finding["kind"] in ("class", "change") and "time" in finding["row"]]
    assert [lacking for finding in causes for lacking in _lacking(finding, outputs)] == []


@pytest.mark.parametrize("name", REPORTS)
def test_the_bar_has_all_excess_time(name: str) -> None:
    """Its pieces add up; a class has its share of the excess that JSON has, and the rest is a piece of its own."""
    traces, baseline = REPORTS[name]()
    report = _report(traces, baseline)
    page, _ = page_values(report, lambda _: {}, command="", version="")
    findings: Any = page["findings"]
    slow: Any = page["slow"]
    of_slow = [finding for finding in findings if finding["kind"] in OF_SLOW]
    members = {member for finding in of_slow for member in finding.get("members", ())}
    pieces_ns = sum(finding["row"].get("excess_ns", 0) for finding in of_slow)
    is_judged = report.verdict.kind in ("clear", "thin")
    whole_ns = report.groups.excess_ns if is_judged else 0
    assert members >= set(slow) or not is_judged
    assert (pieces_ns > whole_ns) == (not members <= set(slow))
    assert pieces_ns >= whole_ns


def test_what_no_finding_explains_is_a_piece() -> None:
    """Of twelve requests that take many times as long as others of a route whose times vary widely."""
    report = _report(samples.many(600), ())
    page, _ = page_values(report, lambda _: {}, command="", version="")
    findings: Any = page["findings"]
    remainder = findings[-1]
    assert (remainder["kind"], remainder["row"]["name"]) == ("rest", "In no finding")
    explained = {member for finding in findings if finding["kind"] == "class" for member in finding["members"]}
    slow: Any = page["slow"]
    assert set(remainder["members"]) == set(slow) - explained
    assert remainder["row"]["excess_ns"] > 0
