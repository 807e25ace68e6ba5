"""The function's log: each record that is written during an invocation gets the id of its trace.

Lambda's JSON format shows all attributes of a record; its text format stays as it is. The id has X-Ray's form, by which
X-Ray's console finds the lines of a trace.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from opentelemetry.trace import get_current_span

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TraceIds", "allow_none"]

NAME = "traceId"  # in the style of Lambda's requestId


class TraceIds(logging.Filter):
    """A filter on the handlers of the root logger, with Lambda's handler among them.

    A record factory would not do: a call with the same name in `extra` would raise.
    """

    def start(self, undo: list[Callable[[], object]]) -> None:
        """Add the filter to the present handlers."""
        for handler in logging.getLogger().handlers:
            handler.addFilter(self)
            undo.append(functools.partial(handler.removeFilter, self))

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the trace id to the record. Every record passes."""
        trace_id = get_current_span().get_span_context().trace_id
        if trace_id and not hasattr(record, NAME):
            text = f"{trace_id:032x}"
            setattr(record, NAME, f"1-{text[:8]}-{text[8:]}")
        return True


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
