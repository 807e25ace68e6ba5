"""Names of span kinds and statuses, for tree literals."""

from lambda_latency.trace import SpanKind, Status

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = SpanKind
UNSET, OK, ERROR = Status
