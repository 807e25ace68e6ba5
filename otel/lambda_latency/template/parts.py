"""The components of the collector in ADOT's Lambda layer, 0.117 (ADOT 0.43): one table for check, tests and docs.

https://github.com/aws-observability/aws-otel-lambda, folder adot/collector: no processors and no connectors.
"""

from __future__ import annotations

from collections.abc import Mapping

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "receivers": ("otlp",),
    "exporters": ("awsxray", "awsemf", "prometheusremotewrite", "debug", "otlp", "otlphttp"),
    "extensions": ("sigv4auth",),
    "processors": (),
    "connectors": (),
}
SECTIONS = (*COMPONENTS, "service")

# The keys below a path; a component without an entry is not checked.
KEYS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("receivers", "otlp"): ("protocols",),
    ("receivers", "otlp", "protocols"): ("grpc", "http"),
    ("exporters", "awsxray"): (
        "aws_log_groups",
        "certificate_file_path",
        "endpoint",
        "imds_retries",
        "index_all_attributes",
        "indexed_attributes",
        "local_mode",
        "max_retries",
        "middleware",
        "no_verify_ssl",
        "num_workers",
        "profile",
        "proxy_address",
        "region",
        "request_timeout_seconds",
        "resource_arn",
        "role_arn",
        "shared_credentials_file",
        "telemetry",
        "transit_spans_in_otlp_format",
    ),
    ("service",): ("extensions", "pipelines", "telemetry"),
    ("service", "telemetry"): ("logs", "metrics", "resource", "traces"),
}
