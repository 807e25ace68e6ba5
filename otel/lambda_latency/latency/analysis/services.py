"""The service whose code runs in a span, and the place where that code ran: advice for a function fits no browser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from lambda_latency.trace import (
    ABSENT,
    CHAIN,
    DURABLE_EXECUTION,
    FUNCTION,
    GATEWAY,
    REQUEST_ROOT,
    RUNTIME_SCOPES,
    SERVICE,
    WAIT,
    Signature,
    Span,
    SpanKind,
    service_of_resource,
)


class Code(NamedTuple):
    """A service: `name` is its name in components, `service_name` the `service.name` of its spans.

    `name` is empty for the Lambda function that received the request first, and if spans do not name their service.
    """

    name: str
    service_name: str


def code_of(signature: Signature, above: Signature | None, outer: Code | None, callee: str) -> Code | None:
    """Return the service whose code runs in a span below `above`, which runs code of `outer`; None if none is known.

    `callee` is the target of the external call around the span, or empty: it names a service that does not name itself.
    """
    service_name = service_of_resource(signature.resource)
    if service_name and _joins_traces(above):
        return Code(service_name, service_name)
    if _runs_no_code(signature, above):
        return outer
    if signature.origin in (SERVICE, FUNCTION):
        return _code_of_segment(signature, above, outer)
    if signature.scope in RUNTIME_SCOPES and signature.kind is SpanKind.INTERNAL:
        return outer or Code("", service_name)
    if outer is None:
        return Code("" if signature.roles & REQUEST_ROOT else service_name, service_name)
    return _code_below(signature, above, outer, callee)


def _joins_traces(signature: Signature | None) -> bool:
    return signature is not None and (signature is ABSENT or signature.origin == CHAIN)


def _code_of_segment(signature: Signature, above: Signature | None, outer: Code | None) -> Code | None:
    service_name = service_of_resource(signature.resource)
    if above is not None and above.origin == SERVICE:
        return outer
    if outer is None:
        return Code("", service_name)
    # A function segment below an attempt of the Lambda service
    if signature.origin == FUNCTION and service_name == outer.service_name:
        return outer
    return Code(service_name or signature.name, service_name)


def _code_below(signature: Signature, above: Signature | None, outer: Code, callee: str) -> Code:
    service_name = service_of_resource(signature.resource)
    if above is not None and (above.phase or above.origin in (SERVICE, FUNCTION)):
        return outer._replace(service_name=service_name or outer.service_name)
    if service_name == outer.service_name and service_name:
        return outer
    if service_name and outer.service_name:
        return Code(service_name, service_name)
    if callee and signature.kind is SpanKind.SERVER:
        return Code(service_name or callee, service_name)
    return outer


def _runs_no_code(signature: Signature, above: Signature | None) -> bool:
    """Return whether a span begins no service's code: API Gateway, its call to Lambda, an unrecorded parent or wait."""
    gateway = above is not None and above.origin == GATEWAY and signature.origin is None
    invocation = above is not None and above.origin == DURABLE_EXECUTION  # of which the execution names the service
    return signature is ABSENT or signature.origin in (GATEWAY, CHAIN, WAIT) or gateway or invocation


Place: TypeAlias = Literal["lambda", "server", "proxy", "browser"]

PROXIES = ("envoy", "istio", "nginx", "haproxy", "traefik", "kong", "apisix", "caddy", "linkerd", "gateway-envoy")
FUNCTIONS = ("aws_lambda", "gcp_cloud_functions", "azure_functions", "azure.functions", "alibaba_cloud_fc")
BROWSERS = ("webjs", "browser")
# Beginnings of the attributes of a machine or a container
MACHINES = ("k8s.", "container.", "host.", "process.", "aws.ecs.", "aws.eks.")


def place_of(spans: Iterable[Span]) -> Place | None:
    """Where the code of these spans ran: what the first of them tells; None if none tells anything."""
    return next((place for span in spans if (place := _place(span)) is not None), None)


def _place(span: Span) -> Place | None:
    resource = span.resource
    language = resource.get("telemetry.sdk.language") or resource.get("process.runtime.name")
    if _is_proxy(span):
        return "proxy"
    if language in BROWSERS or _has((*resource, *span.attributes), "browser."):
        return "browser"
    if _is_lambda(span):
        return "lambda"
    platform = resource.get("cloud.platform") or (span.origin or "").startswith("AWS::E")
    is_machine = "hostname" in resource or _has(resource, *MACHINES)
    return "server" if is_machine or platform or language else None


def _is_proxy(span: Span) -> bool:
    attributes = span.attributes
    component = str(attributes.get("component") or "").lower()
    if component == "proxy" or attributes.get("upstream_cluster") or attributes.get("upstream_cluster.name"):
        return True
    names = (component, span.scope.name, span.resource.get("service.name"), span.resource.get("telemetry.sdk.name"))
    return any(str(name or "").lower().startswith(PROXIES) for name in names)


def _is_lambda(span: Span) -> bool:
    resource, attributes = span.resource, span.attributes
    if attributes.get("faas.invocation_id") or attributes.get("faas.trigger") or _has(resource, "faas."):
        return True
    return (span.origin or "").startswith("AWS::Lambda") or resource.get("cloud.platform") in FUNCTIONS


def _has(keys: Iterable[str], *beginnings: str) -> bool:
    return any(key.startswith(beginnings) for key in keys)
