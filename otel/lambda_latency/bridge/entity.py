"""Segments and subsegments with the X-Ray SDK's names and methods, each on an OpenTelemetry span.

An entity without a span is the SDK's dummy: it is unsampled, or tracing is off. It accepts calls and records nothing.
"""

from __future__ import annotations

import logging
import string
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

log = logging.getLogger("aws_xray_sdk.core.models.entity")
DUMMY_TRACE_ID = "dummy"
NOT_IN_A_NAME = "?;*()!$~^<>"
IN_A_KEY = frozenset(string.ascii_letters + string.digits + "_")
ANNOTATIONS = "aws.xray.annotations"


class Entity:
    """The base of segments and subsegments. `outer` is the context to restore after it."""

    type = ""

    def __init__(self, name: str, span: Span | None = None, outer: Context | None = None) -> None:
        self.name = without(name)
        self.outer = outer
        self.start_time = time.time()
        self.end_time: float | None = None
        self.in_progress = True
        self.annotations: dict[str, Any] = {}
        self.metadata: dict[str, dict[str, Any]] = {}
        self.http: dict[str, dict[str, Any]] = {}
        self.aws: Mapping[str, Any] = {}
        self.cause: dict[str, Any] = {}
        self.parent_id: str | None = None
        self._span = span

    @property
    def sampled(self) -> bool:
        """Whether it is recorded."""
        return self._span is not None

    @property
    def id(self) -> str:
        """Its id in X-Ray's format."""
        return format(self._span.get_span_context().span_id, "016x") if self._span is not None else DUMMY_TRACE_ID

    @property
    def trace_id(self) -> str:
        """The trace id in X-Ray's format."""
        if self._span is None:
            return DUMMY_TRACE_ID
        digits = format(self._span.get_span_context().trace_id, "032x")
        return f"1-{digits[:8]}-{digits[8:]}"

    def close(self, end_time: float | None = None) -> None:
        """Ends the entity at a time in seconds since 1970. Raises AlreadyEndedException if it has ended."""
        self._check_ended()
        self.in_progress = False
        self.end_time = end_time or time.time()
        if self._span is not None:
            self._end(self._span, end_time)

    def put_annotation(self, key: Any, value: Any) -> None:
        """Sets an annotation: text, number or boolean, by which X-Ray can search."""
        if self._span is None:
            return
        self._check_ended()
        if not isinstance(key, str):
            log.warning("ignoring non string type annotation key with type %s.", type(key))
        elif not isinstance(value, str | bool | int | float):
            log.warning("ignoring unsupported annotation value type %s.", type(value))
        elif not IN_A_KEY.issuperset(key):
            log.warning("ignoring annotation with unsupported characters in key: '%s'.", key)
        else:
            self.annotations[key] = value
            self._span.set_attribute(key, value)
            self._span.set_attribute(ANNOTATIONS, tuple(self.annotations))

    def put_metadata(self, key: str, value: Any, namespace: Any = "default") -> None:
        """Sets metadata: any JSON value, not searchable."""
        if self._span is None:
            return
        self._check_ended()
        if not isinstance(namespace, str):
            log.warning("ignoring non string type metadata namespace")
            return
        if namespace.startswith("AWS."):
            log.warning("Prefix 'AWS.' is reserved, drop metadata with namespace %s", namespace)
            return
        from lambda_latency.bridge.fields import PREFIX, document

        values = self.metadata.setdefault(namespace, {})
        values[key] = value
        try:
            self._span.set_attribute(PREFIX + namespace, document(values))
        except Exception as error:  # noqa: BLE001 - the value's own methods run here, and must not fail the request
            log.warning("metadata %s is left out: %s", key, error)

    def put_http_meta(self, key: str, value: Any) -> None:
        """Sets a field of the HTTP call: `url`, `method`, `status` and X-Ray's others."""
        if self._span is None or value is None:
            return
        self._check_ended()
        from lambda_latency.bridge.fields import HTTP

        if key not in HTTP:
            log.warning("ignoring unsupported key %s in http meta.", key)
            return
        if key == "status":
            value = int(value)
            self.apply_status_code(value)
        self.http.setdefault("response" if key in ("status", "content_length") else "request", {})[key] = value
        if HTTP[key]:
            self._span.set_attribute(HTTP[key], value)

    def set_aws(self, aws_meta: Mapping[str, Any]) -> None:
        """Sets the document's `aws` field, which describes an AWS call."""
        self.aws = aws_meta
        if self._span is not None:
            from lambda_latency.bridge.fields import of_aws

            self._span.set_attributes(of_aws(aws_meta))

    def set_user(self, user: str) -> None:
        """Sets the user of the request."""
        if self._span is not None:
            self._span.set_attribute("enduser.id", user)

    def add_fault_flag(self) -> None:
        """Marks a fault (5xx)."""
        self._fail()

    def add_error_flag(self) -> None:
        """Marks an error (4xx); X-Ray's exporter derives the flag from the HTTP status only."""
        self._fail(400)

    def add_throttle_flag(self) -> None:
        """Marks a throttle (429)."""
        self._fail(429)

    def apply_status_code(self, status_code: int | None) -> None:
        """Sets the error status for an HTTP status of 400 or more."""
        if self._span is not None and status_code and status_code >= 400:
            self._fail()

    def add_exception(self, exception: BaseException, stack: Any, remote: bool = False) -> None:  # noqa: ARG002
        """Records an exception that ended the entity, with its traceback."""
        if self._span is None:
            return
        self._check_ended()
        self._span.record_exception(exception, {"exception.type": type(exception).__name__})
        self.cause = {"exceptions": [exception]}
        self._fail(message=f"{type(exception).__name__}: {exception}")

    def add_subsegment(self, subsegment: Entity) -> None:
        """Sets this entity as the parent of a subsegment."""
        subsegment.parent_id = self.id

    def save_origin_trace_header(self, trace_header: Any) -> None:
        """Stores the tracing header of the incoming request."""
        self._header = trace_header

    def get_origin_trace_header(self) -> Any:
        """The stored tracing header."""
        return getattr(self, "_header", None)

    def to_dict(self) -> dict[str, Any]:
        """The entity's known fields."""
        names = ("name", "id", "trace_id", "start_time", "end_time", "annotations", "metadata", "http", "parent_id")
        return {name: value for name in names if (value := getattr(self, name))}

    def serialize(self) -> str:
        """The entity's known fields as JSON."""
        import json

        return json.dumps(self.to_dict(), default=str)

    def _check_ended(self) -> None:
        if not self.in_progress:
            from lambda_latency.bridge.exceptions import AlreadyEndedException

            raise AlreadyEndedException("Already ended segment and subsegment cannot be modified.")

    def _fail(self, status: int = 0, message: str | None = None) -> None:
        if self._span is None:
            return
        from opentelemetry.trace import Status, StatusCode

        if status:
            self._span.set_attribute("http.status_code", status)
        self._span.set_status(Status(StatusCode.ERROR, message))

    def _end(self, span: Span, end_time: float | None) -> None:
        span.end(int(end_time * 1e9) if end_time else None)


