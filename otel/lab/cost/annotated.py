"""The handler with `patch_all` and two annotations, for the X-Ray SDK or the bridge, whichever is installed."""

# ruff: noqa: E402
from typing import Any

from aws_xray_sdk.core import patch_all, xray_recorder

patch_all()

from lab.response_time.handler import handler as bare


def handler(event: Any, context: Any) -> Any:
    """Annotate a subsegment: the SDK cannot annotate Lambda's segment."""
    with xray_recorder.in_subsegment("order") as subsegment:
        subsegment.put_annotation("customer", "ada")
        subsegment.put_annotation("items", 3)
        return bare(event, context)
