"""A copy of Nezha's data set, made small: faults, minutes, halves, spans."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab.judged.nezha import BASELINES, Fault, Nezha

DAY = "2022-08-22"
MINUTES = ("04_02", "04_04")
HEAD = "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration\n"
TRACE = "01db723f5de73f1e8954a6d76d02e140"
ROWS = (
    f"{TRACE},ab872b6a0755789d,root,front-end-579b9bff58-t2dbm,Recv.,1000,9000,8\n"
    f"{TRACE},dc6c7991b9101cf8,ab872b6a0755789d,front-end-579b9bff58-t2dbm,GetCart,2000,8000,6\n"
    f"{TRACE},ec6c7991b9101cf8,ab872b6a0755789d,front-end-579b9bff58-t2dbm,render,8000,9000,1\n"
    f"{TRACE},0b751001822cdde7,dc6c7991b9101cf8,cart-579f59597d-wc2lz,GetCart,3000,7000,4\n"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Two minutes of one day, with a fault at the first."""
    for day in BASELINES:
        Path(tmp_path, "rca_data", day, "trace").mkdir(parents=True)
        Path(tmp_path, "rca_data", day, f"{day}-fault_list.json").write_text("{}", encoding="utf-8")
    for minute in MINUTES:
        Path(tmp_path, "rca_data", DAY, "trace", f"{minute}_trace.csv").write_text(HEAD + ROWS, encoding="utf-8")
    faults = [
        {"inject_time": f"{DAY} {time}", "inject_pod": "cart-579f59597d-wc2lz", "inject_type": kind}
        for time, kind in (("04:02:07", "network_delay"), ("03:50:00", "return"), ("04:01:10", "exception"))
    ]
    listed = Path(tmp_path, "rca_data", DAY, f"{DAY}-fault_list.json")
    listed.write_text(json.dumps({"04": faults}), encoding="utf-8")
    return tmp_path


@pytest.fixture
def bare(checkout: Path) -> Path:
    """The same as a git directory."""
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "data"]):
        subprocess.run(["git", *command], cwd=checkout, check=True)
    for gone in ("rca_data",):
        Path(checkout, gone).rename(checkout / "elsewhere")
    return checkout / ".git"


def minute(name: str) -> str:
    """The path of a minute."""
    return f"rca_data/{DAY}/trace/{name}_trace.csv"


@pytest.mark.parametrize("form", ["checkout", "bare"])
def test_a_fault_has_the_minutes_after_it(form: str, request: pytest.FixtureRequest) -> None:
    """From a checkout and from a git directory; one without traces is left out."""
    found = Nezha(request.getfixturevalue(form)).faults()
    assert found == [
        Fault(DAY, f"{DAY} 04:02:07", "cart", "network_delay", (minute("04_04"),)),
        Fault(DAY, f"{DAY} 04:01:10", "cart", "exception", (minute("04_02"), minute("04_04"))),
    ]
    assert [one.slows for one in found] == [True, False]


def test_halves_are_those_of_the_published_figures() -> None:
    """By the hash of the day and of the time."""
    times = ("2022-08-22 03:53:54", "2022-08-22 04:36:03", "2023-01-30 13:30:52")
    assert [Fault(time[:10], time, "x", "return", ()).half for time in times] == ["held", "dev", "dev"]


@pytest.mark.parametrize("form", ["checkout", "bare"])
def test_spans_have_the_kinds_that_their_services_tell(
    form: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A span is a server's if another service called, and a client's if another one answers."""
    path = tmp_path / "traces.json"
    assert Nezha(request.getfixturevalue(form)).write([minute("04_02")], path) == "front-end"
    groups = json.loads(path.read_text(encoding="utf-8"))["resourceSpans"]
    kinds = {
        (group["resource"]["attributes"][0]["value"]["stringValue"], span["name"]): (span["kind"], span["parentSpanId"])
        for group in groups
        for span in group["scopeSpans"][0]["spans"]
    }
    assert kinds == {
        ("front-end", "Recv."): (2, ""),
        ("front-end", "GetCart"): (3, "ab872b6a0755789d"),
        ("front-end", "render"): (1, "ab872b6a0755789d"),
        ("cart", "GetCart"): (2, "dc6c7991b9101cf8"),
    }
