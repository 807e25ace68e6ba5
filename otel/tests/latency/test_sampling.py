"""What a report says about requests without traces."""

from pathlib import Path

import pytest

from lambda_latency.latency import report_of
from lambda_latency.latency.breakdowns.breakdown import Breakdown
from lambda_latency.latency.breakdowns.totals import HOUR_NS, Traffic, Unknown
from lambda_latency.latency.loading.load import load
from lambda_latency.text import Style
from lambda_latency.text.facts import sampling
from lambda_latency.trace import Problem, Source, dump_line
from tests.latency.generated import few
from tests.latency.system import breakdown_of
from tests.trace.readers.test_xray import FUNCTION, GATEWAY, HANDLER, PUT, SERVICE, _answer

HOUR = 1_795_600_800 * 1_000_000_000  # 2026-11-25T10:00:00Z


def seen(*per_hour: int, routes: tuple[str, ...] = ("POST /orders",)) -> list[Breakdown]:
    """These numbers of requests in consecutive hours, with the routes in turn."""
    breakdown = breakdown_of(few()[0])
    return [
        breakdown._replace(
            trace_id=f"{hour:016x}{number:016x}",
            start_ns=HOUR + hour * HOUR_NS + number,
            route=routes[number % len(routes)],
        )
        for hour, count in enumerate(per_hour)
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("accounts", "traffic", "said"),
    [
        (seen(2), Unknown(), "2 requests seen; how many were not sampled is not in the traces."),
        (seen(1), Unknown("is not known: no"), "1 request seen; how many were not sampled is not known: no."),
        (seen(5), Traffic(50), "10 % of the traffic seen (5 of 50)."),
        (
            seen(5),
            Traffic(8, without_stage=1),
            "50 % of the traffic seen (4 of 8). 1 more request came another way, which is not counted.",
        ),
        (
            seen(5),
            Traffic(4),
            "5 requests seen, and only 4 counted so far: the share of the traffic is unknown.",
        ),
        (
            seen(10, 10, 1),
            Traffic(231, by_hour={HOUR: 20, HOUR + HOUR_NS: 200, HOUR + 2 * HOUR_NS: 0}),
            "9 % of the traffic seen (21 of 231). By hour: from 5 % (11-25 11:00Z) to 50 % (11-25 10:00Z).",
        ),
        (seen(10), Traffic(20, by_hour={HOUR: 20}), "50 % of the traffic seen (10 of 20)."),
        (
            seen(4, routes=("A", "B")),
            Traffic(56, by_route={"A": 10, "B": 4, "C": 20, "D": 8, "E": 8, "F": 6}),
            "7 % of the traffic seen (4 of 56). By route: C 0 %, A 20 %, D 0 %, E 0 %, and 2 more.",
        ),
        (seen(4), Traffic(56, by_route={"A": 10, "B": 4}), "7 % of the traffic seen (4 of 56)."),
    ],
)
def test_the_share_of_the_traffic_is_reported_as_far_as_it_is_known(
    accounts: list[Breakdown], traffic: Traffic | Unknown, said: str
) -> None:
    """By route if the reports have the same route names, by hour if there are two whole hours."""
    report = report_of(accounts, lambda _: {}, traffic=traffic)
    assert sampling(report, Style(unicode=False)) == said


def test_a_source_of_whole_traces_has_the_same_accounts(tmp_path: Path) -> None:
    """Lines of X-Ray and OTLP, each with a whole trace."""
    lines = [dump_line(trace.spans) for trace in few()]
    lines += [_answer(GATEWAY, SERVICE, FUNCTION, HANDLER, PUT) + "\n"]
    path = tmp_path / "t.jsonl"
    for text in ("".join(lines), "".join(reversed(lines))):
        path.write_text(text)
        problems: list[Problem] = []
        retained, let_go = (load([Source("t", path, whole=whole)], problems) for whole in (False, True))
        assert problems == []
        assert sorted(let_go, key=lambda a: a.trace_id) == sorted(retained, key=lambda a: a.trace_id)