class Segment(Entity):
    """The handler's span as X-Ray's segment, or a discarded segment; the bridge never ends its span."""

    def ready_to_send(self) -> bool:
        """Always False: the kit exports it."""
        return False

    def is_sampled(self) -> bool:
        """Whether it is recorded."""
        return self.sampled

    def set_service(self, service_info: Any) -> None:
        """Does nothing: resource attributes describe the service."""

    def set_rule_name(self, rule_name: str) -> None:
        """Does nothing: Lambda samples."""

    def _end(self, span: Span, end_time: float | None) -> None:
        """Does nothing: Lambda's segment ends with the invocation."""


class Subsegment(Entity):
    """A span of the function's code. `namespace` is `local`, `remote` or `aws`."""

    type = "subsegment"

    def __init__(
        self,
        name: str,
        namespace: str = "local",
        segment: Entity | None = None,
        span: Span | None = None,
        outer: Context | None = None,
    ) -> None:
        super().__init__(name, span, outer)
        self.namespace = namespace
        self.parent_segment = segment if segment is not None else Segment("dummy")
        self.sql: dict[str, Any] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "name" and getattr(self, "_span", None) is not None:
            self._span.update_name(value)  # type: ignore[union-attr]

    def set_sql(self, sql: dict[str, Any]) -> None:
        """Sets the document's `sql` field: the statement and its database."""
        self.sql = sql
        if self._span is not None:
            from lambda_latency.bridge.fields import of_sql

            self._span.set_attributes(of_sql(sql))


def DummySegment(name: str = "dummy") -> Segment:
    """A segment that is not recorded."""
    return Segment(name)


def DummySubsegment(segment: Entity | None = None, name: str = "dummy") -> Subsegment:
    """A subsegment that is not recorded."""
    return Subsegment(name, "local", segment)


def without(name: str) -> str:
    """A name without characters that X-Ray rejects."""
    for character in NOT_IN_A_NAME:
        if character in name:
            log.warning("Removing Segment/Subsugment Name invalid characters from %s.", name)
            return "".join([c for c in name if c not in NOT_IN_A_NAME])
    return sys.intern(name) if type(name) is str else name
