"""The laptop's X-Ray, up."""

from collections.abc import Iterator

import pytest

from lambda_latency.local.processes import Processes, Service


@pytest.fixture(scope="session")
def xray() -> Iterator[str]:
    """Where it is; it indexes `http.route`."""
    printed: list[str] = []
    with Processes() as processes:
        arguments = ["--tables", "[]", "--routes", "{}", "--faults", '{"rules": []}', "--indexed", '["http.route"]']
        service = Service("lambda_latency.local.cloud.moto_emulator", arguments, processes, printed.append)
        yield f"http://127.0.0.1:{service.wait_until_ready()}"
        service.stop()
    assert printed == []
