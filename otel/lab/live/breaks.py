"""A connection that is cut, pages that never read, more than fits, and the ends of the command."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time

from lab.live.command import Command
from lab.live.sending import Requests
from lab.live.tabs import Tabs
from lambda_latency.http import Client

CUT_S = 2.0
NEVER = 16
MOST_MB = 120
GONE_S = 60.0


class Relay:
    """Connections to a port, through another one, until they are cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Close every connection, and each new one at once."""
        self.is_cut = True
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            here, _ = self._listening.accept()
            if self.is_cut:
                here.close()
                continue
            there = socket.create_connection(("127.0.0.1", self._to))
            self._open += [here, there]
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while some := one.recv(65536):
                other.sendall(some)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def cut() -> list[str]:
    """A tab without its connection for two seconds, while 200 requests a second come."""
    with Command() as command:
        relay = Relay(command.page_port)
        name = f"localhost:{command.page_port}"
        address = command.page.replace("127.0.0.1", "localhost")
        with Tabs(address, 1, (name, f"127.0.0.1:{relay.port}")) as tabs:
            time.sleep(3)
            sender = _sender(command.otlp, 200, 12)
            time.sleep(4)
            relay.cut()
            time.sleep(CUT_S)
            relay.is_cut = False
            taken = int(sender.communicate()[0])
            time.sleep(4)
            [told] = tabs.told()
    print(
        f"cut for {CUT_S:.0f} s: {told['rows']:,} of {taken:,} rows, {told['opened']} connections, lost {told['lost']}",
        flush=True,
    )
    return [] if told["rows"] == taken and told["opened"] > 1 else ["a cut connection loses nothing"]


def never_read() -> list[str]:
    """16 pages that never read take all places; 20,000 requests beside them stay within the bound of memory."""
    with Command() as command:
        path = command.page.partition(f":{command.page_port}")[2]
        readers = []
        for _ in range(NEVER + 4):
            one = socket.create_connection(("127.0.0.1", command.page_port))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(f"GET {path}events HTTP/1.1\r\nHost: 127.0.0.1:{command.page_port}\r\n\r\n".encode())
            readers.append(one)
        time.sleep(1)
        answers = [one.recv(12) for one in readers]
        taken = int(_sender(command.otlp, 2_000, 10).communicate()[0])
        begun, refused = time.monotonic(), True
        while refused and time.monotonic() - begun < GONE_S:
            with contextlib.closing(socket.create_connection(("127.0.0.1", command.page_port))) as one:
                one.sendall(f"GET {path}events HTTP/1.1\r\nHost: 127.0.0.1:{command.page_port}\r\n\r\n".encode())
                refused = b" 503" in one.recv(100)
            time.sleep(0.5)
        gone, mb = time.monotonic() - begun, command.memory_mb()
        for one in readers:
            one.close()
    places = sum(b"200" in one for one in answers)
    print(
        f"pages that never read: {places} of {NEVER + 4} have a place, {taken:,} requests beside them, {mb:.0f} MB, "
        f"a place is free {gone:.0f} s later",
        flush=True,
    )
    return (
        [] if places == NEVER and mb <= MOST_MB and not refused else ["16 pages that never read: bounded, and let go"]
    )


def open_traces() -> list[str]:
    """20,000 traces without a root, which could still grow: 2,000 of them are open at most."""
    with Command() as command, contextlib.closing(Client(command.otlp)) as client:
        requests = Requests()
        client.request("GET", "/", headers={"Host": "localhost:1"})
        with contextlib.closing(Client(command.page)) as page:
            page.request("GET", command.page.partition(f":{command.page_port}")[2] + "report")  # wakes the reader
            for first in range(0, 20_000, 100):
                body = requests.export(range(first, first + 100)).replace(
                    b'"spanId":"0000000000000001"', b'"spanId":"00000000000000ff"'
                )
                client.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
        time.sleep(3)
        mb = command.memory_mb()
    print(f"20,000 traces without a root: {mb:.0f} MB", flush=True)
    return [] if mb <= MOST_MB else [f"2,000 open traces: {mb:.0f} MB"]


def ends() -> list[str]:
    """Ctrl-C, SIGTERM and SIGKILL with an open page: the status, and that the ports are free again."""
    wrong = []
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        with Command() as command:
            path = command.page.partition(f":{command.page_port}")[2]
            one = socket.create_connection(("127.0.0.1", command.page_port))
            one.sendall(f"GET {path}events HTTP/1.1\r\nHost: 127.0.0.1:{command.page_port}\r\n\r\n".encode())
            one.recv(100)
            ended, took = command.end(number)
            one.close()
            free = True
            for port in (command.page_port, int(command.otlp.rpartition(":")[2])):
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    free = False
        print(f"{number.name}: status {ended} after {took:.1f} s, ports free: {free}", flush=True)
        wrong += [] if (ended, free) == (status, True) else [f"{number.name} leaves nothing"]
    return wrong


def _sender(endpoint: str, rate: int, seconds: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lab.live.sending", endpoint, str(rate), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
