"""Turns errors of AWS and boto3 into messages with a remedy."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.selection import Place
from lambda_latency.spelling import did_you_mean

EXPRESSIONS = "https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html"
DENIED = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation")
EXPIRED = ("ExpiredTokenException", "ExpiredToken", "RequestExpired", "TokenRefreshRequired")
UNKNOWN = (
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
)
OF_CLOUDWATCH = (
    *("ListMetrics", "GetMetricData", "StartQuery", "GetQueryResults"),
    *("DescribeAlarms", "DescribeAlarmHistory"),
)
THROTTLED = (
    "ThrottledException",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "LimitExceededException",
)
FAILURES = ("InternalFailure", "InternalServerError", "ServiceUnavailable", "ServiceUnavailableException")
OVER_SSO = ("SSOTokenLoadError", "UnauthorizedSSOTokenError", "SSOError", "TokenRetrievalError", "LoginRefreshRequired")


def refusal(
    error: Exception, place: Place, *, expression: str | None = None, regions: Sequence[str] = ()
) -> FetchError | None:
    """Return the error as FetchError with a readable message; None if neither AWS nor boto3 raised it."""
    if isinstance(error, FetchError):
        return error
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return _of_aws(error.response.get("Error", {}), error.operation_name, place, expression)
    if isinstance(error, exceptions.BotoCoreError):
        return _of_boto3(type(error).__name__, error, place, regions)
    return None


def rejects_credentials(error: Any) -> bool:
    """Return whether AWS rejects the credentials or the clock of a call (boto3's ClientError): no other call helps."""
    return error.response.get("Error", {}).get("Code") in (*EXPIRED, *UNKNOWN)


def unreachable(error: OSError, url: str, place: Place, regions: Sequence[str]) -> FetchError:
    """Return the error for an endpoint that cannot be connected to."""
    match = re.search(r"xray\.([a-z0-9-]+)\.amazonaws", url)
    if match and match[1] not in regions:
        message = f"X-Ray has no endpoint in {match[1]}, according to boto3 and the network"
        return FetchError(message, _near(match[1], regions))
    return FetchError(f"X-Ray cannot be reached at {url}: {error.strerror or error}", _network(place))


def _of_aws(response: Any, operation: str, place: Place, expression: str | None) -> FetchError:
    code, message = str(response.get("Code", "?")), str(response.get("Message", "")).strip()
    reason = f"{message.rstrip('.')} ({code})" if message else code
    if code in DENIED:
        return FetchError(
            f"AWS does not allow {operation}: {reason}",
            "ask for the permissions that `lambda-latency policy fetch` prints, or name another --profile",
        )
    if code in EXPIRED:
        return FetchError(f"the AWS credentials have expired: {reason}", _renew(place))
    if code in UNKNOWN:
        return FetchError(
            f"AWS rejects these credentials: {reason}",
            "check them (--profile), the clock of this machine, and the region (--region): a region that is not "
            "enabled in the account causes the same error",
        )
    if code == "InvalidRequestException" and expression is not None and operation == "GetTraceSummaries":
        return FetchError(
            f"X-Ray rejects the filter expression {expression!r}: {reason}",
            f'a valid expression looks like service("orders-api") AND responsetime > 1; see {EXPRESSIONS}',
        )
    status = str(response.get("HTTPStatus", ""))
    return _of_service(code, reason, operation, is_passing=status.startswith("5"))


def _of_service(code: str, reason: str, operation: str, *, is_passing: bool) -> FetchError:
    service = "CloudWatch" if operation in OF_CLOUDWATCH else "X-Ray"
    if code in THROTTLED:
        return FetchError(
            f"{service} throttled every attempt of {operation}: {reason}",
            "try again later, or fetch less: a shorter period (--since), a filter (--filter), or fewer traces (--max)",
            passing=True,
        )
    if code == "ResourceNotFoundException" and operation == "StartQuery":
        return FetchError(
            f"Transaction Search is on, but its log group does not exist: {reason}",
            "check the region (--region); the first span creates the group",
        )
    is_passing = is_passing or code in FAILURES
    return FetchError(f"{service} refuses {operation}: {reason}", "try again later", passing=is_passing)


def _of_boto3(kind: str, error: Exception, place: Place, regions: Sequence[str]) -> FetchError:
    if kind == "NoCredentialsError":
        return FetchError(
            "no AWS credentials were found",
            "name a profile (--profile), or run `aws configure` or `aws sso login`, or set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY",
        )
    if kind == "PartialCredentialsError":
        remedy = "set both keys, or name a profile (--profile)"
        return FetchError(f"the AWS credentials are not complete: {error}", remedy)
    if kind == "ProfileNotFound":
        return FetchError(f"{_plain(error)}", "`aws configure list-profiles` lists the profiles")
    if kind in OVER_SSO:
        return FetchError(f"the AWS credentials have expired: {_plain(error)}", _renew(place))
    if kind == "NoRegionError":
        remedy = "name the region of the functions (--region us-east-1), or set AWS_REGION"
        return FetchError("no AWS region is set", remedy)
    if kind == "InvalidRegionError":
        return FetchError(f"{place.region!r} is not a region", _near(place.region or "", regions))
    if kind in (
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ConnectionClosedError",
        "HTTPClientError",
    ):
        return FetchError(f"X-Ray does not answer: {_plain(error)}", _network(place), passing=True)
    return FetchError(f"boto3 cannot call X-Ray: {_plain(error)} ({kind})", _network(place))


def _renew(place: Place) -> str:
    profile = f" --profile {place.profile}" if place.profile else ""
    return f"renew them (`aws sso login{profile}`, or the tool that issued them), and run the command again"


def _near(region: str, regions: Sequence[str]) -> str:
    hint = did_you_mean(region, regions, "for example us-east-1", most=3)
    return f"name the region of the functions (--region): {hint}"


def _network(place: Place) -> str:
    if place.endpoint_url or any(name.startswith("AWS_ENDPOINT_URL") for name in os.environ):
        return "check the variable AWS_ENDPOINT_URL"
    return "check the network, its proxy, and --region"


def _plain(error: Exception) -> str:
    return str(error).strip().rstrip(".")
