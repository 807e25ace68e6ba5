"""Servers from PyPI's packages, and stubs of protocols whose servers no registry serves.

`python -m lab.libraries.stubs NAME FILE` listens on a free port of 127.0.0.1, and writes it into FILE.
"""

import json
import socketserver
import struct
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Told = Callable[[int], None]


class Handler(BaseHTTPRequestHandler):
    """Answers with a status that the path names, as `/status/503`, else with 200; `/slow` never."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Any method."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/slow":
            threading.Event().wait()
        status = int(self.path.rpartition("/")[2]) if self.path.startswith("/status/") else 200
        body = json.dumps(self.document(status)).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **self.more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_GET
    more: dict[str, str] = {}  # noqa: RUF012 - never changed

    def document(self, status: int) -> Any:
        """What is answered."""
        return {"status": status}

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the standard library
        """Nothing."""


class SearchHandler(Handler):
    """As much of Elasticsearch and OpenSearch as one search and one missing index."""

    more = {"X-Elastic-Product": "Elasticsearch"}  # noqa: RUF012 - never changed

    def do_GET(self) -> None:
        """Any method."""
        if self.path.startswith("/missing"):
            self.path = "/status/404"
        super().do_GET()

    do_POST = do_PUT = do_GET

    def document(self, status: int) -> Any:
        """No hit, or no index."""
        if status != 200:
            return {"error": {"type": "index_not_found_exception", "reason": "no such index"}, "status": status}
        return {"took": 1, "timed_out": False, "_shards": {"total": 1, "successful": 1, "failed": 0},
                "hits": {"total": {"value": 0, "relation": "eq"}, "hits": []}}  # fmt: skip


def http(announce: Told, handler: type[Handler] = Handler) -> None:
    """An HTTP server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    announce(server.server_port)
    server.serve_forever()


def moto(announce: Told) -> None:
    """AWS, by moto."""
    from boto3 import Session
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    Session("key", "secret", region_name="eu-west-1").client(
        "dynamodb", endpoint_url=f"http://127.0.0.1:{port}"
    ).list_tables()
    announce(port)  # it reads a service's code at the first request
    threading.Event().wait()


class Mongo(socketserver.StreamRequestHandler):
    """MongoDB's protocol (OP_MSG) as far as hello, ping, find, insert and an unknown command go."""

    def handle(self) -> None:
        """One connection."""
        import bson

        while header := self.rfile.read(16):
            length, request, _, opcode = struct.unpack("<iiii", header)
            body = self.rfile.read(length - 16)
            body_start = 5 if opcode == 2013 else body.index(b"\0", 4) + 9
            size = struct.unpack_from("<i", body, body_start)[0]
            answer = bson.encode(self.answer(bson.decode(body[body_start : body_start + size])))
            if opcode == 2013:
                payload, code = struct.pack("<iB", 0, 0) + answer, 2013
            else:  # the first hello may be an OP_QUERY
                payload, code = struct.pack("<iqii", 8, 0, 0, 1) + answer, 1
            self.wfile.write(struct.pack("<iiii", 16 + len(payload), 1, request, code) + payload)

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """The answer to one command."""
        name = next(iter(command)).lower()
        if name in ("hello", "ismaster"):
            return {"ok": 1.0, "isWritablePrimary": True, "ismaster": True, "maxWireVersion": 21, "minWireVersion": 0,
                    "maxBsonObjectSize": 2**24, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 1000,
                    "helloOk": True, "connectionId": 1}  # fmt: skip
        if name == "find":
            namespace = f"{command['$db']}.{command['find']}"
            return {"ok": 1.0, "cursor": {"id": 0, "ns": namespace, "firstBatch": [{"id": 1}]}}
        if name in ("ping", "endsessions"):
            return {"ok": 1.0}
        return {"ok": 0.0, "code": 59, "codeName": "CommandNotFound", "errmsg": f"no such command: '{name}'"}


def mongo(announce: Told) -> None:
    """A stub of MongoDB."""
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mongo) as server:
        announce(server.server_address[1])
        server.serve_forever()


def kafka(announce: Told) -> None:
    """The broker that librdkafka has for tests."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1})
    (broker,) = producer.list_topics(timeout=30).brokers.values()
    producer.produce("orders", b"first")
    producer.flush(30)
    announce(broker.port)
    while True:
        producer.poll(3600)


def grpc(announce: Told) -> None:
    """A server of one service."""
    import grpc

    class Shop(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            def answer(request: bytes, context: Any) -> bytes:
                if request == b"fail":
                    context.abort(grpc.StatusCode.NOT_FOUND, "no such order")
                if request == b"slow":
                    threading.Event().wait()
                return request

            return grpc.unary_unary_rpc_method_handler(answer) if details.method == "/shop.Orders/Get" else None

    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((Shop(),))
    announce(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    server.wait_for_termination()


STUBS: dict[str, Callable[[Told], None]] = {
    "HTTP": http,
    "moto": moto,
    "search": lambda announce: http(announce, SearchHandler),
    "MongoDB": mongo,
    "Kafka": kafka,
    "gRPC": grpc,
}


def main(name: str, file: str) -> None:
    """Serve until the process is ended."""

    def announce(port: int) -> None:
        part = Path(f"{file}.part")
        part.write_text(str(port))
        part.rename(file)

    STUBS[name](announce)


if __name__ == "__main__":
    main(*sys.argv[1:])
