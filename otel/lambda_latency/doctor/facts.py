"""Facts about AWS that rules use, with their dates. Nothing is fetched at run time.

Regions: botocore 1.43 (November 2026). Layers have a table of their own, `lambda_latency.adot`. Limits: the quotas of
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (July 2026).
"""

from __future__ import annotations

from collections.abc import Mapping

XRAY_REGIONS = frozenset([
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2", "cn-north-1", "cn-northwest-1",
    "us-gov-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1",
])  # fmt: skip

MOST_LAYERS = 5
MOST_MB = 250
ONE_PROCESSOR_MB = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
GATEWAY_SECONDS: Mapping[str, int] = {"Api": 29, "HttpApi": 30}

WRITES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
# Those of X-Ray's OTLP endpoint, in the Service Authorization Reference (November 2026):
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
SPAN_WRITES = ("xray:PutSpans", "xray:PutSpansForIndexing")
# AWS's managed policies that allow the actions of `WRITES`, and those that allow every action of X-Ray.
WRITING_POLICIES = (
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
)
FULL_POLICIES = ("AWSXrayFullAccess", "AdministratorAccess", "PowerUserAccess")
