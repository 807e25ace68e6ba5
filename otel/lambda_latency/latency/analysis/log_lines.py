"""Where the log lines of a request are: the log group, the id in them, and a query for CloudWatch's console."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from lambda_latency.latency.analysis.attribution import trace_name
from lambda_latency.latency.breakdowns.choice import instant_of
from lambda_latency.trace import LAPTOP, Span, Trace, service_of_resource

# Clocks of spans and logs differ, and Lambda writes its REPORT line after the response
AROUND_MS = 60_000
SPECIAL = re.compile(rb"[^A-Za-z0-9._-]")  # in the console's addresses
ESCAPE = "$"  # the console's own sign in place of %
CONSOLES = (("cn-", "console.amazonaws.cn"), ("us-gov-", "console.amazonaws-us-gov.com"))
GROUPS = ("aws.log.group.names", "aws.cloudwatch.log_group_names")
ARNS = ("aws.log.group.arns", "faas.arn", "cloud.resource_id", "aws.lambda.invoked_arn", "faas.id")
ARN_REGION = re.compile(r"arn:[^:]*:[^:]*:([^:]+):")
IDS = ("faas.invocation_id", "faas.execution", "aws.request_id", "aws.lambda.request_id")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class LogLines:
    """The log group of a request, its request id in it (or empty), its region (or empty), and its time in ms."""

    group: str
    request_id: str
    trace_id: str
    region: str
    begin_ms: int
    end_ms: int

    @property
    def query(self) -> str:
        """A query of Logs Insights for the lines of the request."""
        text = self.request_id or self.trace_id
        return f'fields @timestamp, @message | filter @message like "{text}" | sort @timestamp asc | limit 200'

    @property
    def link(self) -> str:
        """The query in CloudWatch's console; empty if the region is not known."""
        return self.link_in(self.region) if self.region else ""

    def link_in(self, region: str) -> str:
        """Return the query in the console of a region."""
        host = next((host for start, host in CONSOLES if region.startswith(start)), "console.aws.amazon.com")
        begin, end = (instant_of(ms * 1_000_000, "milliseconds") for ms in (self.begin_ms, self.end_ms))
        detail = (
            f"~(end~'{_encoded(end)}~start~'{_encoded(begin)}~timeType~'ABSOLUTE~tz~'UTC"
            f"~editorString~'{_encoded(self.query)}~source~(~'{_encoded(self.group)}))"
        )
        base = f"https://{region}.{host}/cloudwatch/home?region={region}"
        return f"{base}#logsV2:logs-insights{ESCAPE}3FqueryDetail{ESCAPE}3D{detail}"


def log_lines_of(trace: Trace, service: str = "") -> LogLines | None:
    """Return the log lines of a request, of the function or service with this name first; None if no span names a log
    group, and for a request on a laptop, whose functions write no logs to CloudWatch.

    A Lambda function without another setting writes to `/aws/lambda/NAME`.
    """
    if any(LAPTOP in span.resource for span in trace.spans):
        return None
    spans = sorted(trace.spans, key=lambda span: (service_of_resource(span.resource) != service, span.start_ns))
    of_service = [span for span in spans if service_of_resource(span.resource) == service]
    group = next(chain(_groups(of_service), _groups(spans)), "")
    if not group:
        return None
    function = group.rpartition("/")[2]
    named = [span for span in spans if function in _names(span)] or spans
    begin_ms, end_ms = trace.tree.start_ns // 1_000_000 - AROUND_MS, trace.tree.end_ns // 1_000_000 + AROUND_MS
    name = trace_name(trace.trace_id, trace.tree.start_ns)
    return LogLines(group, _request_id(named), name, _region(named), begin_ms, end_ms)


def _names(span: Span) -> tuple[object, ...]:
    return service_of_resource(span.resource), span.name, span.resource.get("faas.name")


def _groups(spans: Sequence[Span]) -> Iterator[str]:
    """Yield the groups that spans name, then those that follow from the names of functions."""
    for attributes in _attributes(spans):
        for key in GROUPS:
            yield from _texts(attributes.get(key))
        arns = _texts(attributes.get("aws.log.group.arns"))
        yield from (arn.partition(":log-group:")[2].removesuffix(":*") for arn in arns if ":log-group:" in arn)
    yield from (f"/aws/lambda/{name}" for name in map(_function_of, spans) if name)


def _function_of(span: Span) -> str:
    """Return the name of the Lambda function whose span it is; empty of other spans."""
    name, platform = span.resource.get("faas.name"), span.resource.get("cloud.platform") or "aws_lambda"
    if isinstance(name, str) and name and platform == "aws_lambda":
        return name
    return span.name if (span.origin or "").startswith("AWS::Lambda") else ""


def _attributes(spans: Iterable[Span]) -> Iterator[Mapping[str, object]]:
    """Yield the attributes of each span's resource, then its own."""
    for span in spans:
        yield span.resource
        yield span.attributes


def _texts(value: object) -> list[str]:
    texts = value if isinstance(value, tuple) else (value,)
    return [text for text in texts if isinstance(text, str) and text]


def _request_id(spans: Iterable[Span]) -> str:
    for span in spans:
        for key in IDS:
            value = span.attributes.get(key)
            if isinstance(value, str) and UUID.fullmatch(value):
                return value
    return ""


def _region(spans: Iterable[Span]) -> str:
    for attributes in _attributes(spans):
        region = attributes.get("cloud.region") or attributes.get("aws.region")
        if isinstance(region, str) and region:
            return region
        for arn in (ARN_REGION.match(str(attributes.get(key) or "")) for key in ARNS):
            if arn is not None:
                return arn[1]
    return ""


def _encoded(text: str) -> str:
    """A text in the notation of the console's addresses: `*` and two hex digits for what is not plain."""
    return SPECIAL.sub(lambda match: b"*" + match[0].hex().encode(), text.encode()).decode()
