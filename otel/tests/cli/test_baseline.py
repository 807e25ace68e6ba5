"""The command `report` with a baseline, gates and Markdown: what it writes, and the statuses by which it ends."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

import lambda_latency.text
from lambda_latency.cli import main
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency.gate import read_gate
from lambda_latency.text import Style
from lambda_latency.trace import SpanKind, Trace, dump_line
from tests.latency.generated import hundred
from tests.latency.system import THEIRS, order
from tests.trace.build import MS, Node, node, tree

SCHEMA = json.loads((Path(lambda_latency.text.__file__).parent / "report.schema.json").read_text())


def _orders(path: Path, ms: int, count: int) -> Path:
    path.write_text("".join(dump_line(order(ms + number % 5, number=number).spans) for number in range(count)))
    return path


@pytest.fixture
def current(tmp_path: Path) -> Path:
    """Fifty orders, whose charge takes 150 ms and more."""
    return _orders(tmp_path / "now.jsonl", 150, 50)


@pytest.fixture
def then(tmp_path: Path) -> Path:
    """Forty orders, whose charge takes 50 ms and more."""
    return _orders(tmp_path / "then.jsonl", 50, 40)


def test_what_changed_stands_in_text_and_json(current: Path, then: Path) -> None:
    """In the same words; the JSON is what the schema says, and so it is where nothing changed or too few came."""
    too_few = current.with_name("few.jsonl")
    too_few.write_text("".join(then.read_text().splitlines(keepends=True)[:5]))
    doc = {}
    for kind, baseline in (("slower", then), ("same", current), ("few", too_few)):
        out = io.StringIO()
        assert (
            run_report(Request([current], against=str(baseline), json="-", analysis_options=THEIRS), Style(), out) == 0
        )
        doc = json.loads(out.getvalue())
        jsonschema.validate(doc, SCHEMA)
        assert (doc["against"]["answer"], doc["against"]["sources"]) == (kind, [str(baseline)])
        text = io.StringIO()
        run_report(Request([current], against=str(baseline), analysis_options=THEIRS), Style(), text)
        assert doc["against"]["sentence"] in " ".join(text.getvalue().replace("\u202f", " ").split())
        if kind == "slower":
            [payments, *_] = doc["against"]["buckets"]
            assert (payments["name"], payments["change"]) == ("payments.example.com", "slower")
            assert payments["typical"]["difference_ns"] == 100_000_000


def test_a_gate_ends_with_3_and_says_why(current: Path, then: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, so that it is seen beside JSON too; a gate that holds says nothing."""
    gates = ["--fail-if", "slower > 5%", "--fail-if", "p95 > 10s", "--fail-if", "share(external) > 10%"]
    assert main(["report", str(current), "--against", str(then), *gates, "--format", "json"]) == 3
    printed = capsys.readouterr()
    doc = json.loads(printed.out)
    jsonschema.validate(doc, SCHEMA)
    assert [gate["failed"] for gate in doc["gates"]] == [True, False, True]
    said = printed.err.splitlines()
    assert [line.split(":")[0] for line in said] == ["lambda-latency"] * 2
    assert [line.partition(": ")[2] for line in said] == [doc["gates"][index]["sentence"] for index in (0, 2)]
    assert main(["report", str(current), "--against", str(current), "--fail-if", "slower > 5%"]) == 0
    assert capsys.readouterr().err == ""


def test_a_gate_beats_what_was_skipped_and_not_what_was_not_there(current: Path) -> None:
    """3 before 4; where nothing was readable it is 1."""
    gate = read_gate("max > 1ms")
    current.write_text(current.read_text() + "{cut")
    assert run_report(Request([current], analysis_options=THEIRS), Style(), io.StringIO()) == 4
    assert run_report(Request([current], fail_if=[gate], analysis_options=THEIRS), Style(), io.StringIO()) == 3
    current.write_text("")
    assert run_report(Request([current], fail_if=[gate], analysis_options=THEIRS), Style(), io.StringIO()) == 1


