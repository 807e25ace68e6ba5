"""Which of the two places an account's traces are in: GetTraceSegmentDestination."""

from __future__ import annotations

from typing import Any, NamedTuple

from lambda_latency.fetch.refusals import DENIED, EXPIRED, UNKNOWN

__all__ = ["Destination", "destination"]


class Destination(NamedTuple):
    """`search`: Transaction Search is on. `unknown` says why it could not be asked; empty where it was."""

    search: bool
    unknown: str = ""


def destination(xray: Any) -> Destination:
    """Where the account's traces go. Raises boto3's error where the account does not answer at all.

    Who may not ask reads X-Ray's API, as before Transaction Search. An emulator may not know the question.
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
