"""The service whose code runs in a span: the one that recorded it."""

from __future__ import annotations

from typing import NamedTuple

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

__all__ = ["Code", "code_of"]


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
