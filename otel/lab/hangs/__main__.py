"""A call that hangs, in each phase of a connection and of a call: does the timeout name the phase, and who is called?

Each happens once in the laptop's sandbox, under Lambda's runtime client. Status 1 where one is not named.

Usual time: 2 minutes.
"""

import json
import os
import socket
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.commands import ROOT
from lab.faults.box import Box
from lab.faults.collector import Collector
from lab.libraries.environment import prepared
from lab.libraries.servers import PACKAGES, Servers
from lab.sampling import add_sampling, sampled
from lab.timeouts import read
from lambda_latency.latency import timeout_of
from lambda_latency.local.processes import Processes
from lambda_latency.trace import Trace

TIMEOUT_S = 4
HELLO = (
    b"\x0a5.7.0\0" + b"\1\0\0\0" + b"a" * 8 + b"\0" + b"\xff\xff\x21\2\0\xff\xc1\x15" + b"\0" * 10
    + b"a" * 12 + b"\0mysql_native_password\0"
)  # fmt: skip
GREETING = len(HELLO).to_bytes(3, "little") + b"\0" + HELLO  # of a MySQL server that knows TLS


@dataclass(frozen=True, slots=True)
class Hang:
    """A library and a phase: who is called, and what the report says is running, below which span."""

    library: str
    phase: str
    server: str
    running: str
    below: str = "connect"


HANGS = (
    Hang("requests", "dns", "silent", "DNS slow.example.com", "GET"),
    Hang("requests", "tcp", "full", "TCP localhost", "GET"),
    Hang("requests", "tls", "silent", "TLS localhost", "GET"),
    Hang("requests", "answer", "silent", "GET localhost", "GET /items"),
    Hang("pymysql", "dns", "silent", "DNS slow.example.com"),
    Hang("pymysql", "tcp", "full", "TCP localhost"),
    Hang("pymysql", "tls", "greets", "TLS localhost"),
    Hang("pymysql", "handshake", "silent", "handshake with localhost"),
    Hang("pymysql", "answer", "MariaDB", "mysql shop", "GET /items"),
    Hang("sqlalchemy", "pool", "MariaDB", "pool of mysql shop"),
    Hang("redis", "dns", "silent", "DNS slow.example.com", "BLPOP"),
    Hang("redis", "tcp", "full", "TCP localhost", "BLPOP"),
    Hang("redis", "tls", "silent", "TLS localhost", "BLPOP"),
    Hang("redis", "handshake", "silent", "handshake with localhost", "BLPOP"),
    Hang("redis", "pool", "Redis", "pool of redis localhost", "GET"),
    Hang("redis", "answer", "Redis", "redis localhost", "GET /items"),
    Hang("asyncpg", "dns", "silent", "DNS slow.example.com"),
    Hang("asyncpg", "tcp", "full", "TCP localhost"),
    Hang("asyncpg", "tls", "agrees", "TLS localhost"),
    Hang("asyncpg", "handshake", "silent", "handshake with localhost"),
    Hang("asyncpg", "pool", "PostgreSQL", "pool of postgresql shop", "GET /items"),
    Hang("asyncpg", "answer", "PostgreSQL", "postgresql shop", "GET /items"),
    Hang("psycopg", "dns", "silent", "DNS slow.example.com"),
    Hang("psycopg", "tcp", "full", "TCP localhost"),
    Hang("psycopg", "handshake", "silent", "handshake with localhost"),
    Hang("psycopg", "answer", "PostgreSQL", "postgresql shop", "GET /items"),
    Hang("pika", "dns", "silent", "DNS slow.example.com"),
    Hang("pika", "tcp", "full", "TCP localhost"),
    Hang("pika", "tls", "silent", "TLS localhost"),
    Hang("pika", "handshake", "silent", "handshake with localhost"),
    # Their connect is one call of C, whose steps nobody sees.
    Hang("psycopg2", "connect", "silent", "connect to localhost", "GET /items"),
    Hang("mysql.connector", "connect", "silent", "connect to localhost", "GET /items"),
    Hang("grpc", "connect", "full", "/shop.Orders/Get shop.Orders", "GET /items"),
)


