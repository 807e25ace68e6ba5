"""Names of span kinds and statuses, for tree literals."""

from lambda_latency.trace import SpanKind, Status

__all__ = ["CLIENT", "CONSUMER", "ERROR", "INTERNAL", "OK", "PRODUCER", "SERVER", "UNSET"]

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = SpanKind
UNSET, OK, ERROR = Status
