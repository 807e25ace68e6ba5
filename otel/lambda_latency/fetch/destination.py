"""The trace destination of an account, X-Ray or CloudWatch Logs: GetTraceSegmentDestination."""

from __future__ import annotations

from typing import Any, NamedTuple

from lambda_latency.fetch.refusals import DENIED, EXPIRED, UNKNOWN


class Destination(NamedTuple):
    """`search`: Transaction Search is on. `unknown`: why the destination could not be read, or empty."""

    search: bool
    unknown: str = ""


def destination(xray: Any) -> Destination:
    """The account's trace destination. Raises boto3's error if AWS rejects the credentials or does not answer.

    Without the permission to read it, the destination is X-Ray's API. An emulator may lack this operation.
    """
    from botocore.exceptions import ClientError

    try:
        answer = xray.get_trace_segment_destination()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in DENIED:
            return Destination(search=False, unknown="AWS does not allow GetTraceSegmentDestination")
        if code in (*EXPIRED, *UNKNOWN):
            raise
        return Destination(search=False)
    return Destination(search=answer.get("Destination") == "CloudWatchLogs")
