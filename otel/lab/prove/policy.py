"""The IAM policy that `make prove` needs: what SAM does with the template's stacks, and what the checks ask."""

import json

DEPLOYS = (
    "apigateway:*", "cloudformation:*", "cloudwatch:DeleteAlarms", "cloudwatch:DeleteDashboards",
    "cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard", "cloudwatch:PutDashboard", "cloudwatch:PutMetricAlarm",
    "cloudwatch:TagResource", "dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:Describe*",
    "dynamodb:ListTagsOfResource", "dynamodb:TagResource", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable",
    "events:*Rule", "events:*Targets", "events:TagResource", "iam:AttachRolePolicy", "iam:CreatePolicy",
    "iam:CreateRole", "iam:DeletePolicy", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:Get*",
    "iam:List*", "iam:PassRole", "iam:PutRolePolicy", "iam:TagPolicy", "iam:TagRole", "lambda:*", "logs:CreateLogGroup",
    "logs:DeleteLogGroup", "logs:DescribeLogGroups", "logs:ListTagsForResource", "logs:PutRetentionPolicy",
    "logs:TagResource", "s3:*", "sqs:*", "xray:CreateGroup", "xray:CreateSamplingRule", "xray:DeleteGroup",
    "xray:DeleteSamplingRule", "xray:GetGroup", "xray:GetSamplingRules", "xray:TagResource", "xray:UpdateGroup",
    "xray:UpdateSamplingRule",
)  # fmt: skip
ASKS = (
    "cloudwatch:GetMetricStatistics", "cloudwatch:SetAlarmState", "logs:FilterLogEvents", "logs:GetQueryResults",
    "logs:StartQuery", "sns:CreateTopic", "sns:DeleteTopic", "sns:ListTopics", "sns:Subscribe", "sns:TagResource",
    "sts:GetCallerIdentity", "tag:GetResources", "xray:BatchGetTraces", "xray:GetGroups", "xray:GetIndexingRules",
    "xray:GetTraceSegmentDestination", "xray:GetTraceSummaries", "xray:ListRetrievedTraces", "xray:PutTraceSegments",
    "xray:StartTraceRetrieval",
)  # fmt: skip


def policy() -> str:
    """The policy as JSON. Resources have generated names, so it names actions only: use an account for trials."""
    statements = [
        {"Sid": "DeployAndDelete", "Effect": "Allow", "Action": list(DEPLOYS), "Resource": "*"},
        {"Sid": "Look", "Effect": "Allow", "Action": list(ASKS), "Resource": "*"},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
