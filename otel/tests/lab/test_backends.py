"""The settings of docs/how-to/backends.md, each row against a server that knows its key alone."""

from pathlib import Path

import pytest

from lab.backends import BackendSettings, failures, rows
from lambda_latency.local.processes import Processes
from tests.runtime.stubs import certificate

ROWS = rows()


def test_the_page_has_five_backends() -> None:
    """Each with an address of its own, and a header that holds its key."""
    assert [row.backend for row in ROWS] == ["Honeycomb", "Grafana Cloud", "New Relic", "Dynatrace", "Elastic Cloud"]
    assert [row.header[0] for row in ROWS] == ["x-honeycomb-team", "authorization", "api-key", *["authorization"] * 2]
    assert len({row.endpoint for row in ROWS}) == 5
    assert all(row.headers.count("KEY") == 1 and row.endpoint.startswith("https://") for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.backend)
def test_spans_arrive_and_the_key_is_nowhere_else(row: BackendSettings, tmp_path: Path) -> None:
    """Without the header, and with another key, one line says so."""
    pem = tmp_path / "localhost.pem"
    pem.write_bytes(certificate("localhost"))
    with Processes() as processes:
        assert list(failures(row, processes, pem)) == []


def test_settings_that_the_backend_refuses_are_told(tmp_path: Path) -> None:
    """A row with another path than the backend's."""
    pem = tmp_path / "localhost.pem"
    pem.write_bytes(certificate("localhost"))
    with Processes() as processes:
        problem, *_ = failures(BackendSettings("Nobody", "https://nobody.example/in/", "a=KEY"), processes, pem)
    assert problem.startswith("0 spans arrived, and the log has ['")
    assert "it answered 404" in problem
