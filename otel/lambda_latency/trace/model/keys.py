"""The attributes in a compact span: those that rules read, each reduced to the values that rules distinguish.

A rule that reads another attribute needs its key here: `Shape` raises `KeyError` for a key that is not in the table.
Of texts about errors, rules distinguish some codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# An outcome, not an error: the condition of a conditional write was false.
OUTCOMES = frozenset({"ConditionalCheckFailedException"})
# Stands for every error with which a client ends a call that takes too long
CLIENT_TIMEOUT = "ClientTimeout"
CODES = THROTTLES | OUTCOMES | {CLIENT_TIMEOUT}
# The attributes of an exception event that may hold a code
EXCEPTION_KEYS = ("exception.type", "exception.message")

# botocore's ClientError holds the code only in its message: "An error occurred (ThrottlingException) when calling ...".
GAVE_UP = re.compile(r"time[sd]?[ _-]?out|deadline[ _-]?exceeded", re.IGNORECASE)
CODE = re.compile(r"An error occurred \((\w+)\)")


def codes_in(texts: Iterable[str]) -> set[str]:
    """All words that may be error codes: the last dotted part of each text, and the codes in botocore's messages.

    A text about a timeout gives `CLIENT_TIMEOUT`.
    """
    codes: set[str] = set()
    for text in texts:
        codes.add(text.rpartition(".")[2])
        codes.update(CODE.findall(text))
        if GAVE_UP.search(text):
            codes.add(CLIENT_TIMEOUT)
    return codes


Reduce: TypeAlias = Callable[[object], object]

# Attributes that instrumentations of Lambda set on the span of an invocation, in old and in new versions.
INVOCATION_KEYS = ("faas.invocation_id", "faas.trigger", "faas.coldstart", "faas.execution", "faas.name", "faas.id")
# Of spans of the machine that stands for AWS: its gateway, its queue, its sandbox
LAPTOP = "lambda_latency.laptop"
RESOURCE_KEYS = ("faas.name", "service.name", LAPTOP)
# https://opentelemetry.io/docs/specs/semconv/resource/#service
UNNAMED = "unknown_service:"
# A route is a field of the compact span and not of its signature: many instrumentations put paths with ids there, and
# each path would make a new signature.
ROUTE = "http.route"
# Of spans of durable executions, by AWS's plugin and by the kit. Each execution has an ARN of its own: a compact span
# has it in place of a route, after this beginning.
EXECUTION_ARN = "durable.execution.arn"
EXECUTION_MARK = f"{EXECUTION_ARN}="
ROUTED = (ROUTE, EXECUTION_ARN)
# An anchor without a length, which each invocation records again
SYNTHETIC_ROOT = "durable.execution.synthetic_root"
DURABLE_KEYS = (
    "durable.attempt.number",
    "durable.execution.status",
    "durable.invocation.first",
    "durable.invocation.status",
    "durable.operation.status",
    "durable.operation.subtype",
    "durable.operation.type",
)
# The kind of the reference to the parent. OpenTracing's FOLLOWS_FROM means that the parent does not wait.
FOLLOWS = "ref.type"
NO_JSON = str.maketrans("", "", '[]" ')

WHOLE = (
    "aws.function_name",
    "aws.kinesis.stream.name",
    "aws.kinesis.stream_name",
    "aws.lambda.function.name",
    "aws.queue_url",
    "aws.s3.bucket",
    "aws.secretsmanager.secret.arn",
    "aws.sns.topic.arn",
    "aws.sqs.queue.url",
    "aws.stepfunctions.state_machine.arn",
    "aws.table_name",
    "aws.xray.origin",
    "db.instance",
    "db.name",
    "db.namespace",
    "db.operation",
    "db.system",
    "db.system.name",
    "db.type",
    "faas.coldstart",
    "faas.invoked_name",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.system",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.status_code",
    "lambda.provisional",
    "lambda.timeout",
    "llm.model_name",
    "llm.provider",
    "llm.system",
    "messaging.destination",
    "messaging.destination.name",
    "messaging.operation",
    "messaging.operation.type",
    "messaging.system",
    "messaging.url",
    "net.peer.name",
    "openinference.span.kind",
    "peer.hostname",
    "peer.service",
    FOLLOWS,
    "retry_attempts",
    "rpc.method",
    "rpc.service",
    "rpc.system",
    "server.address",
)


def _same(value: object) -> object:
    return value


def _present(_: object) -> object:
    return True


def _host(url: object) -> object:
    """The host of a URL. Its path is dropped, because paths hold ids."""
    return _host_of("/".join(url.split("/", 3)[:3])) if isinstance(url, str) else ""


@lru_cache(maxsize=4096)
def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""  # an invalid URL, such as "http://[::1", has no host


def _listed(names: object) -> object:
    """A list of names. Jaeger and Zipkin store it as its JSON."""
    return names.translate(NO_JSON) if isinstance(names, str) else names


def _cluster(name: object) -> object:
    """The host in Istio's name of a cluster: `outbound|80||cart.shop.svc.cluster.local`."""
    return name.rpartition("|")[2] if isinstance(name, str) else ""


def _code(text: object) -> object:
    """The error codes in a text that rules look for. The rest is dropped: most errors have a text of their own."""
    return tuple(sorted(codes_in([str(text)]) & CODES))


READ: dict[str, Reduce] = {
    **dict.fromkeys(INVOCATION_KEYS, _present),
    **dict.fromkeys((*WHOLE, *DURABLE_KEYS, *ROUTED), _same),
    SYNTHETIC_ROOT: _present,
    "http.url": _host,
    "url.full": _host,
    "aws.dynamodb.table_names": _listed,
    "upstream_cluster": _cluster,
    "upstream_cluster.name": _cluster,
    "error.type": _code,
}


def read_resource(resource: Mapping[str, object]) -> dict[str, object]:
    """The attributes of a resource that rules read."""
    return {key: _without_folder(resource[key]) for key in RESOURCE_KEYS if key in resource}


def _without_folder(name: object) -> object:
    """A service without a name is called after the program by its SDK, often with the whole path of the program."""
    if isinstance(name, str) and name.startswith(UNNAMED):
        return UNNAMED + re.split(r"[/\\]", name)[-1].removeprefix(UNNAMED)
    return name
