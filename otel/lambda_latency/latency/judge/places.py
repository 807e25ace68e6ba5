"""Where a span's code ran: advice for a Lambda function does not fit a container, a proxy or a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_latency.trace import Span

__all__ = ["Place", "place_of"]

Place: TypeAlias = Literal["lambda", "server", "proxy", "browser"]

PROXIES = ("envoy", "istio", "nginx", "haproxy", "traefik", "kong", "apisix", "caddy", "linkerd", "gateway-envoy")
FUNCTIONS = ("aws_lambda", "gcp_cloud_functions", "azure_functions", "azure.functions", "alibaba_cloud_fc")
BROWSERS = ("webjs", "browser")


def place_of(spans: Iterable[Span]) -> Place | None:
    """Where the code of these spans ran: what the first of them tells; None if none tells anything."""
    return next((found for span in spans if (found := _place(span)) is not None), None)


def _place(span: Span) -> Place | None:
    resource, attributes = span.resource, span.attributes
    if _is_proxy(span):
        return "proxy"
    language = str(resource.get("telemetry.sdk.language") or resource.get("process.runtime.name") or "")
    if language in BROWSERS or any(key.startswith("browser.") for key in (*resource, *attributes)):
        return "browser"
    origin = span.origin or ""
    if origin.startswith("AWS::Lambda") or resource.get("cloud.platform") in FUNCTIONS or _has(resource, "faas."):
        return "lambda"
    if attributes.get("faas.invocation_id") or attributes.get("faas.trigger"):
        return "lambda"
    told = _has(resource, "k8s.", "container.", "host.", "process.", "aws.ecs.", "aws.eks.") or "hostname" in resource
    if told or resource.get("cloud.platform") or language or origin.startswith("AWS::E"):
        return "server"
    return None


def _is_proxy(span: Span) -> bool:
    attributes = span.attributes
    component = str(attributes.get("component") or "").lower()
    if component == "proxy" or attributes.get("upstream_cluster") or attributes.get("upstream_cluster.name"):
        return True
    names = (component, span.scope.name, span.resource.get("service.name"), span.resource.get("telemetry.sdk.name"))
    return any(str(name or "").lower().startswith(PROXIES) for name in names)


def _has(resource: Mapping[str, object], *beginnings: str) -> bool:
    return any(key.startswith(beginnings) for key in resource)
