"""Who sends these spans: the function, as OpenTelemetry's conventions describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.version import __version__ as sdk_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

__all__ = ["function_resource"]

VARIABLES = {
    "service.name": "AWS_LAMBDA_FUNCTION_NAME",
    "cloud.region": "AWS_REGION",
    "faas.name": "AWS_LAMBDA_FUNCTION_NAME",
    "faas.version": "AWS_LAMBDA_FUNCTION_VERSION",
    "faas.instance": "AWS_LAMBDA_LOG_STREAM_NAME",
}


def function_resource(environ: Mapping[str, str]) -> Resource:
    """The resource of this environment; `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` have the last word.

    Written by hand: `Resource.create` scans every installed package for detectors at each cold start.
    """
    attributes: dict[str, AttributeValue] = {
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": sdk_version,
    }
    attributes.update((key, environ[name]) for key, name in VARIABLES.items() if environ.get(name))
    memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if memory.isdecimal():
        attributes["faas.max_memory"] = int(memory) * 1024 * 1024  # Lambda says MB, the convention bytes
    return Resource(attributes).merge(OTELResourceDetector().detect())
