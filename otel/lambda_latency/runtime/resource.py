"""Who sends these spans: the function, as OpenTelemetry's conventions describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.extension.aws.resource import AwsLambdaResourceDetector
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.version import __version__ as sdk_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

__all__ = ["function_resource"]


def function_resource(environ: Mapping[str, str]) -> Resource:
    """The resource of this environment; `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` have the last word.

    Upstream's detector leaves out the service's name, and gives the memory in megabytes, where the convention says
    bytes. `Resource.create` would scan every installed package for detectors at each cold start.
    """
    own: dict[str, AttributeValue] = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": sdk_version,
    }
    name, memory = environ.get("AWS_LAMBDA_FUNCTION_NAME"), environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if name:
        own["service.name"] = name
    if memory.isdecimal():
        own["faas.max_memory"] = int(memory) * 1024 * 1024
    return AwsLambdaResourceDetector().detect().merge(Resource(own)).merge(OTELResourceDetector().detect())
