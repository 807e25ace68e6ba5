"""Delivers spans shortly before a deadline, over a new connection and even if the circuit is open."""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import TYPE_CHECKING

from lambda_latency.runtime.encoding import Encoder, batches, request
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.interpreter import held
from lambda_latency.runtime.sender import largest, outcome
from lambda_latency.runtime.transport import transport_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.settings import Settings

__all__ = ["deliver_urgently"]


def deliver_urgently(settings: Settings, spans: Sequence[ReadableSpan], seconds: float) -> bool:
    """Deliver spans within some seconds; returns whether all were accepted. Waits for each answer: a receiver may drop
    a request whose sender has closed the connection.
    """
    until = time.monotonic() + seconds
    transport = transport_to(settings)
    with held():
        bodies = [(request(batch), len(batch)) for batch in batches(Encoder(), spans, largest(settings))]
    try:
        for body, count in bodies:
            answer = transport.post(body, until - time.monotonic())
            refused, why = outcome(answer, count, of_xray=settings.export == "otlp")
            if refused:
                warn(f"a timeout could not be told to {transport.address}: {why}")
                return False
    except (OSError, HTTPException) as error:
        warn(f"a timeout could not be told to {transport.address}: {type(error).__name__}: {error}")
        return False
    finally:
        transport.close()
    return True
