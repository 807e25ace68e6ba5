"""The OTLP receiver of the laptop's X-Ray, in moto's process: stores spans as segment documents."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any

import boto3
from moto.core.exceptions import AWSError
from moto.xray.models import SegmentCollection

from lambda_latency.local.gateway.wsgi import WSGI
from lambda_latency.local.xray.document import segment_document
from lambda_latency.local.xray.platform import PlatformSegments
from lambda_latency.trace import Span, spans_of

PATH = "/v1/traces"
AT_ONCE = 50  # documents per call, as the exporter sends them


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
        self._client = boto3.client(
            "xray",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - not a real key
        )

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
        with self._lock:  # the spans of a stage and of its function may arrive at the same time
            documents, others = self._platform.documents(spans)
        documents += [segment_document(span, self._indexed) for span in others]
        texts = [json.dumps(document, separators=(",", ":")) for document in documents]
        for first in range(0, len(texts), AT_ONCE):
            self._client.put_trace_segments(TraceSegmentDocuments=texts[first : first + AT_ONCE])


def replace_segments() -> None:
    """Patch moto in two points, so that it behaves as X-Ray.

    A segment that is sent again replaces the earlier one; moto would keep both. A filter expression, which moto does
    not support, is rejected as invalid; moto's own answer looks like a temporary fault and would be retried for a
    minute.
    """
    put, summary = SegmentCollection.put_segment, SegmentCollection.summary

    def put_segment(self: Any, segment: Any) -> None:
        kept = self._traces[segment.trace_id]["segments"]
        kept[:] = [one for one in kept if one.id != segment.id]
        put(self, segment)

    def summarize(self: Any, start_time: Any, end_time: Any, filter_expression: Any = None) -> Any:
        if filter_expression is not None:
            raise AWSError("The laptop's X-Ray supports no filter expressions", "InvalidRequestException", 400)
        return summary(self, start_time, end_time)

    SegmentCollection.put_segment = put_segment  # type: ignore[method-assign]
    SegmentCollection.summary = summarize  # type: ignore[method-assign]
