"""What the laptop's gateway and sandbox add to a request: a handler that does nothing, called over HTTP."""

from __future__ import annotations

import http.client
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from lambda_latency.local.system import Options, System

WARM_UP, REQUESTS = 50, 500


def main() -> None:
    """Print the median and the tail of warm requests, one after the other on one connection."""
    with tempfile.TemporaryDirectory() as out:
        system = System(Options(Path(__file__).parent / "noop" / "template.yaml", out=Path(out)))
        try:
            connection = http.client.HTTPConnection(urlsplit(system.url).netloc)
            took = [_once(connection) for _ in range(WARM_UP + REQUESTS)][WARM_UP:]
            connection.close()
        finally:
            system.close()
    median, *_, tail = statistics.quantiles(took, n=20)[9], statistics.quantiles(took, n=100)[98]
    print(f"gateway and sandbox, a handler that does nothing, {REQUESTS} warm requests:")
    print(f"median {median:.2f} ms, p99 {tail:.2f} ms")


def _once(connection: http.client.HTTPConnection) -> float:
    start = time.perf_counter()
    connection.request("GET", "/nothing")
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise SystemExit(f"the handler answered {response.status}: nothing to measure")
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
