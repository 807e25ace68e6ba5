"""What AWS says where it says no, in its own words, each with the public page that quotes them.

Names of resources are replaced by `{name}` fields. A "no" without words (an empty list, a missing field) has none here.
"""

from typing import NamedTuple

GITHUB = "https://github.com"


class Words(NamedTuple):
    """The code and the message of an error, and where they are quoted. The code is empty for text that is no error."""

    code: str
    text: str
    source: str


NO_MAPPING = Words(
    "ValidationError",
    "Template error: Unable to get mapping for AdotPython::{region}::Number",
    f"{GITHUB}/aws-quickstart/quickstart-tableau-server/issues/77",
)
NO_VERSION = Words(
    "AccessDeniedException",
    "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: lambda:GetLayerVersion on resource: {arn} "
    "because no resource-based policy allows the lambda:GetLayerVersion action",
    f"{GITHUB}/hashicorp/vault-lambda-extension/issues/156",
)
NOT_ALLOWED = Words(
    "AccessDeniedException",
    "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: {action} on resource: * because no "
    "identity-based policy allows the {action} action",
    f"{GITHUB}/trendmicro/cloudone-filestorage-deployment-templates/pull/144",
)
FORBIDDEN = Words(
    "AccessDeniedException",
    "User: arn:aws:sts::123456789012:assumed-role/ada is not authorized to perform: {action} on resource: * with an "
    "explicit deny in a service control policy",
    f"{GITHUB}/kubernetes-sigs/aws-load-balancer-controller/issues/2322",
)
THROTTLED = Words("ThrottlingException", "Rate exceeded", f"{GITHUB}/aws/aws-xray-daemon/issues/55")
UNPROCESSED = Words(
    "InvalidName", "Invalid subsegment. ErrorCode: InvalidName, Cause: null", f"{GITHUB}/aws/aws-xray-daemon/issues/184"
)
NO_ANNOTATION = Words("", '"annotations": {}', f"{GITHUB}/aws/aws-xray-sdk-python/issues/18")
NOT_EXPORTED = Words(
    "",
    "Exporting failed. No more retries left. Dropping data.",
    f"{GITHUB}/aws-observability/aws-otel-lambda/issues/229",
)
NO_DAEMON = Words("", "connect ECONNREFUSED 169.254.79.2:2000", f"{GITHUB}/aws/aws-xray-daemon/issues/26")
NO_MODULE = Words(
    "",
    "Runtime.ImportModuleError: Unable to import module 'otel_wrapper': No module named 'app'",
    f"{GITHUB}/aws-observability/aws-otel-lambda/issues/1113",
)
BAD_TOKEN = Words(
    "",
    "HTTP Status Code 403, Message=The security token included in the request is invalid., Details=[]",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPTroubleshooting.html",
)
BROKEN_API = Words("", '{"message": "Internal server error"}', f"{GITHUB}/aws/aws-lambda-go/issues/72")
STILL_LISTED = Words("", "returns non-existent resource ARNs", f"{GITHUB}/boto/boto3/issues/3341")
LOGS_REMAIN = Words(
    "",
    "The log groups remain in the account.",
    f"{GITHUB}/aws/serverless-application-model/issues/1216",
)
