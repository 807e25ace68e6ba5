"""Whose code runs in a span: the service that recorded it. The function that a request comes to first has no name."""

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
    """A service by the name that its parts have, and by the `service.name` that its spans have.

    `name` is empty for the Lambda function that the request came to first, and where spans do not tell a service.
    """

    name: str
    told: str


def code_of(shape: Shape, above: Shape | None, outer: Code | None, callee: str) -> Code | None:
    """Whose code runs in a span below `above`, where `outer`'s does; None where nobody's does yet.

    `callee` is whom the call around it goes to, where there is one: the name of a service that does not say its own.
    """
    told = _told(shape)
    if above is not None and told and (above is ABSENT or above.origin == CHAIN):
        return Code(told, told)
    if _is_nobodys(shape, above):
        return outer
    if shape.origin in (SERVICE, FUNCTION):
        same = outer is not None and shape.origin == FUNCTION and told == outer.told  # below an attempt of its service
        if same or (above is not None and above.origin == SERVICE):
            return outer
        return Code("" if outer is None else told or shape.name, told)
    if shape.scope in RUNTIME_SCOPES and shape.kind is SpanKind.INTERNAL:
        return outer or Code("", told)
    if outer is None:
        return Code("" if shape.roles & OUTERMOST else told, told)
    if above is not None and (above.origin in (SERVICE, FUNCTION) or above.phase):
        return Code(outer.name, told or outer.told)
    if told and outer.told and told != outer.told:
        return Code(told, told)
    if shape.kind is SpanKind.SERVER and callee and not (told and told == outer.told):
        return Code(told or callee, told)
    return outer


def _is_nobodys(shape: Shape, above: Shape | None) -> bool:
    """Whether it is API Gateway's, its call to Lambda, or stands for a parent that was not recorded."""
    gateway = above is not None and above.origin == GATEWAY and shape.origin is None
    return shape is ABSENT or shape.origin in (GATEWAY, CHAIN, WAIT) or gateway


def _told(shape: Shape) -> str:
    name = shape.resource.get("service.name") or shape.resource.get("faas.name")
    return name if isinstance(name, str) else ""
