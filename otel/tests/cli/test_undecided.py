"""The command `report` where traces cannot decide: the exit statuses 5 and 6, and which status beats which."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.trace import SpanKind, Trace, dump_line
from tests.trace.build import MS, Node, node, tree

SERVICES = ("baskets", "mail", "orders", "stock")
NO_REQUEST, HOLDS, FAILS, SLOWER = "p95(GET /nothing) > 1ms", "p95 > 10s", "p95 > 1ms", "slower > 5%"


def _request(number: int, times: float) -> Trace:
    """A request that calls four services, each with a database; all of them take so many times as long."""
    calls: list[Node] = []
    at = 0.0
    for place, name in enumerate(SERVICES):
        own, query = ((20 + (number * (place + step)) % 7) * times for step in (2, 5))
        resource = {"service.name": name}
        database = {"db.system": "postgresql", "db.name": name}
        inner = node(
            "SELECT",
            at + 2 * times,
            at + 2 * times + query,
            kind=SpanKind.CLIENT,
            attributes=database,
            resource=resource,
        )
        end = at + own + query + 4 * times
        server = node("GET /", at + times, end - times, inner, kind=SpanKind.SERVER, resource=resource)
        url = {"http.url": f"http://{name}.internal/"}
        calls.append(
            node("GET", at, end, server, kind=SpanKind.CLIENT, attributes=url, resource={"service.name": "shop"})
        )
        at = end
    route = {"http.request.method": "GET", "http.route": "/basket"}
    top = node("GET /basket", 0, at, *calls, kind=SpanKind.SERVER, attributes=route, resource={"service.name": "shop"})
    return tree(top, unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, float], str]:
    """Write sixty requests, whose work takes so many times as long."""

    def written(name: str, times: float) -> str:
        path = tmp_path / name
        path.write_text("".join(dump_line(_request(number, times).spans) for number in range(60)))
        return str(path)

    return written


def _ended(*arguments: str) -> int:
    return main(["report", *arguments, "--ascii"])


def test_a_machine_that_slows_all_alike_ends_with_6(
    write: Callable[[str, float], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence, the JSON and the reason on stderr say so; without the condition it ends with 0."""
    now, then = write("now.jsonl", 1.5), write("then.jsonl", 1.0)
    assert _ended(now, "--against", then, "--fail-if", SLOWER, "--json", "-") == 6
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert (told["against"]["answer"], told["against"]["slower_percent"]) == ("disturbed", 0)
    assert told["against"]["sentence"].startswith(
        "Disturbed (60 requests then, 60 now): nearly all parts became slower"
    )
    assert [(one["failed"], one["unsure"], one["disturbed"]) for one in told["gates"]] == [(False, False, True)]
    assert "Everything became slower alike, which is the machine; run it again" in printed.err
    assert _ended(now, "--against", then) == 0


def test_a_condition_that_no_request_decides_ends_with_5(
    write: Callable[[str, float], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A route without requests, and a comparison of too few."""
    now = write("now.jsonl", 1.0)
    assert _ended(now, "--fail-if", NO_REQUEST) == 5
    assert "No request of GET /nothing: p95(GET /nothing) > 1ms cannot be judged." in capsys.readouterr().err
    few = Path(now).with_name("few.jsonl")
    few.write_text("".join(Path(now).read_text().splitlines(keepends=True)[:5]))
    assert _ended(now, "--against", str(few), "--fail-if", SLOWER) == 5
    assert "Too few requests to compare with the baseline: slower > 5% cannot be judged." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ((HOLDS,), 4),
        ((HOLDS, SLOWER), 6),
        ((SLOWER, NO_REQUEST), 5),
        ((SLOWER, NO_REQUEST, FAILS), 3),
    ],
)
def test_3_beats_5_beats_6_beats_4(
    write: Callable[[str, float], str], conditions: tuple[str, ...], status: int
) -> None:
    """One line of the file cannot be read."""
    now, then = write("now.jsonl", 1.5), write("then.jsonl", 1.0)
    with Path(now).open("a") as file:
        file.write("nothing\n")
    gates = [word for one in conditions for word in ("--fail-if", one)]
    assert _ended(now, "--against", then, *gates) == status
