"""Ids in its log lines by upstream's instrumentation."""

import logging

from opentelemetry.instrumentation.logging import LoggingInstrumentor

LoggingInstrumentor().instrument(set_logging_format=False)


def handler(event, context):
    logging.getLogger("user").warning("a line")
    record = logging.getLogRecordFactory()("n", logging.INFO, "p", 1, "m", None, None)
    return sorted(name for name in vars(record) if name.startswith("otel"))
