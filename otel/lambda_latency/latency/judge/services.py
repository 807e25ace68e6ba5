"""The service whose code runs in a span, and the place where that code ran: advice for a function fits no browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lambda_latency.trace import (
    ABSENT,
    CHAIN,
    FUNCTION,
    GATEWAY,
    OUTERMOST,
    RUNTIME_SCOPES,
    SERVICE,
    WAIT,
    Shape,
    SpanKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_latency.trace import Span


class Code(NamedTuple):
    """A service: `name` is its name in parts, `service_name` the `service.name` of its spans.

    `name` is empty for the Lambda function that received the request first, and if spans do not name their service.
    """

    name: str
    service_name: str


def code_of(shape: Shape, above: Shape | None, outer: Code | None, callee: str) -> Code | None:
    """The service whose code runs in a span below `above`, which runs code of `outer`; None if no service is known yet.

    `callee` is the target of the external call around the span, or empty: it names a service that does not name itself.
    """
    service_name = _service_name(shape)
    if above is not None and service_name and (above is ABSENT or above.origin == CHAIN):
        return Code(service_name, service_name)
    if _runs_no_code(shape, above):
        return outer
    if shape.origin in (SERVICE, FUNCTION):
        # A function segment below an attempt of the Lambda service.
        same = outer is not None and shape.origin == FUNCTION and service_name == outer.service_name
        if same or (above is not None and above.origin == SERVICE):
            return outer
        return Code("" if outer is None else service_name or shape.name, service_name)
    if shape.scope in RUNTIME_SCOPES and shape.kind is SpanKind.INTERNAL:
        return outer or Code("", service_name)
    if outer is None:
        return Code("" if shape.roles & OUTERMOST else service_name, service_name)
    if above is not None and (above.origin in (SERVICE, FUNCTION) or above.phase):
        return Code(outer.name, service_name or outer.service_name)
    if service_name and outer.service_name and service_name != outer.service_name:
        return Code(service_name, service_name)
    if shape.kind is SpanKind.SERVER and callee and not (service_name and service_name == outer.service_name):
        return Code(service_name or callee, service_name)
    return outer


def _runs_no_code(shape: Shape, above: Shape | None) -> bool:
    """Whether no service's code runs in the span: API Gateway, its call to Lambda, an unrecorded parent or wait."""
    gateway = above is not None and above.origin == GATEWAY and shape.origin is None
    return shape is ABSENT or shape.origin in (GATEWAY, CHAIN, WAIT) or gateway


def _service_name(shape: Shape) -> str:
    name = shape.resource.get("service.name") or shape.resource.get("faas.name")
    return name if isinstance(name, str) else ""


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
