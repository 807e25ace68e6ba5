"""The OTLP/HTTP receiver of the laptop's trace store: protobuf or JSON, plain or gzip."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from lambda_latency.http import Handler, Server

MAX_BODY = 20 * 1024 * 1024  # the collector's own limit, after decompression


def serve_receiver(keep: Callable[[dict[str, Any]], None], port: int = 0) -> Server:
    """Serves `/v1/traces`; `keep` receives each export request as OTLP/JSON (hex ids)."""
    return Server(type("Receiver", (_Receiver,), {"keep": staticmethod(keep)}), port)


class _Receiver(Handler):
    keep: Callable[[dict[str, Any]], None]

    def do_POST(self) -> None:
        body = self.body()
        if self.path != "/v1/traces":
            return self.answer(404)
        kind = self.headers.get_content_type()
        try:
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.GzipFile(fileobj=io.BytesIO(body)).read(MAX_BODY + 1)
            if len(body) > MAX_BODY:
                raise ValueError(f"more than {MAX_BODY} bytes")
            if kind == "application/x-protobuf":
                document = from_protobuf(body)
            elif kind == "application/json":
                document = json.loads(body)
                if not isinstance(document, dict):
                    raise ValueError("an export request is a JSON object")
            else:
                return self.answer(415)
        except (ValueError, OSError, EOFError, zlib.error, DecodeError) as error:
            return self.answer(400, str(error).encode())
        except RecursionError:
            return self.answer(400, b"nested too deeply")
        self.keep(document)
        return self.answer(200, b"" if kind == "application/x-protobuf" else b"{}", {"Content-Type": kind})


def from_protobuf(body: bytes) -> dict[str, Any]:
    """Converts an export request to OTLP/JSON. Raises protobuf's `DecodeError`.

    protobuf's own JSON has ids in base64 where OTLP/JSON has them in hex.
    """
    document: dict[str, Any] = MessageToDict(ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True)
    for resource in document.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                for holder in (span, *span.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            holder[key] = b64decode(holder[key]).hex()
    return document
