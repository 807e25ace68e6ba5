"""Headers and URLs."""

from lambda_latency.bridge.http import (
    calculate_segment_name,
    construct_xray_header,
    get_hostname,
    inject_trace_header,
    strip_url,
)

__all__ = ["calculate_segment_name", "construct_xray_header", "get_hostname", "inject_trace_header", "strip_url"]
