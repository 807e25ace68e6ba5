"""An app that uses OpenTelemetry's API alone: whoever starts it brings SDK and exporter."""

import sys
import time

from opentelemetry import trace
from opentelemetry.trace import SpanKind

FAILS = 5  # one request of so many


def main(count: int) -> None:
    """Make requests with two calls each."""
    tracer = trace.get_tracer("lab.live.app")
    for number in range(count):
        try:
            with tracer.start_as_current_span("GET /cart", kind=SpanKind.SERVER, attributes={"http.route": "/cart"}):
                for name in ("SELECT", "GET"):
                    with tracer.start_as_current_span(name, kind=SpanKind.CLIENT):
                        time.sleep(0.002)
                if number % FAILS == 0:
                    raise ValueError(f"no customer {number}")
        except ValueError:
            continue
    provider = trace.get_tracer_provider()
    if hasattr(provider, "force_flush"):
        provider.force_flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
