"""The benchmark of what tracing costs: its figures, its tables, its variants."""

import json
import os
import subprocess
import sys

from lab.cost import repeated, waits
from lab.cost.table import figures, markdown
from lab.cost.variants import ROOT


def test_figures_are_medians_of_differences_within_a_round() -> None:
    """A round in which the whole machine is slow moves nothing."""
    measured = {
        "bare": {"cold_ms": [100.0, 300.0, 110.0]},
        "X-Ray SDK": {"cold_ms": [120.0, 320.0, 130.0]},
        "kit": {"cold_ms": [110.0, 310.0, 121.0]},
    }
    assert figures(measured) == {
        "bare": {"cold_ms": {"value": 110.0, "over_bare": 0.0, "of_bare": 1.0, "of_xray": 0.0}},
        "X-Ray SDK": {"cold_ms": {"value": 130.0, "over_bare": 20.0, "of_bare": 130 / 110, "of_xray": 1.0}},
        "kit": {"cold_ms": {"value": 121.0, "over_bare": 10.0, "of_bare": 1.1, "of_xray": 0.5}},
    }


def test_waits_are_told_set_by_set_over_bare_of_the_same_set() -> None:
    """A set is 40 requests; the last row has the median of the sets, and of their multiples."""
    measured = {
        name: {f"{kind}_response_us": [wait for wait in sets for _ in range(40)] for kind in ("sampled", "unsampled")}
        for name, sets in (
            ("bare", [1000.0, 2000.0, 1500.0]), ("X-Ray SDK", [1400.0, 2500.0, 2000.0]),
            ("kit", [1440.0, 2400.0, 2050.0]),
        )
    }  # fmt: skip
    rows = [
        ("set 1", "1,000", "+400 (1.00x)", "+440 (1.10x)"),
        ("set 2", "2,000", "+500 (1.00x)", "+400 (0.80x)"),
        ("set 3", "1,500", "+500 (1.00x)", "+550 (1.10x)"),
        ("median of sets", "1,500", "+500 (1.00x)", "+440 (1.10x)"),
    ]
    expected = [
        f"{head:16}{bare:>10}{xray:>20}{kit:>20}"
        for title in ("sampled, us", "not sampled, us")
        for head, bare, xray, kit in [(title, "bare", "X-Ray SDK", "kit"), *rows]
    ]
    assert waits.table(measured) == "\n".join(expected)


def test_the_table_on_the_page_is_the_measured_one() -> None:
    """docs/cost.json is the document of one `python -m lab cost`: table, machine, date and versions are its own."""
    document = json.loads((ROOT / "docs" / "cost.json").read_text())
    page = (ROOT / "docs" / "explanation" / "costs.md").read_text()
    assert markdown(document) in page
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    assert f"{document['machine']}, Python {document['python']}, {document['date']}; {versions}." in " ".join(
        page.split()
    )


def test_the_table_of_repeated_runs_on_the_page_is_the_measured_one() -> None:
    """docs/cost-runs.json is the document of `python -m lab cost --runs`."""
    document = json.loads((ROOT / "docs" / "cost-runs.json").read_text())
    assert repeated.markdown(document) in (ROOT / "docs" / "explanation" / "costs.md").read_text()


def test_repeated_runs_are_medians_with_their_spread() -> None:
    """Over bare within a run; the multiple is that of the medians."""
    runs = {
        "bare": {"cold_m": [100.0, 101.0, 100.0]},
        "X-Ray SDK": {"cold_m": [110.0, 111.0, 112.0]},
        "kit": {"cold_m": [105.0, 109.0, 107.0]},
    }
    assert repeated.summary(runs)["kit"] == {
        "cold_m": {"over_bare": 7.0, "least": 5.0, "most": 8.0, "runs": 3, "of_xray": 0.7}
    }


def test_each_process_of_the_waits_has_a_memory_layout_of_its_own() -> None:
    """It keeps another number of objects from its start."""
    count = "import sitecustomize; print(len(sitecustomize.KEPT))"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(waits.MOVED)}
    started = [subprocess.run([sys.executable, "-c", count], env=environment, capture_output=True, check=True)
               for _ in range(4)]  # fmt: skip
    assert len({process.stdout for process in started}) > 1