def test_markdown_goes_to_a_file_or_takes_the_texts_place(current: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` is for what posts it."""
    path = current.with_name("comment.md")
    assert main(["report", str(current), f"--format=markdown={path}"]) == 0
    capsys.readouterr()
    assert main(["report", str(current), "--format", "markdown"]) == 0
    assert capsys.readouterr().out == path.read_text()


def test_a_baseline_of_the_same_route_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And it has to have one: what was asked for is not there."""
    path = tmp_path / "t.jsonl"
    path.write_text("".join(dump_line(trace.spans) for trace in hundred()))
    command = ["report", str(path), "--against", str(path), "--route"]
    assert main([*command, "POST /orders"]) == 0
    assert "No difference from the baseline" in capsys.readouterr().out
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    assert main(["report", str(path), "--against", str(empty)]) == 1
    assert (
        f"no request in the baseline: {empty}: empty: no trace in it\n"
        "  what writes this file has recorded nothing: lambda-latency doctor says why a SAM app does not\n"
        "  --against takes the same input as SOURCE" in capsys.readouterr().err
    )


# ---- What traces cannot decide: the exit statuses 5 and 6, and which status beats which ----

Write = Callable[[str, float], str]
SERVICES = ("baskets", "mail", "orders", "stock")
NO_REQUEST, HOLDS, FAILS, SLOWER = "p95(GET /nothing) > 1ms", "p95 > 10s", "p95 > 1ms", "slower > 5%"


def _request(number: int, times: float) -> Trace:
    """A request that calls four services, each with a database; all of them take so many times as long."""
    calls: list[Node] = []
    shop = {"service.name": "shop"}
    start = 0.0
    for place, name in enumerate(SERVICES):
        own_ms, query = ((20 + (number * (place + step)) % 7) * times for step in (2, 5))
        resource = {"service.name": name}
        database = {"db.system": "postgresql", "db.name": name}
        inner = node(
            "SELECT",
            start + 2 * times,
            start + 2 * times + query,
            kind=SpanKind.CLIENT,
            attributes=database,
            resource=resource,
        )
        end = start + own_ms + query + 4 * times
        server = node("GET /", start + times, end - times, inner, kind=SpanKind.SERVER, resource=resource)
        url = {"http.url": f"http://{name}.internal/"}
        calls.append(node("GET", start, end, server, kind=SpanKind.CLIENT, attributes=url, resource=shop))
        start = end
    route = {"http.request.method": "GET", "http.route": "/basket"}
    root = node("GET /basket", 0, end, *calls, kind=SpanKind.SERVER, attributes=route, resource=shop)
    return tree(root, unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write sixty requests, whose work takes so many times as long."""

    def written(name: str, times: float) -> str:
        path = tmp_path / name
        path.write_text("".join(dump_line(_request(number, times).spans) for number in range(60)))
        return str(path)

    return written


def _ended(*arguments: str) -> int:
    return main(["report", *arguments])


def test_a_machine_that_slows_all_alike_ends_with_6(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence, the JSON and the reason on stderr say so; without the condition it ends with 0."""
    current, then = write("now.jsonl", 1.5), write("then.jsonl", 1.0)
    assert _ended(current, "--against", then, "--fail-if", SLOWER, "--format", "json") == 6
    printed = capsys.readouterr()
    doc = json.loads(printed.out)
    assert (doc["against"]["answer"], doc["against"]["slower_percent"]) == ("disturbed", 0)
    assert doc["against"]["sentence"].startswith("Disturbed (60 requests then, 60 now): nearly all parts became slower")
    assert [(gate["failed"], gate["unsure"], gate["disturbed"]) for gate in doc["gates"]] == [(False, False, True)]
    assert "Everything became slower alike, which is the machine; run it again" in printed.err
    assert _ended(current, "--against", then) == 0


def test_a_condition_that_no_request_decides_ends_with_5(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """A route without requests, and a comparison of too few."""
    current = write("now.jsonl", 1.0)
    assert _ended(current, "--fail-if", NO_REQUEST) == 5
    assert "No request of GET /nothing: p95(GET /nothing) > 1ms cannot be judged." in capsys.readouterr().err
    too_few = Path(current).with_name("few.jsonl")
    too_few.write_text("".join(Path(current).read_text().splitlines(keepends=True)[:5]))
    assert _ended(current, "--against", str(too_few), "--fail-if", SLOWER) == 5
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
def test_3_beats_5_beats_6_beats_4(write: Write, conditions: tuple[str, ...], status: int) -> None:
    """One line of the file cannot be read."""
    current, then = write("now.jsonl", 1.5), write("then.jsonl", 1.0)
    with Path(current).open("a") as file:
        file.write("nothing\n")
    gates = [word for condition in conditions for word in ("--fail-if", condition)]
    assert _ended(current, "--against", then, *gates) == status
