"""The time that the local gateway and sandbox add to a request: a handler that does nothing, called over HTTP.

Besides the wall-clock time, the CPU time of this process is measured: on a busy machine, other programs cause the tail
of the former.

Usual time: 5 seconds.
"""

import http.client
import os
import statistics
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from urllib.parse import urlsplit

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import System, SystemOptions

WARM_UP, REQUESTS = 50, 500


def main(parser: ArgumentParser) -> None:
    """Print the median and the tail of warm requests, sent one after another on one connection."""
    parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        app = read_app(Path(__file__).parent / "noop" / "template.yaml", {})
        system = System(app, SystemOptions(Path(out), instrument="none"))
        try:
            connection = http.client.HTTPConnection(urlsplit(system.url).netloc)
            both = [_once(connection) for _ in range(WARM_UP + REQUESTS)][WARM_UP:]
            connection.close()
        finally:
            system.close()
    print(f"gateway and sandbox, a handler that does nothing, {REQUESTS} warm requests:")
    for name, took in zip(
        ("wall-clock time", "CPU time of the gateway and the sandbox"), zip(*both, strict=True), strict=True
    ):
        hundredths = statistics.quantiles(took, n=100)
        print(f"{name}: median {hundredths[49]:.2f} ms, p99 {hundredths[98]:.2f} ms")
    print(f"{os.getloadavg()[0]:.1f} processes wanted one of {os.cpu_count()} processors in the last minute")


def _once(connection: http.client.HTTPConnection) -> tuple[float, float]:
    """Milliseconds of wall-clock time, and of CPU time of this process."""
    start, ran = time.perf_counter(), time.process_time()
    connection.request("GET", "/nothing")
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise SystemExit(f"the handler answered {response.status}: nothing to measure")
    return (time.perf_counter() - start) * 1000, (time.process_time() - ran) * 1000
