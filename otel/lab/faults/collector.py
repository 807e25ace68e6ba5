"""A collector that fails on command, and keeps what it takes as it came; or X-Ray's OTLP endpoint."""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.faults.signatures import what_is_wrong
from lambda_latency.http import Handler, Server, reset, wait_for_hangup

Mode = Literal["healthy", "refused", "hole", "slow", "500", "429", "reset", "held", "403", "partial"]


class Collector:
    """Listens on one port, except while it is refused. `arrived` is called with each request.

    With `signed_by`, the variables that credentials are in, it takes requests with a right signature alone.
    """

    def __init__(
        self, *, answer_s: float = 0.0, slow_s: float = 3.0, signed_by: Mapping[str, str] | None = None
    ) -> None:
        self.mode: Mode
        self.bodies: list[bytes] = []
        self.rejected: set[str] = set()  # ids of spans that it left out of what it took
        self.rejections = 0  # of spans; one that is sent again is rejected again
        self.unsigned: list[str] = []  # what was wrong with signatures
        self.requests = 0
        self._signed_by = signed_by
        self.arrived: Callable[[], None] = lambda: None
        self.let_go = threading.Event()  # of what is held
        self._answer_s, self._slow_s = answer_s, slow_s
        self._held = socket.socket()  # keeps the port bound while nobody listens: another process would take a free one
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port: int = self._held.getsockname()[1]
        self._server: Server | None = None
        self.set("healthy")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def set(self, mode: Mode) -> None:
        """Behave so from the next request on; connections that are open are cut where nobody listens."""
        self.mode = mode
        if mode == "refused" and self._server is not None:
            self._server.close()
            self._server = None
        elif mode != "refused" and self._server is None:
            self._server = Server(type("Collects", (_Collects,), {"collector": self}), self.port)

    def spans(self) -> list[Span]:
        """All that it took."""
        return [span for body in list(self.bodies) for span in spans_of(body)]

    def close(self) -> None:
        self.let_go.set()
        if self._server is not None:
            self._server.close()
        self._held.close()

    def serve(self, handler: Handler, body: bytes) -> None:
        self.requests += 1
        self.arrived()
        mode = self.mode
        if mode == "hole":
            wait_for_hangup(handler.connection)
            handler.close_connection = True
        elif mode == "reset":
            reset(handler.connection)
            raise ConnectionAbortedError("on purpose")
        elif mode in ("500", "429"):
            handler.answer(int(mode))
        elif mode == "403":
            handler.answer(403, b'{"message": "expired"}', {"x-amzn-ErrorType": "ExpiredTokenException"})
        elif self._signed_by is not None and (wrong := self._what_is_wrong(handler, body)):
            self.unsigned.append(wrong)
            handler.answer(403, b"", {"x-amzn-ErrorType": wrong.partition(":")[0]})
        else:
            self._collect(handler, body, mode)

    def _collect(self, handler: Handler, body: bytes, mode: Mode) -> None:
        if mode == "held":
            self.let_go.wait(60)
        time.sleep(self._slow_s if mode == "slow" else self._answer_s)
        if _hung_up(handler.connection):  # as the real one: a batch whose sender is gone is dropped
            handler.close_connection = True
            return
        self.bodies.append(body)
        answer = self._rejecting(body) if mode == "partial" else b""
        handler.answer(200, answer, {"Content-Type": "application/x-protobuf"})

    def _what_is_wrong(self, handler: Handler, body: bytes) -> str:
        assert self._signed_by is not None
        return what_is_wrong(handler.path, dict(handler.headers), body, self._signed_by, "us-east-1")

    def _rejecting(self, body: bytes) -> bytes:
        """Every fourth span by its id: left out, so that `spans` has it not."""
        message = ExportTraceServiceRequest.FromString(body)
        rejected = {span.span_id.hex() for span in spans_of(body) if span.span_id[-1] % 4 == 0}
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                accepted = [span for span in scope.spans if span.span_id.hex() not in rejected]
                scope.ClearField("spans")
                scope.spans.extend(accepted)
        self.bodies[-1] = message.SerializeToString()
        self.rejected |= rejected
        self.rejections += len(rejected)
        answer = ExportTraceServiceResponse()
        answer.partial_success.rejected_spans = len(rejected)
        answer.partial_success.error_message = "on purpose"
        return answer.SerializeToString()


class _Collects(Handler):
    collector: Collector

    def do_POST(self) -> None:
        self.collector.serve(self, self.body())


def _hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def spans_of(body: bytes) -> list[Span]:
    """The spans of an export request."""
    message = ExportTraceServiceRequest.FromString(body)
    return [span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]
