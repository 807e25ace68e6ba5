"""The function's log: each record that is written during an invocation gets the id of its trace.

Lambda's JSON format shows all attributes of a record; its text format stays as it is. Other formatters get the id if
their format has `traceId`. The id has X-Ray's form, by which X-Ray's console finds the lines of a trace.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

from opentelemetry.trace import get_current_span

from lambda_latency.runtime.harmless import warn

NAME = "traceId"  # in the style of Lambda's requestId


def give_trace_ids(undo: list[Callable[[], object]]) -> None:
    """Give the trace id to the formatters of the root logger's present handlers, with Lambda's handler among them.

    A record factory would not do: a call with the same name in `extra` would raise. Nor would a filter: the record is
    passed on, and Sentry and others dump all of its attributes.
    """
    for handler in logging.getLogger().handlers:
        handler.format = functools.partial(formatted, handler, handler.format)  # type: ignore[method-assign]
        undo.append(functools.partial(vars(handler).pop, "format", None))


def formatted(handler: logging.Handler, original: Callable[[logging.LogRecord], str], record: logging.LogRecord) -> str:
    """Format the record, which has the trace id meanwhile if Lambda's formatter or one that names it asks for it."""
    trace_id = get_current_span().get_span_context().trace_id
    if not trace_id or hasattr(record, NAME) or not is_asked(handler.formatter):
        return original(record)
    text = f"{trace_id:032x}"
    setattr(record, NAME, f"1-{text[:8]}-{text[8:]}")
    try:
        return original(record)
    finally:
        record.__dict__.pop(NAME, None)


def is_asked(formatter: logging.Formatter | None) -> bool:
    """Whether a formatter is Lambda's own, or has the name of the trace id in its format."""
    return type(formatter).__module__.startswith("awslambdaric") or NAME in str(getattr(formatter, "_fmt", ""))


def allow_none(undo: list[Callable[[], object]]) -> None:
    """Drop the SDK's warning about an attribute that is None, which nobody would see without the kit.

    Upstream's instrumentations set some, such as kafka's for the first message to a topic, whose partition is unknown.
    """
    logger = logging.getLogger("opentelemetry.attributes")
    logger.addFilter(is_no_warning_of_none)
    undo.append(functools.partial(logger.removeFilter, is_no_warning_of_none))


def is_no_warning_of_none(record: logging.LogRecord) -> bool:
    """Whether the record says something else."""
    return not record.getMessage().startswith("Invalid type NoneType ")


def shorten_failures(undo: list[Callable[[], object]]) -> None:
    """Log a failure inside of upstream's instrumentation of botocore in one line, once for each of its functions.

    Upstream writes a traceback at each call, as for an answer of Bedrock that its extension does not expect.
    """
    logged = set[object]()

    def is_other(record: logging.LogRecord) -> bool:
        """Whether the record is not such a failure."""
        if record.exc_info is None or not str(record.msg).startswith("Error when invoking function"):
            return True
        function = record.args[0] if isinstance(record.args, tuple) and record.args else ""
        if function not in logged:
            logged.add(function)
            error = record.exc_info[1]
            warn(
                f"{function} of the instrumentation of botocore failed ({type(error).__name__}: {error}); "
                "the request goes on, and a span lacks attributes"
            )
        return False

    for name in ("botocore", "botocore.utils"):  # by the release of upstream
        logger = logging.getLogger(f"opentelemetry.instrumentation.{name}")
        logger.addFilter(is_other)
        undo.append(functools.partial(logger.removeFilter, is_other))
