"""From a line of the log to its trace: each line that is written in an invocation carries the trace's id.

Lambda's JSON format shows every attribute of a record; in the text format nothing changes. The id is written as X-Ray
writes it, so that X-Ray's console finds the lines of a trace by it.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from opentelemetry.trace import get_current_span

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TraceIds"]

NAME = "traceId"  # beside Lambda's own requestId


class TraceIds(logging.Filter):
    """On the handlers of the root logger, Lambda's own among them.

    No record factory: where that has set a name, a call of the user's with the same name in `extra` raises.
    """

    def start(self, undo: list[Callable[[], object]]) -> None:
        """Mark what goes through the handlers that there are."""
        for handler in logging.getLogger().handlers:
            handler.addFilter(self)
            undo.append(functools.partial(handler.removeFilter, self))

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        trace_id = get_current_span().get_span_context().trace_id
        if trace_id and not hasattr(record, NAME):
            text = f"{trace_id:032x}"
            setattr(record, NAME, f"1-{text[:8]}-{text[8:]}")
        return True
