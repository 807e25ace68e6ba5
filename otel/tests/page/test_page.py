"""The page as a file: what is in it, what can never be in it, and that it is packaged."""

import base64
import hashlib
import io
import json
import posixpath
import re
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lab.bundle import TYPES, types
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.page import build_page
from lambda_latency.page.build import PAGE, island
from lambda_latency.text import PAGE_WORDS, Style
from lambda_latency.trace import dump_line
from tests.latency.generated import hundred, timed_out
from tests.latency.system import order
from tests.page import firsts
from tests.page.samples import HOSTILE, LARGE, SAMPLES, huge, page_of

FORBIDDEN = (
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|\burl\((?!#)|@import"
)
ROOT = Path(__file__).parents[3]
SOURCE = PAGE / "source"
SCRIPT = SOURCE / "script"
# `start`, `live/start`
SCRIPTS = sorted(
    path.relative_to(SCRIPT).with_suffix("").as_posix() for path in SCRIPT.rglob("*.ts") if path.stem != "island.d"
)


def data(page: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report and the spans of a page."""
    [report] = re.findall(r'<script type="application/json" id="report">(.*?)</script>', page, re.DOTALL)
    [packed] = re.findall(r'<script type="text/plain" id="spans">(.*?)</script>', page, re.DOTALL)
    facts = json.loads(report)
    rows = [cells.split() for cells in facts["columns"]["buckets"].split(";")] if facts["requests"] else []
    facts["columns"]["buckets"] = [_parts([*map(int, row)], facts["columns"]["cells"]) for row in rows]
    return facts, [
        _spans(line) for block in packed.splitlines() for line in inflated(block.partition(":")[2]).splitlines()
    ]


def inflated(packed: str) -> str:
    """The text of a part of a page that is base64 of raw deflate."""
    return zlib.decompress(base64.b64decode(packed), -15).decode("ascii")


def _parts(cells: list[int], of_cell: list[tuple[int, str]]) -> list[int]:
    """Parts and nanoseconds of cells and nanoseconds."""
    sums: dict[int, int] = {}
    for cell, ns in zip(cells[::2], cells[1::2], strict=True):
        sums[of_cell[cell][0]] = sums.get(of_cell[cell][0], 0) + ns
    return [number for pair in sums.items() for number in pair]


def _spans(line: str) -> dict[str, Any]:
    rows, *details = map(json.loads, line.split("\t"))
    for row, detail in zip(rows["spans"], details, strict=True):
        row["details"] = detail
    return dict(rows)


@pytest.mark.parametrize("state", [name for name in SAMPLES if name not in (*LARGE, "thousand")])
def test_the_policy_names_the_one_style_and_both_scripts(state: str) -> None:
    """By the hash of exactly what stands there, and of what is inflated, whatever the data is."""
    page = SAMPLES[state]()
    [policy] = re.findall(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', page)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    [load] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    [packed] = re.findall(r'<script type="text/plain" id="script">(.*?)</script>', page, re.DOTALL)
    texts = (style, load, inflated(packed))
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    assert policy == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}' 'sha256-{hashes[2]}'"
    )
    assert len(re.findall("<script", page)) == len(re.findall("</script>", page)) == 4
    assert re.findall(r"(?:src|href)=\"(?!#)", page) == []


def test_nothing_of_a_trace_can_end_its_place() -> None:
    """Neither markup nor the page's own places; and what was meant comes out again."""
    page = SAMPLES["hostile"]()
    assert HOSTILE[:14] not in page
    assert island("</script><!--&") == "\\u003c/script\\u003e\\u003c!--\\u0026"
    report, _spans = data(page)
    assert HOSTILE in {bucket["name"] for bucket in report["buckets"]}
    title = build_page({}, [], "\ud800 <b>\u202e @SPANS@")
    assert "<title>&#55296; &lt;b&gt;&#8238; @SPANS@</title>" in title


def test_the_scripts_keep_to_text() -> None:
    """No way from a text to markup or code is used anywhere, but for the page's own script, which the policy names."""
    for path in [*SCRIPT.rglob("*.ts"), *(SOURCE / "style").glob("*.css")]:
        text = path.read_text()
        assert len(text.splitlines()) <= 400, path.name
        forbidden = re.findall(FORBIDDEN, text.replace('@import "./', ""))
        assert (path.name, forbidden) == (path.name, [])
        if path.stem != "load":
            assert 'createElement("script")' not in text


IMPORT = re.compile(r'^import (?!type )[^;]*?"(\.\.?/[\w/]+)\.js";', re.MULTILINE | re.DOTALL)


def _imported(name: str) -> list[str]:
    """Return the names of the scripts that a script imports."""
    paths = IMPORT.findall((SCRIPT / f"{name}.ts").read_text())
    return [posixpath.normpath(f"{posixpath.dirname(name)}/{path}").removeprefix("/") for path in paths]


def test_no_script_imports_itself_by_way_of_others() -> None:
    """Views import the store, the store imports no view; types aside."""
    imports = {name: _imported(name) for name in SCRIPTS}
    done: set[str] = set()

    def follow(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, (*above, name)
        if name not in done:
            for below in imports[name]:
                follow(below, (*above, name))
            done.add(name)

    for name in imports:
        follow(name, ())
    reached = ["start", "load", "live/start"]
    for name in reached:
        reached += [below for below in imports[name] if below not in reached]
    assert sorted({*reached, "choice"}) == SCRIPTS  # only types are in choice.ts


def test_columns_say_what_the_list_says() -> None:
    """Each request's parts add up to its wall clock; routes and marks are those of its trace."""
    report, spans = data(page_of([*hundred(), order(100, number=5000, status_code=502)]))
    columns = report["columns"]
    assert [sum(parts[1::2]) for parts in columns["buckets"]] == columns["wall_ns"]
    assert len(columns["trace_id"]) == report["requests"] == len(spans) == report["kept"]
    assert columns["routes"] == ["POST /orders"]
    assert [sum(flags & bit > 0 for flags in columns["flags"]) for bit in (1, 2, 4, 8)] == [1, 2, 1, 0]


def test_the_requests_of_a_card_are_those_of_its_class() -> None:
    """Also if the requests were read in another order than that of the columns."""
    report, _spans = data(SAMPLES["classes"]())
    trace_ids = report["columns"]["trace_id"]
    members = [(part, sorted(requests)) for part, requests in report["members"]]
    classes = [card for card in report["findings"] if card["kind"] in ("change", "class")][::-1]
    assert [(card["bucket"], card["requests"]) for card in report["classes"]] == [("external", 17), ("cold start", 16)]
    assert [card["trace_id"] for card in classes] == [card["trace_id"] for card in report["classes"]]
    for card, group in zip(classes, report["classes"], strict=True):
        assert len(card["members"]) == group["requests"]
        assert set(report["slow"]) >= set(card["members"])
        assert (card["part"], card["members"]) in members
        assert trace_ids.index(card["trace_id"]) in card["members"]


def test_the_data_of_a_page_is_that_of_its_schema() -> None:
    """In every state; the types of the scripts are made of the same schema."""
    schema = json.loads((PAGE / "report-island.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for state in ("rich", "classes", "changed", "one", "none", "timeout", "depends", "hostile", "services"):
        [report] = re.findall(r'id="report">(.*?)</script>', SAMPLES[state](), re.DOTALL)
        assert (state, [error.message for error in validator.iter_errors(json.loads(report))]) == (state, [])
    assert TYPES.read_text() == types(schema)


def test_spans_add_up_and_stand_in_the_order_of_the_tree() -> None:
    """The path is as long as the request; a row's parent comes before it."""
    report, spans = data(SAMPLES["rich"]())
    walls = report["columns"]["wall_ns"]
    for index, line in enumerate(report["columns"]["spans"]):
        assert sum(end - start for _, start, end, _ in spans[line]["path"]) == walls[index]
        assert all(span["parent"] < number for number, span in enumerate(spans[line]["spans"]))
        parts: dict[int, int] = {}
        for _, start, end, part in spans[line]["path"]:
            parts[part] = parts.get(part, 0) + end - start
        pairs = report["columns"]["buckets"][index]
        assert parts == dict(zip(pairs[::2], pairs[1::2], strict=True))


def test_values_that_json_or_javascript_would_break_come_as_text() -> None:
    """Not a number, more than 2^53, bytes."""
    _, spans = data(SAMPLES["hostile"]())
    events = [
        event for line in spans for s in line["spans"] for detail in s["details"] for event in detail.get("events", ())
    ]
    assert events[0]["attributes"][HOSTILE] == [HOSTILE, "nan", "9223372036854775808", "ff"]


def test_what_tells_most_is_kept_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof, what speaks against it, timeouts, the slowest: where there is no room for all, the rest goes."""
    monkeypatch.setattr("lambda_latency.page.values.ROOM", 40_000)
    report, spans = data(SAMPLES["rich"]())
    ids = [report["columns"]["trace_id"][index] for index, line in enumerate(report["columns"]["spans"]) if line >= 0]
    assert len(ids) == len(spans) == report["kept"] < 20
    expected = {
        report["verdict"]["trace_id"],
        report["verdict"]["against"]["trace_id"],
        report["timeouts"][0]["trace_id"],
    }
    assert expected <= set(ids)


def test_what_is_kept_follows_the_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each class its fastest, its slowest and its example, and as many typical ones of their route in turns."""
    monkeypatch.setattr("lambda_latency.page.values.MOST", 16)
    traces = firsts.three_classes()
    report, _ = data(page_of(traces))
    embedded = [index for index, line in enumerate(report["columns"]["spans"]) if line >= 0]
    assert len(embedded) == 16
    walls = report["columns"]["wall_ns"]
    classes = [card for card in report["findings"] if card["kind"] == "class"]
    for card in classes:
        members = sorted(card["members"], key=walls.__getitem__)
        assert {members[0], members[-1], report["columns"]["trace_id"].index(card["trace_id"])} <= set(embedded)
    plain = sorted(set(range(len(walls))) - {nth for card in classes for nth in card["members"]}, key=walls.__getitem__)
    typical = plain[len(plain) // 2 - 5 : len(plain) // 2 + 5]
    assert len(set(typical) & set(embedded)) >= 3
    assert len(classes) == 3


def test_a_huge_request_costs_no_other_its_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its spans are kept, and so are those of the sixty others."""
    monkeypatch.setattr("lambda_latency.page.values.ROOM", 300_000)
    monkeypatch.setattr("lambda_latency.page.values.HUGE", 200_000)
    report, spans = data(page_of(huge(1_000)))
    assert report["kept"] == len(spans) == report["requests"] == 61
    assert min(report["columns"]["spans"]) == 0


def test_the_same_report_is_the_same_page() -> None:
    """Byte for byte: no time of day and no order of a set is in it."""
    assert SAMPLES["rich"]() == SAMPLES["rich"]()


def test_the_command_writes_it(tmp_path: Path) -> None:
    """Beside the text, of files and of one trace; where it cannot, the error says so."""
    traces = tmp_path / "traces.jsonl"
    traces.write_text("".join(dump_line(trace.spans) for trace in hundred()))
    page = tmp_path / "report.html"
    out = io.StringIO()
    assert run_report(Request([traces], html=str(page), notes=["Told."]), Style(), out) == 0
    report, _spans = data(page.read_text())
    assert out.getvalue().endswith(f"Told.\nPage: {page}.\n")
    assert (report["requests"], report["notes"][-1], report["sources"]) == (119 + 1, "Told.", [str(traces)])
    trace_id = timed_out().trace_id
    assert run_report(Request([traces], html=str(page), trace_id=trace_id), Style(), io.StringIO()) == 0
    report, spans = data(page.read_text())
    assert (report["verdict"]["kind"], report["columns"]["trace_id"], len(spans)) == ("one", [trace_id], 1)
    with pytest.raises(Exception, match=r"nowhere/report\.html cannot be written: No such file or directory"):
        run_report(Request([traces], html=str(tmp_path / "nowhere/report.html")), Style(), io.StringIO())


def test_no_page_no_price() -> None:
    """A report without a page does not load what makes one, and a page needs no other package than a report."""
    probe = (
        "import sys; import lambda_latency.cli.inputs; import lambda_latency.cli.writing;"
        "before = 'lambda_latency.page' in sys.modules;"
        "import lambda_latency.page;"
        "new = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names);"
        "print(before, sorted(name for name in new if not name.startswith('_')))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert set(re.findall(r"'(\w+)'", done.stdout)) <= {"msgspec", "lambda_latency", "typing_extensions"}
    assert done.stdout.startswith("False ")


def test_the_bundle_is_in_the_wheel(tmp_path: Path) -> None:
    """All that a page is built from, and none of the scripts and styles that this was bundled from."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    page = "lambda_latency/page/"
    built = {
        f"{page}{name}"
        for name in (
            "page.html",
            "bundle/load.js",
            "bundle/page.js",
            "bundle/page.css",
            "bundle/live.js",
            "bundle/live.css",
        )
    }
    assert built <= names
    assert not [name for name in names if name.startswith(f"{page}source")]


def test_every_word_of_the_page_is_python_s() -> None:
    """Each key that a script says has words, and all words are said."""
    scripts = "".join((SOURCE / "script" / f"{name}.ts").read_text() for name in SCRIPTS)
    said = set(re.findall(r'\bsay\(\s*"([^"]+)"', scripts))
    said |= {key for pair in re.findall(r'\bsay\([^()"]*\? "([^"]+)" : "([^"]+)"', scripts) for key in pair}
    assert sorted(said - set(PAGE_WORDS)) == []
    prefixes = tuple(re.findall(r"say\(`([a-z_.]+)\$", scripts))
    named = set(re.findall(r'"([a-z_.0-9]+)"', scripts))
    assert [key for key in PAGE_WORDS if key not in said | named and not key.startswith(prefixes)] == []
