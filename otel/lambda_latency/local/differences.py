"""The ways in which an app on this machine differs from the app on AWS: one table for the lines of `serve`, for
`serve --differences` and for docs/reference/laptop.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
GATEWAY = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"


@dataclass(frozen=True, slots=True)
class Difference:
    """One way. `says` is its line with fields in braces, `todo` what to do, `source` a page on the behaviour of AWS."""

    name: str
    says: str
    todo: str
    source: str

    def line(self, **fields: Any) -> str:
        """Return the line about one thing of an app."""
        return self.says.format(**fields)

    def with_todo(self, line: str) -> str:
        """Return a line with what to do; a line of several lines says that itself."""
        return line if "\n" in line or line.endswith(self.todo) else f"{line}; {self.todo}"

    def is_said_by(self, line: str) -> bool:
        """Return whether a line is one of this difference."""
        parts = re.split(r"\{\w+\}", self.says)
        return re.match("(?s:.+)".join(map(re.escape, parts)), line) is not None


DIFFERENCES = (
    Difference(
        "times",
        "times are those of this machine, and so are cold starts and waits for a free environment",
        "compare requests with each other here, and measure on AWS",
        LAMBDA + "lambda-runtime-environment.html",
    ),
    Difference(
        "policies",
        "no policy is checked: every function may do everything",
        "try permissions in a deployed stack",
        LAMBDA + "lambda-intro-execution-role.html",
    ),
    Difference(
        "memory",
        "{names}: MemorySize is not enforced, and does not change the processor's speed",
        "measure memory and time in a deployed stack",
        LAMBDA + "configuration-memory.html",
    ),
    Difference(
        "task",
        "the code's folder can be written",
        "write to /tmp only",
        LAMBDA + "configuration-ephemeral-storage.html",
    ),
    Difference(
        "iam",
        "{names}: a request needs a signature, but it is not verified",
        "try policies and wrong keys in a deployed stack",
        GATEWAY + "permissions.html",
    ),
    Difference(
        "throttling",
        "{names}: the stage does not throttle requests",
        "lambda-latency serve --faults injects throttles of tables",
        GATEWAY + "api-gateway-request-throttling.html",
    ),
    Difference(
        "authorizer",
        "{names}: the authorizer's function is in another stack: each request with a token is allowed",
        "set what it returns to functions with --authorizer-context",
        GATEWAY + "apigateway-use-lambda-authorizer.html",
    ),
    Difference(
        "pool",
        "{names}: the user pool is in another stack: an empty one of this machine verifies tokens",
        "make users and tokens in PlaceholderPool",
        GATEWAY + "apigateway-integrate-with-cognito.html",
    ),
    Difference(
        "gateway-only",
        "{names}: does nothing here: {kinds}",
        "try it in a deployed stack",
        GATEWAY + "welcome.html",
    ),
    Difference(
        "websocket",
        "{names} is a WebSocket API, which is not served here",
        "lambda-latency invoke calls its functions",
        GATEWAY + "apigateway-websocket-api.html",
    ),
    Difference(
        "route",
        "{route} is not served here: {why}",
        "try it in a deployed stack",
        GATEWAY + "api-gateway-api-integration-types.html",
    ),
    Difference(
        "pipe",
        "{names} is a pipe, which delivers nothing here",
        "lambda-latency invoke calls its functions",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes.html",
    ),
    Difference(
        "file-system",
        "{names}: its file system is not mounted here, and {path} is a folder of this machine",
        "make the folder if it is not there",
        LAMBDA + "configuration-filesystem.html",
    ),
    Difference(
        "vpc",
        "{names}: the network is that of this machine, without the VPC's routes and security groups",
        "try what is reachable in a deployed stack",
        LAMBDA + "configuration-vpc.html",
    ),
    Difference(
        "concurrency",
        "{names}: reserved and provisioned concurrency and SnapStart do nothing; at most 8 environments run at once",
        "measure load in a deployed stack",
        LAMBDA + "configuration-concurrency.html",
    ),
    Difference(
        "function",
        "{names} {does} not run here: {why}",
        "the other functions run; try this one in a deployed stack",
        LAMBDA + "lambda-python.html",
    ),
    Difference(
        "resource",
        "not emulated here and left out: {kinds}",
        "calls to it fail here; replace them in tests",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html",
    ),
    Difference(
        "created",
        "{names} ({kind}) cannot be created here and is left out: {why}",
        "correct it, or try it in a deployed stack",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/Welcome.html",
    ),
    Difference(
        "python",
        "Python {wanted} is not installed: functions that need it run on {have}",
        "install it, for example with uv or pyenv",
        LAMBDA + "lambda-runtimes.html",
    ),
    Difference(
        "extension",
        "the layer {name} is an extension, which is not started here",
        "its effects are missing here",
        LAMBDA + "lambda-extensions.html",
    ),
    Difference(
        "extensions",
        "the layer {name} has extensions, which are not started here: {names}",
        "their effects are missing here",
        LAMBDA + "lambda-extensions.html",
    ),
    Difference(
        "layer",
        "{names}: the layer {arn} exists only on AWS and is left out",
        "name its packages in requirements.txt to have them here",
        LAMBDA + "chapter-layers.html",
    ),
    Difference(
        "kinesis-of-table",
        "{names}: changes of the table do not go to its Kinesis stream",
        "put records into the stream with the AWS CLI",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html",
    ),
    Difference(
        "xray-sdk",
        "{names}: the X-Ray SDK is the kit's bridge, which records its subsegments as spans",
        "lambda-latency adopt sets up the same on AWS, and instrument = none in lambda-latency.toml keeps the SDK",
        "https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-python.html",
    ),
    Difference(
        "tenants",
        "{names}: environments are not kept apart by tenant, and context.tenant_id is empty",
        "try tenants in a deployed stack",
        LAMBDA + "tenant-isolation.html",
    ),
    Difference(
        "service",
        "a call to {service} is not emulated here: {what}",
        "replace the call in tests, or set the endpoint of its client",
        "https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html",
    ),
    Difference(
        "bedrock",
        "the answers of Bedrock's models are made up by the emulator",
        "try prompts on AWS",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/what-is-bedrock.html",
    ),
)


def difference_of(line: str) -> Difference | None:
    """Return the difference that a line is about; None for another line."""
    return next((d for d in DIFFERENCES if d.is_said_by(line)), None)
