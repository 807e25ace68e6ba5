"""The server to which the emulator's functions forward their events.

An event that a call to AWS causes has the tracing header of that call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import unquote

from lambda_latency.http import Handler, Server
from lambda_latency.local.sandbox.function import Outcome

LONGEST = 300  # characters of an error message: ministack reads 512 of the whole answer


def serve_relay(invoke: Callable[[str, bytes, str], Outcome]) -> Server:
    """Serve on a free port of 127.0.0.1: a POST to `/KEY` runs that function with the body and the tracing header."""
    return Server(type("Relay", (_Relay,), {"invoke": staticmethod(invoke)}))


class _Relay(Handler):
    invoke: Callable[[str, bytes, str], Outcome]

    def do_POST(self) -> None:
        outcome = type(self).invoke(unquote(self.path[1:]), self.body(), self.headers.get("X-Amzn-Trace-Id", ""))
        if outcome.error is None:
            return self.answer(200, outcome.payload, {"Content-Type": "application/json"})
        # This status tells ministack_main.py that the function failed, not the connection to it.
        return self.answer(599, json.dumps(_short(outcome)).encode(), {"Content-Type": "application/json"})


def _short(outcome: Outcome) -> dict[str, str]:
    try:
        error = json.loads(outcome.payload)
        kind, message = str(error["errorType"]), str(error["errorMessage"])
    except (ValueError, TypeError, KeyError):
        kind, message = str(outcome.error), ""
    return {"errorType": kind[:80], "errorMessage": message[:LONGEST]}
