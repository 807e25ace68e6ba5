"""The report as one HTML page: `source` has markup, styles and scripts by section; `build_page` adds the data."""

from lambda_latency.page.build import build_page, live_page
from lambda_latency.page.redacting import SpanRedaction
from lambda_latency.page.values import page_values, redacted, spans_line

__all__ = ["SpanRedaction", "build_page", "live_page", "page_values", "redacted", "spans_line"]
