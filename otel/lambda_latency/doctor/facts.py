"""Facts about AWS that rules use, with their dates. Nothing is fetched at run time.

Regions: botocore 1.43 (November 2026). Layers: https://aws-otel.github.io/docs/getting-started/lambda and
https://github.com/aws-otel/aws-otel.github.io, `src/config/lambdaLayerArns.js` (July 2026). Limits: the quotas of
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (July 2026).
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "ADOT_ACCOUNTS",
    "ADOT_MB",
    "ADOT_PACKAGES",
    "ADOT_PYTHON",
    "ADOT_REGIONS",
    "AS_OF",
    "COLLECTOR_ACCOUNT",
    "COLLECTOR_REGIONS",
    "COLLECTOR_VERSION",
    "GATEWAY_SECONDS",
    "MOST_LAYERS",
    "MOST_MB",
    "ONE_PROCESSOR_MB",
    "WRITES",
    "WRITING_POLICIES",
    "XRAY_REGIONS",
]

AS_OF = "July 2026"

XRAY_REGIONS = frozenset([
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2", "cn-north-1", "cn-northwest-1",
    "us-gov-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1",
])  # fmt: skip

# The version of AWSOpenTelemetryDistroPython by region; all are the same release.
ADOT_PYTHON: Mapping[str, int] = {
    "ap-northeast-1": 26, "ap-northeast-2": 26, "ap-northeast-3": 26, "ap-south-1": 26, "ap-southeast-1": 25,
    "ap-southeast-2": 26, "ca-central-1": 26, "eu-central-1": 26, "eu-north-1": 26, "eu-west-1": 26, "eu-west-2": 26,
    "eu-west-3": 26, "sa-east-1": 26, "us-east-1": 29, "us-east-2": 26, "us-west-1": 33, "us-west-2": 33,
}  # fmt: skip
ADOT_ACCOUNT = "615299751070"
# Opt-in regions and China have accounts of their own.
ADOT_ACCOUNTS: Mapping[str, str] = {
    **dict.fromkeys(ADOT_PYTHON, ADOT_ACCOUNT),
    "af-south-1": "904233096616", "ap-east-1": "888577020596", "ap-south-2": "796973505492",
    "ap-southeast-3": "039612877180", "ap-southeast-4": "713881805771", "ap-southeast-5": "152034782359",
    "ap-southeast-7": "980416031188", "ca-west-1": "595944127152", "cn-north-1": "440179912924",
    "cn-northwest-1": "440180067931", "eu-central-2": "156041407956", "eu-south-1": "257394471194",
    "eu-south-2": "490004653786", "il-central-1": "746669239226", "me-central-1": "739275441131",
    "me-south-1": "980921751758", "mx-central-1": "610118373846",
}  # fmt: skip
ADOT_REGIONS = frozenset(ADOT_ACCOUNTS)
ADOT_MB = 31  # unzipped

COLLECTOR_ACCOUNT = "901920570463"
COLLECTOR_VERSION = (0, 117, 0)
COLLECTOR_REGIONS = frozenset([
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2",
    "us-west-1", "us-west-2",
])  # fmt: skip

# The packages in the layer, pinned by aws-opentelemetry-distro 0.21.0.
ADOT_PACKAGES: Mapping[str, str] = {
    "opentelemetry-api": "1.44.0",
    "opentelemetry-sdk": "1.44.0",
    "opentelemetry-proto": "1.44.0",
    "opentelemetry-exporter-otlp-proto-common": "1.44.0",
    "opentelemetry-exporter-otlp-proto-http": "1.44.0",
    "opentelemetry-instrumentation": "0.65b0",
    "opentelemetry-semantic-conventions": "0.65b0",
    "opentelemetry-propagator-aws-xray": "1.0.2",
    "opentelemetry-sdk-extension-aws": "2.1.0",
}

MOST_LAYERS = 5
MOST_MB = 250
ONE_PROCESSOR_MB = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
GATEWAY_SECONDS: Mapping[str, int] = {"Api": 29, "HttpApi": 30}

WRITES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
# AWS's managed policies that allow both actions.
WRITING_POLICIES = (
    "AWSXRayDaemonWriteAccess",
    "AWSXrayFullAccess",
    "AWSXrayWriteOnlyAccess",
    "AdministratorAccess",
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
    "PowerUserAccess",
)
