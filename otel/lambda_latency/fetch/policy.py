"""The least IAM policy for a fetch."""

from __future__ import annotations

import json

__all__ = ["iam_policy"]


def iam_policy() -> str:
    """An IAM policy as JSON. None of these actions can be narrowed to a resource.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html and
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    statements = [
        ("ReadTraces", ["xray:BatchGetTraces", "xray:GetTraceSummaries"]),
        ("CountRequests", ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]),
    ]
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"} for sid, actions in statements
        ],
    }
    return json.dumps(document, indent=2)
