"""A fake of the external payments API, in its own process: charges and refunds, once per idempotency key.

It continues the caller's trace with a SERVER span, as a traced provider does, so that a trace shows both sides of the
call.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from lambda_latency.http import Handler, Server, reset, wait_for_hangup
from lambda_latency.local.faults import FaultPlan, FaultRule, Faults
from lambda_latency.local.processes import serve_until_sigterm

# The API route that makes each call: a fault rule's `route` at the provider.
ROUTES = {"/charges": "POST /orders", "/refunds": "POST /orders/{id}/cancel"}

DECLINED = "card-declined"


class Books:
    """Charges and refunds. A repeated key returns the same answer and changes nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self.entries: dict[str, list[dict[str, Any]]] = {"/charges": [], "/refunds": []}

    def enter(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self._lock:
            answer = self._answers.get((path, key))
            if answer is None:
                answer = self._answers[path, key] = self._new(path, key, body)
            return answer

    def _new(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body.get("payment_method") == DECLINED:
            return 402, {"error": "card_declined"}
        name = "charge_id" if path == "/charges" else "refund_id"
        number = len(self.entries[path]) + 1
        answer = {name: f"{name[:2]}_{number}", "status": "succeeded"}
        self.entries[path].append({**body, **answer, "idempotency_key": key})
        return 201, answer


class PaymentsHandler(Handler):
    """Serves POST /charges, POST /refunds, and GET / with all charges and refunds."""

    books: Books
    faults: Faults
    connect_faults: Faults
    tracer: Tracer

    def setup(self) -> None:
        super().setup()
        if fault := self.connect_faults.next():
            self._suffer(fault)

    def do_GET(self) -> None:
        self._json(200, {path.strip("/"): entries for path, entries in self.books.entries.items()})

    def do_POST(self) -> None:
        raw = self.body()
        context = AwsXRayPropagator().extract(dict(self.headers.items()), Context())
        attributes = {"http.method": "POST", "http.route": self.path, "http.target": self.path}
        with self.tracer.start_as_current_span(
            f"POST {self.path}", context, SpanKind.SERVER, attributes=attributes
        ) as span:
            status, body = self._enter(raw)
            fault = self.faults.next((ROUTES.get(self.path, ""),)) if status < 500 else None
            if fault is not None and fault.kind in ("throttle", "status"):
                status = 429 if fault.kind == "throttle" else fault.status
                body = {"error": "on purpose", "status": status}
            elif fault is not None:
                self._suffer(fault)  # the charge is retained, although the caller gets no answer
            span.set_attribute("http.status_code", status)
            if status >= 500:
                span.set_status(Status(StatusCode.ERROR))
        self._json(status, body)

    def _enter(self, raw: bytes) -> tuple[int, dict[str, Any]]:
        if self.path not in ROUTES:
            return 404, {"error": "not_found"}
        key = self.headers.get("Idempotency-Key")
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not key or not isinstance(body, dict):
            return 400, {"error": "an Idempotency-Key and a JSON object are needed"}
        return self.books.enter(self.path, key, body)

    def _suffer(self, fault: FaultRule) -> None:
        if fault.kind == "delay":
            time.sleep(fault.ms / 1000)
            return
        if fault.kind == "hang":
            wait_for_hangup(self.connection)
        else:
            reset(self.connection)
        raise ConnectionAbortedError("on purpose")

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self.answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def main() -> None:
    """Serves until SIGTERM, then sends the remaining spans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", required=True, help="where spans go: an OTLP/HTTP endpoint")
    parser.add_argument("--faults", required=True, help="a fault plan in JSON")
    options = parser.parse_args()
    plan = FaultPlan.from_json(options.faults)
    traces = TracerProvider(
        sampler=ParentBased(ALWAYS_OFF), resource=Resource({"service.name": "payments"}), shutdown_on_exit=False
    )
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(options.spans), schedule_delay_millis=100))
    handler = {
        "books": Books(),
        "faults": plan.faults_at("provider"),
        "connect_faults": plan.faults_at("connect"),
        "tracer": traces.get_tracer("payments"),
    }
    server = Server(type("Payments", (PaymentsHandler,), handler))
    serve_until_sigterm(server.port)
    server.close()
    traces.shutdown()


if __name__ == "__main__":
    main()
