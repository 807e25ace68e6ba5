"""The signature of a span: the part that rules may read. Spans that no rule can distinguish share one signature.

A few hundred signatures represent any number of spans, so each rule runs once for a signature, not once for a span.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lambda_latency.trace.model.keys import (
    CLIENT_TIMEOUT,
    CODES,
    DURABLE_KEYS,
    EXCEPTION_KEYS,
    FOLLOWS,
    INVOCATION_KEYS,
    READ,
    ROUTED,
    SYNTHETIC_ROOT,
    codes_in,
    read_resource,
)
from lambda_latency.trace.model.platform import (
    DURABLE_EXECUTION,
    FUNCTION,
    OUTER,
    PHASES,
    READ_NAMES,
    RUNTIME_SCOPES,
    SERVICE,
    STATE_MACHINE,
)
from lambda_latency.trace.model.span import Span, SpanKind, Status

# Roles: bits by which a trace is searched.
# May be the request's root span, whose duration is the request's
REQUEST_ROOT = 1
SERVES = 2  # SERVER or CONSUMER, and not recorded by the platform
LAMBDA_SEGMENT = 4  # a segment of the Lambda service or of a function
FUNCTION_SEGMENT = 8
# The kit's own init, or an Initialization or Restore, which counts only below a function segment
INIT = 16
COLD = 32
TIMED_OUT = 64
HANDLES = 128  # the span of an invocation, or any SERVER span
ATTEMPTS = 256  # has an event for each attempt of its call
# Its component depends on its children: a function segment, an Invocation below one, an INTERNAL span like a call.
CONTAINER = 512
# The origins that X-Ray's SDK sets on segments of a user's own server.
HOSTS = ("AWS::EC2", "AWS::ECS", "AWS::EKS", "AWS::ElasticBeanstalk", "AWS::AppRunner")
# Attributes that name the callee of a call, in order of preference: OpenTelemetry's, OpenTracing's, Envoy's, a model's.
HOST_KEYS = (
    *("peer.service", "server.address", "net.peer.name", "http.url", "url.full"),
    *("peer.hostname", "upstream_cluster.name", "upstream_cluster", "gen_ai.provider.name", "gen_ai.system"),
    *("llm.provider", "llm.system", "gen_ai.request.model", "llm.model_name"),
)
# Operations of GenAI's conventions and kinds of OpenInference's that are calls to a model.
MODEL_CALLS = ("chat", "embeddings", "generate_content", "text_completion", "LLM", "EMBEDDING", "RERANKER")
TOOLS = ("execute_tool", "TOOL")
EXECUTION = 2048  # an execution of a state machine
GAVE_UP = 4096  # a call that its client ended, because it took too long
DURABLE = 8192  # a span of a durable execution, as AWS's plugin and the kit record it
DETACHED = 1024  # follows from its parent, which does not wait for it


# An execution is around all of its invocations
RANKS = {DURABLE_EXECUTION: -1, **{origin: rank for rank, origin in enumerate(OUTER)}}
ATTEMPT_NUMBER = re.compile(r" attempt \d+\Z")


class Traits(NamedTuple):
    """What a signature needs of a span besides attributes. `attempts`: whether its events show retries of its call."""

    name: str
    scope: str
    kind: SpanKind
    status: Status
    remote: bool | None
    codes: frozenset[str]
    attempts: bool


class Signature:
    """A span without its ids, its times, and a name that no rule reads.

    `name` is the name of the span that the signature was made of. If `by_name` is true, rules read it, and all spans of
    the signature have it. `remote`: whether the parent is in another process; None if it is unknown. `resource` and
    `values` are attributes that rules read. `codes` are the error codes in `CODES` that the span holds. `rank` is the
    position among the platform's outer spans, from the outside in. `phase` is the name of a Lambda phase, or empty; the
    span is that phase only if its parent is a function segment.
    """

    __slots__ = (
        "by_name",
        "codes",
        "kind",
        "name",
        "origin",
        "phase",
        "rank",
        "remote",
        "resource",
        "roles",
        "scope",
        "status",
        "values",
    )

    def __init__(self, traits: Traits, resource: Mapping[str, object], values: Mapping[str, object]) -> None:
        self.name, self.scope, self.kind, self.status, self.remote, codes, attempts = traits
        self.resource, self.values = resource, values
        origin, error_type = values.get("aws.xray.origin"), values.get("error.type")
        self.origin = origin if isinstance(origin, str) else None
        self.codes = frozenset([*codes, *error_type]) if isinstance(error_type, tuple) else codes
        self.rank = RANKS.get(self.origin or "", len(OUTER))
        is_durable = not values.keys().isdisjoint((*DURABLE_KEYS, SYNTHETIC_ROOT))
        self.phase = self.name if self._is_phase and not is_durable else ""
        self.by_name = self._is_read_by_name()
        roles_held = {
            **self._request_roles(),
            ATTEMPTS: attempts,
            DETACHED: values.get(FOLLOWS) == "FOLLOWS_FROM",
            DURABLE: is_durable,
            GAVE_UP: self._gave_up(),
            EXECUTION: self.origin == STATE_MACHINE,
            CONTAINER: self.origin == FUNCTION or self.phase == "Invocation" or self.is_step,
        }
        self.roles = sum(role for role, is_held in roles_held.items() if is_held)

    @property
    def _is_phase(self) -> bool:
        return self.name in PHASES and self.kind is SpanKind.INTERNAL

    def _gave_up(self) -> bool:
        return CLIENT_TIMEOUT in self.codes and self.is_call and not self.values.get("lambda.timeout")

    def _is_read_by_name(self) -> bool:
        if (
            self.operation_type
            or self.scope in RUNTIME_SCOPES
            or self.name in READ_NAMES
            or self.origin in (SERVICE, FUNCTION)
        ):
            return True
        return self.is_aws_call and not self.operation

    def _request_roles(self) -> dict[int, bool]:
        """Whether the span has each of the roles that show how Lambda served the request."""
        is_runtime = self.scope in RUNTIME_SCOPES
        serves = self.kind in (SpanKind.SERVER, SpanKind.CONSUMER) and (self.origin or HOSTS[0]).startswith(HOSTS)
        is_handler = serves and (is_runtime or not self.values.keys().isdisjoint(INVOCATION_KEYS))
        is_runtime_init = is_runtime and self.name in ("init", "restore")
        return {
            REQUEST_ROOT: is_handler or self.rank < len(OUTER),
            SERVES: serves,
            LAMBDA_SEGMENT: self.origin in (SERVICE, FUNCTION),
            FUNCTION_SEGMENT: self.origin == FUNCTION,
            INIT: is_runtime_init or self.phase in ("Initialization", "Restore"),
            COLD: self.values.get("faas.coldstart") is True,
            TIMED_OUT: self.values.get("lambda.timeout") is True,
            HANDLES: is_handler or self.kind is SpanKind.SERVER,
        }

    @classmethod
    def of(cls, span: Span, *, attempts: bool, signatures: dict[object, Signature] | None = None) -> Signature:
        """The signature of one span. `attempts`: whether its events show how its call was retried.

        `signatures` are the signatures of other spans; equal spans share one.
        """
        resource = read_resource(span.resource)
        values = {key: READ[key](value) for key, value in span.attributes.items() if key in READ and key not in ROUTED}
        exceptions = (event.attributes for event in span.events if event.name == "exception")
        codes = error_codes(span.status_message, exceptions)
        traits = Traits(span.name, span.scope.name, span.kind, span.status, span.parent_remote, codes, attempts)
        signatures = {} if signatures is None else signatures
        key = traits, repr(resource), repr(values)
        if key not in signatures:
            signatures[key] = cls(traits, resource, values)
        return signatures[key]

    def __getitem__(self, key: str) -> object:
        """The reduced value of an attribute; None if it is absent. Raises `KeyError` for a key outside of `READ`."""
        value = self.values.get(key)
        if value is None and key not in READ:
            raise KeyError(f"{key} is not kept in rows: add it to trace/model/keys.py")
        return value

    def text(self, *keys: str) -> str:
        """The first of these attributes that is not empty, as text; a list as its items, joined with commas."""
        for key in keys:
            value = self[key]
            if isinstance(value, tuple):
                value = ",".join(map(str, value))
            if value:
                return str(value)
        return ""

    @property
    def host(self) -> str:
        """The host or the service that a client span calls, without the port."""
        host = self.text(*HOST_KEYS)
        name, colon, port = host.rpartition(":")
        return name.strip("[]") if colon and port.isdigit() and (":" not in name or name.endswith("]")) else host

    @property
    def is_call(self) -> bool:
        """Whether the span is a call or a message to another party: CLIENT or PRODUCER."""
        return self.kind in (SpanKind.CLIENT, SpanKind.PRODUCER)

    @property
    def is_aws_call(self) -> bool:
        """Whether an AWS SDK made the call."""
        return self.is_call and ("aws-api" in self.text("rpc.system") or self.text("db.system") == "dynamodb")

    @property
    def database(self) -> str:
        """The system of the database that the span calls; empty if no attribute names it."""
        return self.text("db.system.name", "db.system", "db.type")

    @property
    def is_step(self) -> bool:
        """Whether this is an INTERNAL span with the attributes of a call to a database or a model.

        Manual instrumentation and libraries of agents leave the kind out.
        """
        return self.kind is SpanKind.INTERNAL and (bool(self.database) or self.is_of_model)

    @property
    def is_of_model(self) -> bool:
        """Whether the span is a call to a model. In older conventions no other spans name a model."""
        operation = self.text("gen_ai.operation.name", "openinference.span.kind")
        return operation in MODEL_CALLS or (not operation and bool(self["gen_ai.request.model"]))

    @property
    def is_tool(self) -> bool:
        """Whether the span is a tool of an agent. Some libraries record it inside the call to the model."""
        return self.text("gen_ai.operation.name", "openinference.span.kind") in TOOLS

    @property
    def operation_type(self) -> str:
        """The type of an operation of a durable execution, such as `STEP`; empty for any other span."""
        return self.text("durable.operation.type")

    @property
    def operation_name(self) -> str:
        """The name of such an operation: that of the span, of an attempt without its number."""
        return ATTEMPT_NUMBER.sub("", self.name) if self.is_attempt else self.name

    @property
    def is_attempt(self) -> bool:
        """Whether the span is an attempt of a step: in contrast to the step it has no status of its own."""
        return self.operation_type == "STEP" and not self["durable.operation.status"]

    @property
    def is_branch(self) -> bool:
        """Whether the span is one of several contexts of a durable execution that run at the same time."""
        return self["durable.operation.subtype"] in ("MapIteration", "ParallelBranch")

    @property
    def is_invocation(self) -> bool:
        """Whether the span is an invocation of a durable execution."""
        return "durable.invocation.first" in self.values

    @property
    def is_anchor(self) -> bool:
        """Whether the span is the anchor of a durable execution: it has no length, and each invocation records it."""
        return SYNTHETIC_ROOT in self.values

    @property
    def operation(self) -> str:
        """The operation of an AWS call without its service; empty if no attribute names it."""
        return self.text("rpc.method", "db.operation").rpartition("/")[2]

    @property
    def is_runtime_init(self) -> bool:
        """Whether this is the kit's own `init` or `restore`: a child of the handler's span that starts before it."""
        return bool(self.roles & INIT) and not self.phase

    @property
    def is_provisional(self) -> bool:
        """Whether a later span of the same id replaces this one."""
        return self.values.get("lambda.provisional") is True

    def facts(self) -> tuple[object, ...]:
        """The whole signature as values that compare: equal for signatures that were read from different spellings."""
        values = sorted(self.values.items())
        fields = self.kind.value, self.status.value, self.remote, self.scope, sorted(self.resource.items(), key=repr)
        return self.name, *fields, repr(values), sorted(self.codes), self.roles


def error_codes(message: str, exceptions: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """The codes of `CODES` in a status message and in the attributes of exception events."""
    texts = [message] if message else []
    for attributes in exceptions:
        texts += [str(attributes.get(key, "")) for key in EXCEPTION_KEYS]
    return CODES & codes_in(texts) if texts else frozenset()
