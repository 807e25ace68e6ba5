"""The IAM policy that `make prove` needs: what SAM does with the template's stacks, and what the checks ask.

Whatever the run creates has its name as a prefix. A role that could create roles without limit would be an
administrator's, so the policy lets it create only roles with a permissions boundary, where one is named.
"""

import json
from collections.abc import Sequence

PREFIX = "lambda-latency-prove"
SAM_BUCKET = "aws-sam-cli-managed-default"
# Actions of one service, and the resources by their ARNs after `arn:aws:`.
DEPLOYS: Sequence[tuple[str, Sequence[str]]] = (
    ("cloudformation:*", (f"cloudformation:*:*:stack/{PREFIX}-*", f"cloudformation:*:*:stack/{SAM_BUCKET}*",
                          "cloudformation:*:aws:transform/Serverless-2016-10-31")),
    ("lambda:*", (f"lambda:*:*:function:{PREFIX}-*", f"lambda:*:*:layer:{PREFIX}-*")),
    ("dynamodb:*", (f"dynamodb:*:*:table/{PREFIX}-*",)),
    ("s3:*", (f"s3:::{PREFIX}-*", f"s3:::{SAM_BUCKET}-*")),
    ("sqs:*", (f"sqs:*:*:{PREFIX}-*",)),
    ("sns:*", (f"sns:*:*:{PREFIX}-*",)),
    ("logs:*", (f"logs:*:*:log-group:{PREFIX}-*", f"logs:*:*:log-group:/aws/lambda/{PREFIX}-*")),
    ("events:*", (f"events:*:*:rule/{PREFIX}-*",)),
    ("cloudwatch:*", (f"cloudwatch:*:*:alarm:{PREFIX}-*", f"cloudwatch::*:dashboard/{PREFIX}-*")),
    ("apigateway:*", ("apigateway:*::/restapis*", "apigateway:*::/tags/*")),  # their names are generated
    ("xray:*", (f"xray:*:*:group/{PREFIX}-*", "xray:*:*:sampling-rule/orders-*")),
)  # fmt: skip
ROLES = (f"iam::*:role/{PREFIX}-*", f"iam::*:policy/{PREFIX}-*")
GRANTS = ("iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy")  # what a boundary limits
KEEPS = (
    "iam:CreatePolicy", "iam:DeletePolicy", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
    "iam:Get*", "iam:List*", "iam:PassRole", "iam:TagPolicy", "iam:TagRole",
)  # fmt: skip
ASKS = (
    "cloudformation:DescribeStacks", "cloudformation:GetTemplateSummary", "cloudformation:ValidateTemplate",
    "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricStatistics", "lambda:GetLayerVersion", "logs:DescribeLogGroups",
    "logs:FilterLogEvents", "logs:GetQueryResults", "logs:StartQuery", "sns:ListTopics", "sts:GetCallerIdentity",
    "tag:GetResources", "xray:BatchGetTraces", "xray:GetGroups", "xray:GetIndexingRules", "xray:GetSamplingRules",
    "xray:GetTraceSegmentDestination", "xray:GetTraceSummaries", "xray:ListRetrievedTraces", "xray:PutTraceSegments",
    "xray:StartTraceRetrieval",
)  # fmt: skip


def policy(boundary: str = "") -> str:
    """The policy as JSON; `boundary` is the ARN of the permissions boundary that every new role must have."""
    statements = [_statement(f"Run{number}", [action], names) for number, (action, names) in enumerate(DEPLOYS)]
    grants = _statement("Grant", GRANTS, ROLES[:1])
    if boundary:
        grants["Condition"] = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    statements += [grants, _statement("Roles", KEEPS, ROLES)]
    statements.append({"Sid": "Look", "Effect": "Allow", "Action": list(ASKS), "Resource": "*"})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _statement(sid: str, actions: Sequence[str], names: Sequence[str]) -> dict[str, object]:
    """A statement about resources."""
    resources = [f"arn:aws:{name}" for name in names]
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resources}
