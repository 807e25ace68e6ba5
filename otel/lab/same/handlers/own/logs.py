"""Logs by OpenTelemetry."""

import logging

from opentelemetry._logs import get_logger_provider, set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider

PROVIDER = LoggerProvider()
set_logger_provider(PROVIDER)


def handler(event, context):
    logging.getLogger("user").warning("by both")
    return get_logger_provider() is PROVIDER
