"""Reads traces from the laptop's X-Ray with its own API, in the format of `aws xray batch-get-traces`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lambda_latency.local.xray.document import xray_trace_id

AT_ONCE = 5  # X-Ray's limit


def batch_get_traces(url: str, trace_ids: Iterable[str]) -> dict[str, Any]:
    """The traces with these ids (32 hex digits), with their segments as JSON text. Raises botocore's errors."""
    import boto3

    client = boto3.client(
        "xray",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - not a real key
    )
    ids = [xray_trace_id(trace_id) for trace_id in trace_ids]
    found: dict[str, Any] = {"Traces": [], "UnprocessedTraceIds": []}
    for first in range(0, len(ids), AT_ONCE):
        answer = client.batch_get_traces(TraceIds=ids[first : first + AT_ONCE])
        found["Traces"] += answer["Traces"]
        found["UnprocessedTraceIds"] += answer["UnprocessedTraceIds"]
    client.close()
    return found
