"""From a request to its log lines: the log group, the request id, a query of Logs Insights and the console's address.

Nothing is fetched: all of it is in the spans, or follows from the name of the function.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import TYPE_CHECKING

from lambda_latency.latency.judge.span_names import trace_name
from lambda_latency.trace import LAPTOP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambda_latency.trace import Span, Trace

AROUND_MS = 60_000  # clocks of spans and logs differ, and Lambda writes its REPORT line after the response
ESCAPE = "$"  # the console's own sign in place of %
CONSOLES = (("cn-", "console.amazonaws.cn"), ("us-gov-", "console.amazonaws-us-gov.com"))
GROUPS = ("aws.log.group.names", "aws.cloudwatch.log_group_names")
ARNS = ("aws.log.group.arns", "faas.arn", "cloud.resource_id", "aws.lambda.invoked_arn", "faas.id")
IDS = ("faas.invocation_id", "faas.execution", "aws.request_id", "aws.lambda.request_id")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
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
        wanted = self.request_id or self.trace_id
        return f'fields @timestamp, @message | filter @message like "{wanted}" | sort @timestamp asc | limit 200'

    @property
    def link(self) -> str:
        """The query in CloudWatch's console; empty if the region is not known."""
        return self.link_in(self.region) if self.region else ""

    def link_in(self, region: str) -> str:
        """The query in the console of a region."""
        host = next((host for start, host in CONSOLES if region.startswith(start)), "console.aws.amazon.com")
        detail = (
            f"~(end~'{_encoded(_iso(self.end_ms))}~start~'{_encoded(_iso(self.begin_ms))}~timeType~'ABSOLUTE~tz~'UTC"
            f"~editorString~'{_encoded(self.query)}~source~(~'{_encoded(self.group)}))"
        )
        base = f"https://{region}.{host}/cloudwatch/home?region={region}"
        return f"{base}#logsV2:logs-insights{ESCAPE}3FqueryDetail{ESCAPE}3D{detail}"


def log_lines_of(trace: Trace, service: str = "") -> LogLines | None:
    """The log lines of a request, of the function or service with this name first; None if no span names a log group,
    and for a request on a laptop, whose functions write no logs to CloudWatch.

    A Lambda function without another setting writes to `/aws/lambda/NAME`.
    """
    if any(LAPTOP in span.resource for span in trace.spans):
        return None
    spans = sorted(trace.spans, key=lambda span: (_service(span) != service, span.start_ns))
    own = [span for span in spans if _service(span) == service]
    group = next(chain(_groups(own), _groups(spans)), "")
    if not group:
        return None
    function = group.rpartition("/")[2]
    named = [span for span in spans if function in (_service(span), span.name, span.resource.get("faas.name"))] or spans
    begin_ms, end_ms = trace.tree.start_ns // 1_000_000 - AROUND_MS, trace.tree.end_ns // 1_000_000 + AROUND_MS
    name = trace_name(trace.trace_id, trace.tree.start_ns)
    return LogLines(group, _request_id(named), name, _region(named), begin_ms, end_ms)


def _groups(spans: Sequence[Span]) -> Iterator[str]:
    """The groups that spans name, then those that follow from the names of functions."""
    for span in spans:
        for holder in (span.resource, span.attributes):
            for key in GROUPS:
                value = holder.get(key)
                texts = value if isinstance(value, tuple) else (value,)
                yield from (text for text in texts if isinstance(text, str) and text)
            arns = holder.get("aws.log.group.arns")
            for arn in arns if isinstance(arns, tuple) else (arns,):
                if isinstance(arn, str) and ":log-group:" in arn:
                    yield arn.partition(":log-group:")[2].removesuffix(":*")
    for span in spans:
        name, platform = span.resource.get("faas.name"), span.resource.get("cloud.platform") or "aws_lambda"
        if isinstance(name, str) and name and platform == "aws_lambda":
            yield f"/aws/lambda/{name}"
        elif (span.origin or "").startswith("AWS::Lambda"):
            yield f"/aws/lambda/{span.name}"


def _service(span: Span) -> str:
    return str(span.resource.get("service.name") or span.resource.get("faas.name") or "")


def _request_id(spans: Iterable[Span]) -> str:
    for span in spans:
        for key in IDS:
            value = span.attributes.get(key)
            if isinstance(value, str) and UUID.fullmatch(value):
                return value
    return ""


def _region(spans: Iterable[Span]) -> str:
    for span in spans:
        for holder in (span.resource, span.attributes):
            region = holder.get("cloud.region") or holder.get("aws.region")
            if isinstance(region, str) and region:
                return region
            for key in ARNS:
                parts = str(holder.get(key) or "").split(":")
                if parts[0] == "arn" and len(parts) > 4 and parts[3]:
                    return parts[3]
    return ""


def _encoded(text: str) -> str:
    """A text in the notation of the console's addresses: `*` and two hex digits for what is not plain."""
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else _bytes(letter) for letter in text
    )


def _bytes(letter: str) -> str:
    return "".join(f"*{byte:02x}" for byte in letter.encode())


def _iso(ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
