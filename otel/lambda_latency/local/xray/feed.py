"""Forwards recorded spans to the laptop's X-Ray in the background, so that no sender waits for it, and reads traces."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lambda_latency.http import Client
from lambda_latency.local.cloud.clients import clients
from lambda_latency.local.xray.document import xray_trace_id

AT_ONCE = 100  # export requests that are sent together
# The time in which they are gathered: single ones would take CPU time from the measured requests.
GATHER_S = 0.5
MOST_IDS = 5  # X-Ray's limit


class Feed:
    """Sends to the X-Ray at `url` from a background thread. `log` receives the first failure."""

    def __init__(self, url: str, log: Callable[[str], None]) -> None:
        self._client = Client(url)
        self._log = log
        self._failed = False
        self._waiting: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="feed", daemon=True)
        self._thread.start()

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
            groups = [group for d in batch if d for group in d.get("resourceSpans", ())]
            if groups:
                self._send(json.dumps({"resourceSpans": groups}, separators=(",", ":")).encode())

    def _gathered(self) -> list[Mapping[str, Any] | None]:
        """Return the next batch; a final None marks the last one."""
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


def batch_get_traces(url: str, trace_ids: Iterable[str]) -> dict[str, Any]:
    """Return the traces with these ids (32 hex digits), with their segments as JSON text. Raises botocore's errors."""
    client = clients(url)("xray")
    ids = [xray_trace_id(trace_id) for trace_id in trace_ids]
    traces: dict[str, Any] = {"Traces": [], "UnprocessedTraceIds": []}
    for start in range(0, len(ids), MOST_IDS):
        answer = client.batch_get_traces(TraceIds=ids[start : start + MOST_IDS])
        traces["Traces"] += answer["Traces"]
        traces["UnprocessedTraceIds"] += answer["UnprocessedTraceIds"]
    client.close()
    return traces
