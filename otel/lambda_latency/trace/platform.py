"""What AWS's own spans are called: the outer spans of a request, which the platform records."""

from __future__ import annotations

from lambda_latency.trace.span import Span, SpanKind

__all__ = [
    "FUNCTION",
    "GATEWAY",
    "INVOCATION_KEYS",
    "OUTER",
    "RUNTIME_SCOPE",
    "RUNTIME_SCOPES",
    "SERVICE",
    "is_function_handler",
    "is_init",
    "is_platform_phase",
    "is_runtime_init",
]

GATEWAY = "AWS::ApiGateway::Stage"
SERVICE = "AWS::Lambda"  # the Lambda service: from the caller's call to its answer
FUNCTION = "AWS::Lambda::Function"  # one environment's share of it
OUTER = (GATEWAY, SERVICE, FUNCTION)  # from the outside in
PHASES = ("Initialization", "Restore", "Invocation", "Overhead")
RUNTIME_SCOPE = "lambda_latency.runtime"
RUNTIME_SCOPES = (RUNTIME_SCOPE, "otel.runtime")  # the kit's spans carried the second name before it was renamed
# What instrumentations of Lambda write on the span of an invocation, the old and the new ones.
INVOCATION_KEYS = ("faas.invocation_id", "faas.trigger", "faas.coldstart", "faas.execution", "faas.name", "faas.id")


def is_platform_phase(span: Span, parent: Span | None) -> bool:
    """Is it a part of the function segment that Lambda itself records?"""
    return span.name in PHASES and span.kind is SpanKind.INTERNAL and parent is not None and parent.origin == FUNCTION


def is_function_handler(span: Span) -> bool:
    """Is it the span that an instrumentation of Lambda made of one invocation?"""
    if span.origin is not None or span.kind not in (SpanKind.SERVER, SpanKind.CONSUMER):
        return False
    return span.scope.name in RUNTIME_SCOPES or any(key in span.attributes for key in INVOCATION_KEYS)


def is_runtime_init(span: Span) -> bool:
    """Is it the kit's own `init` span, the child of the SERVER span that begins before it?"""
    return span.scope.name in RUNTIME_SCOPES and span.name in ("init", "restore")


def is_init(span: Span, parent: Span | None) -> bool:
    """Does it say that this request waited for an environment to start: Lambda's Initialization or the kit's `init`?"""
    if is_runtime_init(span):
        return True
    return is_platform_phase(span, parent) and span.name in ("Initialization", "Restore")
