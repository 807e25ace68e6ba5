"""Who has published what: the tracing header of a call to SNS or EventBridge, for functions that its messages reach.

On AWS both services hand the header on, and the function joins the sender's trace. The emulator does not: here a
message is known by its id, which the call's answer has and the function's event too.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lambda_latency.local.segments import TraceHeader

__all__ = ["Senders"]

MOST = 10_000  # messages that are remembered: one that failed comes again
PATIENCE_S = 2  # a message may arrive before the answer to the call that has sent it
ID = re.compile(rb'(?:MessageId>|"(?:MessageId|EventId)":\s*")([0-9a-f-]{36})')


class Senders:
    """Remembers headers by the ids of messages."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._headers: dict[str, str] = {}
        self._under_way = 0

    @contextmanager
    def call(self, service: str, header: str) -> Iterator[list[bytes]]:
        """Around a call; its answer is to be put into the list."""
        answers: list[bytes] = []
        if service not in ("sns", "events") or not header:
            yield answers
            return
        with self._changed:
            self._under_way += 1
        try:
            yield answers
        finally:
            with self._changed:
                self._under_way -= 1
                for answer in answers:
                    self._headers |= {name.decode(): header for name in ID.findall(answer)}
                while len(self._headers) > MOST:
                    del self._headers[next(iter(self._headers))]
                self._changed.notify_all()

    def header(self, event: bytes) -> TraceHeader | None:
        """That of the call that has sent an event; None where nobody has sent it, or without a header."""
        name = _id(event)
        if not name:
            return None
        with self._changed:
            self._changed.wait_for(lambda: name in self._headers or not self._under_way, PATIENCE_S)
            return TraceHeader.parse(self._headers.get(name, ""))


def _id(event: bytes) -> str:
    """The id of a message of SNS or an event of a bus; nothing for other events."""
    try:
        parsed: Any = json.loads(event)
        if "detail-type" in parsed:
            return str(parsed["id"])
        return str(parsed["Records"][0]["Sns"]["MessageId"])
    except (ValueError, TypeError, KeyError, IndexError):
        return ""
