"""The command `report`: sources of every kind, what it writes, and the exit status that says how it went."""

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.cli import main
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency.breakdowns.choice import instant
from lambda_latency.text import Style
from lambda_latency.trace import dump_line
from lambda_latency.trace.files import blocks
from tests.latency.generated import hundred, timed_out
from tests.latency.system import THEIRS, order

GOOD = dump_line(order(200).spans)
CUT = GOOD[:300]


def _nested(levels: int) -> str:
    """A value inside a value inside a value."""
    return '{"arrayValue":{"values":[' * levels + '{"intValue":"1"}' + "]}}" * levels


def _with_attribute(value: str) -> str:
    """A line with one span, one attribute of which has this value."""
    span = dump_line([order(200).request_root])
    return span.replace(
        '"attributes":[{"key":"aws.xray.origin"', f'"attributes":[{{"key":"x","value":{value}}},{{"key":"y"', 1
    )


FIRST = "10 of 119 requests of POST /orders (8 %) wait for payments.example.com"


def _run(*sources: Path | str, **more: object) -> tuple[int, str]:
    out = io.StringIO()
    status = run_report(Request([*sources], **{"analysis_options": THEIRS, **more}), Style(unicode=False), out)  # type: ignore[arg-type]
    return status, out.getvalue()


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """A file with the requests of a clear verdict."""
    return _write(tmp_path / "traces.jsonl", "".join(dump_line(trace.spans) for trace in hundred()))


def test_a_file_a_folder_a_pattern_and_gzip_say_the_same(orders: Path) -> None:
    """The text is that of the same requests, whatever holds them."""
    status, text = _run(orders)
    assert (status, text.split(":")[0]) == (0, FIRST)
    packed = _write(orders.parent / "packed.jsonl.gz", gzip.compress(orders.read_bytes()))
    assert _run(packed) == (status, text)
    packed.unlink()
    assert _run(orders.parent) == _run(str(orders.parent / "*.jsonl")) == _run(orders, orders.parent) == (status, text)


@pytest.mark.parametrize(
    ("content", "status", "requests", "skipped"),
    [
        (GOOD, 0, 1, 0),
        (GOOD + CUT, 4, 1, 1),
        (CUT + "\n" + GOOD, 4, 1, 1),
        (CUT + "\n" + CUT + "\n" + GOOD + CUT, 4, 1, 3),
        (CUT, 1, 0, 1),
        ("", 1, 0, 0),
        ("\n \n", 1, 0, 0),
        (b"\x00\xff\xfe binary \x80", 1, 0, 1),
        (b"\x00" * 5000, 1, 0, 1),
        ("[" * 200_000, 1, 0, 1),
        (GOOD + "[" * 200_000 + "\n" + '{"a":' * 200_000 + "\n", 4, 1, 2),
        (GOOD + "7\nnull\n{}\n", 4, 1, 3),
        (gzip.compress(GOOD.encode() * 50, mtime=0)[:-9], 4, 1, 1),  # no time in a name: both workers collect the same
        (gzip.compress(GOOD.encode(), mtime=0)[:20], 1, 0, 1),
        (b"\x1f\x8bno gzip at all", 1, 0, 1),
        (json.dumps(json.loads(GOOD), indent=1), 0, 1, 0),
        (json.dumps(json.loads(GOOD), indent=1)[:-50], 1, 0, 1),
        (GOOD + '{"data": []}\n{"Traces": [], "UnprocessedTraceIds": []}\n', 0, 1, 0),
        (GOOD + '{"data": [{"spans": [7]}]}\n{"Traces": [{"Segments": [{"Document": "{"}]}]}\n', 4, 1, 2),
        ('{"TraceSummaries": []}', 1, 0, 1),
        ('{"resourceMetrics": []}\n{"resourceLogs": []}\n', 1, 0, 2),
        (GOOD + '{"resourceMetrics": []}\n{"resourceLogs": []}\n', 0, 1, 0),  # pipelines that share a file
        (GOOD + _with_attribute(_nested(5000)), 4, 1, 1),
        (GOOD + _with_attribute('{"arrayValue":{"values":7}}'), 0, 1, 0),
        (GOOD + json.dumps({"resourceSpans": [{**json.loads(GOOD)["resourceSpans"][0], "resource": 7}]}), 4, 1, 1),
    ],
)
def test_what_cannot_be_read_is_counted_and_the_rest_is_reported(
    tmp_path: Path, content: str | bytes, status: int, requests: int, skipped: int
) -> None:
    """0 fine, 1 nothing readable, 4 reported but something was skipped; never a stack trace."""
    path = _write(tmp_path / "t.jsonl", content)
    ended, text = _run(path, json="-")
    doc = json.loads(text)
    counted = sum(problem["count"] for problem in doc["problems"] if problem["effect"] == "skipped")
    assert (ended, doc["requests"], counted) == (status, requests, skipped)
    assert _run(path, problems=True)[0] == status


