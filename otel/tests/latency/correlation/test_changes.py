"""What a change against a baseline depends on: the requests that changed are compared with others now."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.cli import main
from lambda_latency.latency import Report, against, breakdown_of, report_of
from lambda_latency.text import Style, cards, document, flat, render_markdown, render_report
from lambda_latency.trace import SpanKind, Trace, dump_line
from tests.latency.attributed import SECOND, read
from tests.trace.build import MS, node, tree

SHOP, MAIL = {"service.name": "shop"}, {"service.name": "mail"}
WIDE = Style(width=10_000, unicode=False, thin=False)


def _order(number: int, draw: random.Random, more_ms: Callable[[str], float], mails: Callable[[str], bool]) -> Trace:
    """An order of a tenant: about 20 ms for the table, and a mail."""
    tenant = f"t-{draw.randrange(5)}"
    took = draw.lognormvariate(3, 0.1) + more_ms(tenant)
    table = node("SELECT", 2, 2 + took, kind=SpanKind.CLIENT, resource=SHOP,
                 attributes={"db.system": "postgresql", "db.name": "orders"})  # fmt: skip
    end, below = 2 + took, [table]
    if mails(tenant):
        served = node("Send", end + 1, end + 9, kind=SpanKind.SERVER, resource=MAIL)
        below.append(node("POST", end, end + 10, served, kind=SpanKind.CLIENT, resource=SHOP))
        end += 10
    attributes = {"tenant.id": tenant, "cart.items": draw.randrange(40), "http.route": "/orders"}
    root = node("POST /orders", 0, end + 2, *below, kind=SpanKind.SERVER, resource=SHOP, attributes=attributes)
    made = tree(root, unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}")
    later = number * SECOND
    return Trace(
        replace(span, start_ns=span.start_ns + later, end_ns=(span.end_ns or 0) + later) for span in made.spans
    )


def _report(more_ms: Callable[[str], float] = lambda _: 0, mails: Callable[[str], bool] = lambda _: True) -> Report:
    """200 orders, against 200 orders of equal tenants."""
    draw = random.Random(1)  # noqa: S311 - a seed that can be repeated
    current = {trace.trace_id: trace for trace in (_order(number, draw, more_ms, mails) for number in range(200))}
    then = [_order(number, draw, lambda _: 0, lambda _: True) for number in range(200)]
    accounts, earlier = [breakdown_of(trace) for trace in current.values()], [breakdown_of(trace) for trace in then]
    baseline = report_of(earlier, lambda _: {}).breakdowns
    return report_of(
        accounts, lambda ids: {key: current[key] for key in ids}, against=against(accounts, earlier), baseline=baseline,
        spans=lambda ids: read(current, ids),
    )  # fmt: skip


def _told(report: Report) -> Any:
    return json.loads(json.dumps(document(report, command="", version="")))["against"]


def test_a_slower_cell_names_the_tenant_whose_requests_are_slower() -> None:
    """In text, JSON and Markdown: none of its requests need stand out of its route."""
    report = _report(more_ms=lambda tenant: 30 if tenant == "t-3" else 0)
    [match] = _told(report)["depends"]
    slower, of = match["slow"]["requests"], match["slow"]["of"]
    assert (_told(report)["answer"], match["cell"]["name"], match["callee"]) == ("slower", "postgresql orders", None)
    assert [(value["attribute"], value["value"]) for value in match["values"]] == [("tenant.id", "t-3")]
    assert (match["others"]["requests"], slower > of / 2) == (0, True)
    said = f"It depends: {slower} of {of} slower requests have tenant.id = t-3; none of the other requests do."
    assert match["sentence"] == said
    assert [flat(text) for text in cards(report, WIDE)[0].correlation] == [said]
    assert said in render_report(report, WIDE)
    assert "slower requests have **tenant.id = t-3**" in render_markdown(report)


@pytest.mark.parametrize(("tenants", "count"), [("t-2", 1), ("", 0)])
def test_a_call_that_is_gone_names_the_tenant_whose_requests_lack_it(tenants: str, count: int) -> None:
    """If all requests lack it, nothing sets them apart."""
    report_json = _told(_report(mails=lambda tenant: bool(tenants) and tenant not in tenants))
    assert (report_json["answer"], len(report_json["depends"])) == ("shape", count)
    for finding in report_json["depends"]:
        assert (finding["callee"], finding["lacks"], finding["cell"]) == ("mail POST", True, None)
        assert finding["sentence"].startswith("It depends: all ")
        assert "requests without mail POST have tenant.id = t-2; none of" in finding["sentence"]


def test_nothing_is_told_where_all_requests_are_slower() -> None:
    """Nor where nothing changed, and then nothing is read again."""
    assert _told(_report(more_ms=lambda _: 30))["depends"] == []
    unchanged = _report()
    assert (_told(unchanged)["answer"], unchanged.correlations.read) == ("same", 0)


def test_an_assistant_hears_it_with_quoted_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After the sentence of the comparison."""
    draw = random.Random(1)  # noqa: S311 - a seed that can be repeated

    def written(name: str, more_ms: Callable[[str], float]) -> str:
        path = tmp_path / name
        made = (_order(number, draw, more_ms, lambda _: True) for number in range(200))
        path.write_text("".join(dump_line(trace.spans) for trace in made))
        return str(path)

    new, then = written("now.jsonl", lambda tenant: 30 if tenant == "t-3" else 0), written("then.jsonl", lambda _: 0)
    assert main(["report", new, "--against", then, "--format", "brief"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Slower than the baseline (")
    assert lines[1].startswith("It depends: ")
    assert lines[1].endswith(' slower requests have "tenant.id" = "t-3"; none of the other requests do.')
