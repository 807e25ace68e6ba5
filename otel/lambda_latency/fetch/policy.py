"""The least-privilege IAM policy of a fetch."""

from __future__ import annotations

import json

from lambda_latency.fetch.search import GROUP


def iam_policy() -> str:
    """An IAM policy as JSON. Only queries can be restricted to a resource (the log group).

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html,
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html and
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    """
    statements = [
        ("ReadTraces", ["xray:BatchGetTraces", "xray:GetTraceSegmentDestination", "xray:GetTraceSummaries"]),
        ("ReadTransactionSearch", ["xray:ListRetrievedTraces", "xray:StartTraceRetrieval"]),
        ("CountRequests", ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]),
    ]
    anywhere: list[dict[str, object]] = [
        {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"} for sid, actions in statements
    ]
    spans: dict[str, object] = {
        "Sid": "QuerySpans",
        "Effect": "Allow",
        "Action": ["logs:StartQuery"],
        "Resource": f"arn:*:logs:*:*:log-group:{GROUP}:*",
    }
    results = {"Sid": "ReadAnswers", "Effect": "Allow", "Action": ["logs:GetQueryResults", "logs:StopQuery"]}
    document = {"Version": "2012-10-17", "Statement": [*anywhere, spans, {**results, "Resource": "*"}]}
    return json.dumps(document, indent=2)
