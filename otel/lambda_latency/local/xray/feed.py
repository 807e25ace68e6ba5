"""Forwards recorded spans to the laptop's X-Ray in the background, so that no sender waits for X-Ray."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from lambda_latency.http import Client
from lambda_latency.trace import Span, to_otlp

AT_ONCE = 100  # export requests that are sent together
GATHER_S = 0.5  # the time in which they are gathered: single ones would take CPU time from the measured requests


class Feed:
    """Sends to the X-Ray at `url` from a background thread. `log` receives the first failure."""

    def __init__(self, url: str, log: Callable[[str], None]) -> None:
        self._client = Client(url)
        self._log = log
        self._failed = False
        self._waiting: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="feed", daemon=True)
        self._thread.start()

    def add(self, spans: list[Span]) -> None:
        """Forwards spans of this process."""
        self.add_otlp(to_otlp(spans))

    def add_otlp(self, document: Mapping[str, Any]) -> None:
        """Forwards an export request in OTLP/JSON."""
        self._waiting.put(document)

    def close(self) -> None:
        """Waits until everything forwarded before is in X-Ray."""
        self._waiting.put(None)
        self._thread.join()
        self._client.close()

    def _work(self) -> None:
        open_ = True
        while open_:
            batch = self._gathered()
            open_ = None not in batch
            groups = [group for document in batch if document for group in document.get("resourceSpans", ())]
            if groups:
                self._send(json.dumps({"resourceSpans": groups}, separators=(",", ":")).encode())

    def _gathered(self) -> list[Mapping[str, Any] | None]:
        """The next batch; a final None marks the last one."""
        batch = [self._waiting.get()]
        end = time.monotonic() + GATHER_S
        while batch[-1] is not None and len(batch) < AT_ONCE:
            try:
                batch.append(self._waiting.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                break
        return batch

    def _send(self, body: bytes) -> None:
        try:
            answer = self._client.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
            why = "" if answer.status == 200 else f"it answered {answer.status}"
        except OSError as error:
            why = repr(error)
        if why and not self._failed:
            self._failed = True
            self._log(f"some spans did not reach the laptop's X-Ray ({why})")