def main(parser: ArgumentParser) -> int:
    """Run them, two at once; a line for each."""
    add_sampling(parser, "calls")
    chosen = sampled(HANGS, lambda hang: f"{hang.library} {hang.phase}", parser.parse_args(), parser)
    python, right = prepared(), 0
    with ExitStack() as stack:
        processes, servers = stack.enter_context(Processes()), stack.enter_context(closing(Servers()))
        ports: dict[str, int | None] = {name: stack.enter_context(stub()) for name, stub in STUBS.items()}
        ports |= {hang.server: servers.port(hang.server, python) for hang in chosen if hang.server not in ports}
        with ThreadPoolExecutor(2) as pool:
            for hang, why in zip(
                chosen, pool.map(lambda hang: tried(hang, ports[hang.server], python, processes), chosen), strict=True
            ):
                right += not why
                print(f"{'NOT' if why else 'ok '} {hang.library} {hang.phase}: {why or hang.running}", flush=True)
    print(f"{right} of {len(chosen)} named")
    return int(right != len(chosen))


def tried(hang: Hang, port: int | None, python: Path, processes: Processes) -> str:
    """What is wrong with its trace; nothing where all is right, or where there is no server on a user's machine."""
    if port is None:
        why = f"skipped: no {hang.server} here (Debian's package {PACKAGES[hang.server]})"
        if not os.environ.get("CI"):
            print(f"{hang.library} {hang.phase}: {why}")
            return ""
        return why
    collector = Collector()
    variables = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
        "PYTHONPATH": str(ROOT / "otel"),
        "LIBRARIES": {"sqlalchemy": "sqlalchemy,pymysql"}.get(hang.library, hang.library),
    }
    box = Box(processes, "lab.hangs.hanging.handler", variables, timeout_s=TIMEOUT_S, python=python)
    event = {"resource": "/items", "httpMethod": "GET", "requestContext": {"stage": "prod"}}
    try:
        box.invoke(json.dumps({**event, "library": hang.library, "phase": hang.phase, "port": port}).encode())
        box.settle()
    finally:
        box.close()
        collector.close()
    trace = Trace(read(collector))
    timeout = timeout_of(trace) if trace.spans else None
    if timeout is None:
        return f"no timeout is told; the log: {' | '.join(box.lines[-5:])}"
    running = max((span for span in trace.spans if span.provisional), key=lambda span: span.start_ns, default=None)
    by_id = {span.span_id: span.name for span in trace.spans}
    below = by_id.get(running.parent_id or "", "") if running is not None else ""
    got = (timeout.running, below)
    return "" if got == (hang.running, hang.below) else f"{got}, not {(hang.running, hang.below)}"


@contextmanager
def full() -> Iterator[int]:
    """Takes no more connections: the kernel answers none that comes now."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as stack:
        port: int = server.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


def saying(greeting: bytes, reads: int) -> Callable[[], AbstractContextManager[int]]:
    """A server that reads so many bytes of each client, says this, and never anything more."""

    @contextmanager
    def serving() -> Iterator[int]:
        taken: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                taken.append(client)
                if reads:
                    client.recv(reads, socket.MSG_WAITALL)
                client.sendall(greeting)

        with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
            threading.Thread(target=serve, daemon=True).start()
            yield server.getsockname()[1]
            server.shutdown(socket.SHUT_RDWR)
        for client in taken:
            client.close()

    return serving


STUBS: dict[str, Callable[[], AbstractContextManager[int]]] = {
    "silent": saying(b"", 0),
    "full": full,
    "greets": saying(GREETING, 0),
    "agrees": saying(b"S", 8),
}
