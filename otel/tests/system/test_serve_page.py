"""The page of `lambda-latency serve`: each request once, a timeout with its line, what was printed, changed code."""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import closing
from typing import TYPE_CHECKING

from tests.live.shop import Listener, ask
from tests.system.conftest import ROOT, order
from tests.system.test_serve import serve

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.test_serve import Serve

__all__ = ["serve"]  # a fixture

PAGE = r"^Page: (http://127\.0\.0\.1:\d+/[\w-]+/)$"


def test_a_timeout_has_its_line_and_its_stack(serve: Serve, tmp_path: Path) -> None:
    """One row, when `serve` knows that the request has ended."""
    plan = tmp_path / "plan.json"
    plan.write_text('{"rules": [{"at": "function", "kind": "timeout"}]}')
    served = serve("--faults", str(plan))
    address = served.wait_for(PAGE).group(1)
    with closing(Listener(address)) as page:
        assert served.call("GET", "/orders/none")[0] == 502
        [row] = page.rows(1)
        assert (row["route"], row["timeout"], row["cold"]) == ("GET /orders/{id}", True, True)
        assert row["what"] == "timed out in DynamoDB GetItem OrdersTable"
        assert row["where"].startswith("functions/table.py:")
        told = json.loads(ask(address, f"request/{row['id']}")[2])
        assert told["limit_ns"] == 6_000_000_000
        assert any("functions/table.py" in place for place, *_ in told["frames"])
        assert served.end(signal.SIGINT) == 130
        assert page.until("end") == {}


def test_what_a_function_printed_is_beside_its_spans(serve: Serve, tmp_path: Path) -> None:
    """With the name of the function."""
    plan = tmp_path / "plan.json"
    plan.write_text('{"rules": [{"at": "provider", "kind": "status"}]}')
    served = serve("--faults", str(plan))
    address = served.wait_for(PAGE).group(1)
    with closing(Listener(address)) as page:
        served.call("POST", "/orders", order())
        [row] = page.rows(1)
        told = json.loads(ask(address, f"request/{row['id']}")[2])
    assert any(name == "CreateOrder" and "payments API broken" in text for name, text in told["logs"])


def test_changed_code_is_marked_between_the_requests(serve: Serve, tmp_path: Path) -> None:
    """Before the first request that uses it; each request has one row."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "functions", project / "functions")
    for name in ("template.yaml", "observability.yaml", "explain.yaml"):
        shutil.copy(ROOT / name, project)
    served = serve(cwd=project)
    address = served.wait_for(PAGE).group(1)
    with closing(Listener(address)) as page:
        for _ in range(3):
            served.call("GET", "/orders/none")
        rows = page.rows(3)
        source = project / "functions" / "orders.py"
        source.write_text(source.read_text().replace('"not_found"', '"nowhere"'))
        assert served.call("GET", "/orders/none")[1]["error"] == "nowhere"
        rows += page.rows(2)
        assert [row.get("mark", row.get("status")) for row in rows] == [404, 404, 404, "code changed", 404]
        assert len({row["id"] for row in rows}) == 5


def test_without_a_page_no_address_is_printed(serve: Serve) -> None:
    """--no-page"""
    served = serve("--no-page")
    served.call("GET", "/orders/none")
    served.wait_for("^GET /orders")
    assert not [line for line in served.lines if line.startswith("Page: ")]