@pytest.mark.parametrize("levels", [10, 100, 200, 250, 300, 320, 332, 334, 400, 1000])
def test_values_in_values_end_somewhere(tmp_path: Path, levels: int) -> None:
    """How deep they may be is the interpreter's business; beyond that the span is skipped, and nothing else."""
    path = _write(tmp_path / "t.jsonl", GOOD + _with_attribute(_nested(levels)))
    status, text = _run(path, json="-")
    assert (status, json.loads(text)["requests"]) in ((0, 1), (4, 1))
    assert _run(path, trace_id=order(200).trace_id)[0] == 0


def test_an_endless_line_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after it is read."""
    monkeypatch.setattr(blocks, "LONGEST_LINE", len(GOOD) + 10)
    path = _write(tmp_path / "t.jsonl", '{"resourceSpans": [' + "1," * 5_000_000 + "\n" + GOOD)
    assert json.loads(_run(path, json="-")[1])["problems"] == [
        {"source": str(path), "line": 1, "reason": "longer than 0 MiB", "count": 1, "effect": "skipped"}
    ]


def test_a_source_that_leads_nowhere_is_skipped(orders: Path, tmp_path: Path) -> None:
    """A missing file, an empty folder, a pattern without a match, each with its reason."""
    (tmp_path / "empty").mkdir()
    status, text = _run(orders, tmp_path / "none", tmp_path / "empty", str(tmp_path / "*.nothing"), json="-")
    assert status == 4
    assert [(Path(problem["source"]).name, problem["reason"]) for problem in json.loads(text)["problems"]] == [
        ("empty", "no trace file in this folder (.json, .jsonl, .ndjson, or .gz)"),
        ("*.nothing", "no file matches this pattern"),
        ("none", "No such file or directory"),
    ]
    assert _run(tmp_path / "empty")[0] == 1


def test_requests_are_chosen_by_route_and_time(orders: Path) -> None:
    """What leaves none says what there is."""
    everything = json.loads(_run(orders, json="-")[1])
    start = min(r["start_ns"] for r in json.loads(_run(orders, json="-", everything=True)[1])["per_request"])
    assert json.loads(_run(orders, json="-", route="POST /orders", since_ns=start, until_ns=start + 1)[1]) == everything
    with pytest.raises(Exception, match=r"no request of the route 'GET /'\n  routes seen: POST /orders"):
        _run(orders, route="GET /")
    with pytest.raises(Exception, match=r"no request in this time\n  requests seen: from 2026-11-24T22:40:00Z to"):
        _run(orders, since_ns=start + 1)


def test_one_trace_is_drawn_by_either_form_of_its_id(orders: Path) -> None:
    """As hex, and as X-Ray writes it; one that is not there is named."""
    trace_id = timed_out().trace_id
    drawn = _run(orders, trace_id=trace_id)
    assert drawn == _run(orders, trace_id=f"1-{trace_id[:8]}-{trace_id[8:]}")
    assert drawn[1].startswith("The request: POST /orders, 3,010 ms, 1-6b05a667-affeb9dbb0aa7f2b00000069\n")
    with pytest.raises(Exception, match="no trace 1-nothing in the input"):
        _run(orders, trace_id="1-nothing")


def test_a_point_in_time_is_a_date_or_so_long_ago() -> None:
    """UTC unless it says otherwise."""
    now_ns = 1_795_600_000_000_000_000
    assert instant("24h", now_ns) == now_ns - 86_400_000_000_000
    assert instant("90s", now_ns) == now_ns - 90_000_000_000
    for text in ("2026-11-24T21:20:00Z", "2026-11-24T21:20:00", "2026-11-24T22:20:00+01:00"):
        assert instant(text, now_ns) == 1_795_555_200_000_000_000
    with pytest.raises(ValueError, match="must be a time like 2026-11-25T08:00:00Z or how long ago, like 24h, got 'x'"):
        instant("x", now_ns)


def test_standard_input_is_a_source(orders: Path) -> None:
    """It is read twice, so it is kept in a file as long as the command runs; nothing but the report is printed."""
    command = [sys.executable, "-m", "lambda_latency", "report", "-"]
    environ = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, input=orders.read_bytes(), capture_output=True, check=True, env=environ)
    assert done.stderr == b""
    assert done.stdout.decode() == _run(orders)[1]


PROBE = """
import sys
from lambda_latency.cli import main
main(sys.argv[1:])
light = set(sys.stdlib_module_names) - {"_hashlib", "email"}
print(sorted({name.split(".")[0] for name in sys.modules} - light), file=sys.stderr)
"""
HEAVY = {"numpy", "pandas", "polars", "duckdb", "pyarrow", "botocore", "samcli", "rich"}
OF_6_MB = {"_hashlib", "email"}  # with OpenSSL, and with the metadata of packages


def test_a_report_imports_msgspec_and_nothing_heavy(tmp_path: Path) -> None:
    """Of a file with ten spans."""
    path = _write(tmp_path / "t.jsonl", GOOD)
    command = [sys.executable, "-c", PROBE, "report", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stderr.replace("'", '"')))
    assert "msgspec" in imported
    assert not imported & (HEAVY | OF_6_MB)


# ---- What "slow" means with a limit: the option, the setting, and files that hold only slow requests ----

Report = Callable[..., Any]
FAST_MS, SLOW_MS = 200, 900


def _orders(name: str, walls_ms: Sequence[int]) -> None:
    lines = [dump_line(order(wall, number=number).spans) for number, wall in enumerate(walls_ms)]
    Path(name).write_text("".join(lines))


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Report:
    """Reports in a folder with ten slow orders alone, and with 60 of which some are a bit slower."""
    monkeypatch.chdir(tmp_path)
    _orders("slow.jsonl", [SLOW_MS] * 10)
    _orders("sometimes.jsonl", [FAST_MS + 30 * (number % 6 == 0) for number in range(60)])

    def run(*arguments: str) -> Any:
        assert main(["report", *arguments, "--format", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_the_setting_is_the_option(report: Report) -> None:
    """Both count requests over the limit, which without a limit are not slow beside their route."""
    limited = report("sometimes.jsonl", "--slow", "215")
    Path("lambda-latency.toml").write_text("slow = 215")
    by_setting = report("sometimes.jsonl")
    Path("lambda-latency.toml").unlink()
    fenced = report("sometimes.jsonl", "--slow", "300")
    assert limited["classes"] == by_setting["classes"]
    assert [(group["name"], group["requests"]) for group in limited["classes"]] == [("payments", 10)]
    assert (
        "10 of 60 requests of POST /orders (17 %, over 215 ms) wait for the code of payments"
        in limited["verdict"]["sentence"]
    )
    assert (fenced["classes"], fenced["beside"]["slow"]) == ([], 0)


def test_most_requests_over_the_limit_are_compared_with_the_others(report: Report) -> None:
    """If these are much faster; of requests that hardly differ the limit says nothing, and their threshold counts."""
    _orders("most.jsonl", [SLOW_MS if number % 5 < 3 else FAST_MS for number in range(60)])
    _orders("alike.jsonl", [FAST_MS + number % 40 for number in range(60)])
    mostly, alike = report("most.jsonl", "--slow", "500"), report("alike.jsonl", "--slow", "210")
    assert [(group["name"], group["requests"]) for group in mostly["classes"]] == [("payments", 36)]
    assert (mostly["beside"]["whole_routes"], alike["classes"]) == ([], [])
    assert [line["route"] for line in alike["beside"]["whole_routes"]] == ["POST /orders"]
    assert alike["verdict"]["sentence"] == (
        "Nothing stands out. 38 of 60 requests took over 210 ms, which is usual on their routes."
    )


def test_slow_requests_alone_are_told_against_a_baseline(report: Report) -> None:
    """As they come from `--xray --slower-than`."""
    _orders("fast.jsonl", [FAST_MS + number % 7 for number in range(40)])
    against = report("slow.jsonl", "--against", "fast.jsonl")["against"]
    assert (against["answer"], against["causes"][0]["service"]) == ("slower", "payments")
