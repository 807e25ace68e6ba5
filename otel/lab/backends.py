"""Tries the settings of docs/how-to/backends.md, each against an HTTPS server that answers 401 without the header.

The real runtime client runs a function that writes its environment onto spans: the spans arrive, and the key is in none
of them and in no line of the log. Without the header, and with another key, one line says so. Status 1 if not.

Usual time: 20 seconds.
"""

import gzip
import secrets
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from lab.faults.box import Box
from lambda_latency.local.processes import Processes
from lambda_latency.local.xray.receiver import from_protobuf
from tests.docs.pages import page
from tests.runtime.stubs import Answer, Server, certificate

ENDPOINT, HEADERS = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"
COLUMNS = f"backend | `{ENDPOINT}` | `{HEADERS}` | documented by"
FUNCTION = "lab.faults.keyed.handler"
INVOCATIONS = 2
SPANS = 1 + 2 * INVOCATIONS  # of the init, and of each invocation the handler's and its call's


class BackendSettings(NamedTuple):
    """A row of the page's table; the headers have KEY where a key is."""

    backend: str
    endpoint: str
    headers: str

    @property
    def header(self) -> tuple[str, str]:
        """The name and the value of the header, as a request has them."""
        name, _, value = self.headers.partition("=")
        return name.lower(), unquote(value)


class Backend(Server):
    """A backend that knows one key: it answers 404 at another path than a row's, and 401 without the row's header."""

    def __init__(self, row: BackendSettings, key: str, pem: Path) -> None:
        super().__init__(certificate=str(pem))
        self._path = f"{urlsplit(row.endpoint).path}/v1/traces"
        self._header, self._value = row.header[0], row.header[1].replace("KEY", key)
        self.accepted: list[bytes] = []

    @property
    def otherwise(self) -> Answer:
        """The answer to the last request."""
        request = self.requests[-1]
        if request.path != self._path:
            return Answer(404, b"no such path")
        if request.headers.get(self._header) != self._value:
            return Answer(401, b"no")
        self.accepted.append(gzip.decompress(request.body))
        return Answer(200, b"", {"Content-Type": "application/x-protobuf"})

    @otherwise.setter
    def otherwise(self, _: Answer) -> None:
        """Each answer depends on its request."""


def rows() -> list[BackendSettings]:
    """The rows of the page's table."""
    return [
        BackendSettings(*(cell.strip("`") for cell in cells[:3])) for cells in page("how-to/backends.md").table(COLUMNS)
    ]


def failures(row: BackendSettings, processes: Processes, pem: Path) -> Iterator[str]:
    """Yield what is wrong with a row's settings: with the key, without the header, and with another key."""
    key, wrong_key = secrets.token_hex(16), secrets.token_hex(16)
    with Backend(row, key, pem) as backend:
        settings = {ENDPOINT: f"https://localhost:{backend.port}{urlsplit(row.endpoint).path}",
                    "OTEL_EXPORTER_OTLP_CERTIFICATE": str(pem), "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}  # fmt: skip
        lines = run(processes, {**settings, HEADERS: row.headers.replace("KEY", key)})
        spans = sum(map(span_count, backend.accepted))
        if spans != SPANS or lines:
            yield f"{spans} spans arrived, and the log has {lines}"
        if key.encode() in b"".join(backend.accepted):
            yield "a span has the key"
        lines = run(processes, {**settings, HEADERS: ""})
        if not is_one_refusal(lines, f"to no header: set {HEADERS}"):
            yield f"without the header the log has {lines}"
        lines = run(processes, {**settings, HEADERS: row.headers.replace("KEY", wrong_key)})
        if not is_one_refusal(lines, f"to the header {row.header[0]}:") or wrong_key in lines[0]:
            yield f"with another key the log has {lines}"
        if sum(map(span_count, backend.accepted)) != spans:
            yield "spans arrived without the key"


def is_one_refusal(lines: list[str], reason: str) -> bool:
    """Whether the only line of a log says that the backend answered 401, and the reason."""
    return len(lines) == 1 and f"it answered 401 {reason}" in lines[0]


def run(processes: Processes, variables: Mapping[str, str]) -> list[str]:
    """Invoke the function in a new environment; the lines of the kit in its log."""
    box = Box(processes, FUNCTION, variables)
    try:
        for _ in range(INVOCATIONS):
            box.invoke(b"{}")
            box.settle()
    finally:
        box.close()
    return [line for line in box.lines if "lambda-latency" in line or "rror" in line]


def span_count(body: bytes) -> int:
    """The number of spans in an export request."""
    document = from_protobuf(body)
    return sum(len(scope["spans"]) for resource in document["resourceSpans"] for scope in resource["scopeSpans"])


def main(parser: ArgumentParser) -> int:
    """Print a line for each row."""
    parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, Processes() as processes:
        pem = Path(folder, "localhost.pem")
        pem.write_bytes(certificate("localhost"))
        for row in rows():
            problems = list(failures(row, processes, pem))
            wrong += bool(problems)
            print(f"{row.backend}: {'; '.join(problems) or 'spans arrive, and the key is nowhere else'}", flush=True)
    return int(bool(wrong))
