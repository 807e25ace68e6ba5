"""The function whose caller chose its texts: in an error, an attribute and a line of the log."""

import logging
import time
from typing import Any

from opentelemetry import trace


def handler(event: dict[str, Any], context: Any) -> float:
    """Answer with an error, or with a text, when as much time is left as the event says."""
    text = event["text"]
    while context.get_remaining_time_in_millis() > event["left_ms"] + 5:
        time.sleep(0.001)
    span = trace.get_current_span()
    if event["place"] == "attribute":
        span.set_attribute("app.text", text)
        return 0
    if event["place"] == "log":
        logging.getLogger("lambda_latency.runtime").warning("%s", text)
        span.add_event(text)
        return 0
    return float(text)
