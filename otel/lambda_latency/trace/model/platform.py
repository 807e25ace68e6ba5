"""The names of AWS's own spans: the outer spans of a request, which the platform records."""

from __future__ import annotations

from lambda_latency.trace.model.keys import EXECUTION_ARN
from lambda_latency.trace.model.span import Span

GATEWAY = "AWS::ApiGateway::Stage"
# The Lambda service: from the request of the caller to the answer
SERVICE = "AWS::Lambda"
# The function: the part of that time in one execution environment
FUNCTION = "AWS::Lambda::Function"
# An execution of Step Functions, with a subsegment for each state
STATE_MACHINE = "AWS::StepFunctions::StateMachine"
# The origin of the span of a durable execution, which lasts over all of its invocations
DURABLE_EXECUTION = "lambda_latency::Execution"
# The origin of the span of what an invocation runs over again
REPLAY = "lambda_latency::Replay"
OUTER = (GATEWAY, SERVICE, FUNCTION)  # from the outside in
PHASES = ("Initialization", "Restore", "Invocation", "Overhead")
# Steps of a new connection, children of a call, as other SDKs name them (X-Ray's for Go, OpenTelemetry's for Node, Go).
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
READ_NAMES = frozenset((*PHASES, *CONNECTING))  # span names that rules read, whatever recorded the span
RUNTIME_SCOPE = "lambda_latency.runtime"
RUNTIME_SCOPES = (RUNTIME_SCOPE, "otel.runtime")  # the second is the former name of the first


def is_platform_phase(span: Span, parent: Span | None) -> bool:
    """Whether a span is a phase of a function segment, recorded by Lambda itself.

    AWS's plugin for durable functions names its own spans `Invocation`, too.
    """
    if EXECUTION_ARN in span.attributes:
        return False
    return span.name in PHASES and span.kind.name == "INTERNAL" and parent is not None and parent.origin == FUNCTION
