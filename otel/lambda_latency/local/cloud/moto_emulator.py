"""The emulator of AWS for the packaged example: moto's server in its own process, with the template's tables.

For X-Ray, it also receives OTLP.
"""

from __future__ import annotations

import argparse
import gc
import json
import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any

from moto.core.exceptions import AWSError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.xray.models import SegmentCollection

from lambda_latency.http import Server
from lambda_latency.local.cloud.clients import clients
from lambda_latency.local.faults import FaultPlan, TableFaults
from lambda_latency.local.gateway.wsgi import WSGI, WsgiHandler
from lambda_latency.local.processes import serve_until_sigterm
from lambda_latency.local.xray.document import segment_document
from lambda_latency.local.xray.platform import PlatformSegments
from lambda_latency.trace import Span, spans_of

PATH = "/v1/traces"
AT_ONCE = 50  # documents per call, as the exporter sends them


class Emulator(WsgiHandler):
    """moto, after the planned faults of DynamoDB calls."""

    faults: TableFaults

    def serve(self, body: bytes) -> None:
        if not self.faults.meet(self):
            super().serve(body)


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", default="[]", help="the tables to create: a JSON list of CreateTable's arguments")
    parser.add_argument("--faults", default='{"rules": []}', help="a fault plan in JSON")
    parser.add_argument("--routes", default="{}", help="the routes of each function, as a JSON object")
    parser.add_argument("--indexed", default="[]", help="the attributes that become annotations, as a JSON list")
    options = parser.parse_args()
    replace_segments()
    xray = Intake(DomainDispatcherApplication(create_backend_app), json.loads(options.indexed))
    faults = TableFaults(FaultPlan.from_json(options.faults), json.loads(options.routes))
    server = Server(type("Emulator", (Emulator,), {"app": xray, "faults": faults}))
    xray.connect(f"http://127.0.0.1:{server.port}")
    dynamodb = clients(f"http://127.0.0.1:{server.port}")("dynamodb")
    for table in json.loads(options.tables):
        dynamodb.create_table(**table)
    gc.collect()
    # A full collection of moto's many models would delay answers by 100 ms
    gc.freeze()
    serve_until_sigterm(server.port)


class Intake:
    """A WSGI application that receives OTLP/JSON at `/v1/traces`; `app`, AWS's own API, serves all other requests.

    Documents are stored by PutTraceSegments before the answer, as the exporter does. `indexed` are the attributes that
    become annotations.
    """

    def __init__(self, app: WSGI, indexed: Collection[str]) -> None:
        self._app, self._indexed = app, indexed
        self._platform = PlatformSegments()
        self._lock = threading.Lock()
        self._client: Any = None

    def connect(self, url: str) -> None:
        """Sets the address of `app`."""
        self._client = clients(url)("xray")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != PATH:
            return self._app(environ, start_response)
        reasons: list[str] = []
        spans = list(spans_of(environ["wsgi.input"].read(), reasons.append))
        if reasons and not spans:
            start_response("400 Bad Request", [("Content-Type", "text/plain")])
            return [reasons[0].encode()]
        self._take(spans)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    def _take(self, spans: list[Span]) -> None:
        # The spans of a stage and of its function may arrive at the same time
        with self._lock:
            documents, other_spans = self._platform.documents(spans)
        documents += [segment_document(span, self._indexed) for span in other_spans]
        texts = [json.dumps(document, separators=(",", ":")) for document in documents]
        for start in range(0, len(texts), AT_ONCE):
            self._client.put_trace_segments(TraceSegmentDocuments=texts[start : start + AT_ONCE])


def replace_segments() -> None:
    """Patch moto in two points, so that it behaves as X-Ray.

    A segment that is sent again replaces the earlier one; moto would keep both. A filter expression, which moto does
    not support, is rejected as invalid; moto's own answer looks like a temporary fault and would be retried for a
    minute.
    """
    put, summary = SegmentCollection.put_segment, SegmentCollection.summary

    def put_segment(self: Any, segment: Any) -> None:
        segments = self._traces[segment.trace_id]["segments"]
        segments[:] = [stored for stored in segments if stored.id != segment.id]
        put(self, segment)

    def summarize(self: Any, start_time: Any, end_time: Any, filter_expression: Any = None) -> Any:
        if filter_expression is not None:
            raise AWSError("The laptop's X-Ray supports no filter expressions", "InvalidRequestException", 400)
        return summary(self, start_time, end_time)

    SegmentCollection.put_segment = put_segment  # type: ignore[method-assign]
    SegmentCollection.summary = summarize  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
