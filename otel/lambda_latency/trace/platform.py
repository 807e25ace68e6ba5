"""What AWS's own spans are called: the outer spans of a request, which the platform records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.trace.span import Span

__all__ = [
    "CONNECTING",
    "FUNCTION",
    "GATEWAY",
    "OUTER",
    "PHASES",
    "READ_NAMES",
    "RUNTIME_SCOPE",
    "RUNTIME_SCOPES",
    "SERVICE",
    "STATE_MACHINE",
    "is_platform_phase",
]

GATEWAY = "AWS::ApiGateway::Stage"
SERVICE = "AWS::Lambda"  # the Lambda service: from the caller's call to its answer
FUNCTION = "AWS::Lambda::Function"  # one environment's share of it
STATE_MACHINE = "AWS::StepFunctions::StateMachine"  # an execution of Step Functions, with a subsegment for each state
OUTER = (GATEWAY, SERVICE, FUNCTION)  # from the outside in
PHASES = ("Initialization", "Restore", "Invocation", "Overhead")
# Steps of a new connection below a call, as SDKs of others call them (X-Ray's for Go, OpenTelemetry's for Node and Go).
CONNECTING = (
    "connect",
    "dial",
    "dns",
    "dns.lookup",
    "http.connect",
    "http.dns",
    "http.getconn",
    "http.tls",
    "tcp.connect",
    "tls",
    "tls.connect",
)
READ_NAMES = frozenset((*PHASES, *CONNECTING))  # of spans: names that rules read, whoever recorded them
RUNTIME_SCOPE = "lambda_latency.runtime"
RUNTIME_SCOPES = (RUNTIME_SCOPE, "otel.runtime")  # the kit's spans carried the second name before it was renamed


def is_platform_phase(span: Span, parent: Span | None) -> bool:
    """Whether a span is a part of the function segment that Lambda itself records."""
    return span.name in PHASES and span.kind.name == "INTERNAL" and parent is not None and parent.origin == FUNCTION
