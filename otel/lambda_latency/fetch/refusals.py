"""Turns errors of AWS and boto3 into messages with a remedy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lambda_latency.fetch.errors import FetchError
from lambda_latency.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.fetch.asked import Place

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
OF_CLOUDWATCH = ("ListMetrics", "GetMetricData", "StartQuery", "GetQueryResults")
THROTTLED = (
    "ThrottledException",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "LimitExceededException",
)
OVER_SSO = ("SSOTokenLoadError", "UnauthorizedSSOTokenError", "SSOError", "TokenRetrievalError", "LoginRefreshRequired")


def refusal(
    error: Exception, place: Place, *, expression: str | None = None, regions: Sequence[str] = ()
) -> FetchError | None:
    """The error as FetchError with a readable message; None if neither AWS nor boto3 raised it."""
    if isinstance(error, FetchError):
        return error
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return _answered(error.response.get("Error", {}), error.operation_name, place, expression)
    if isinstance(error, exceptions.BotoCoreError):
        return _unasked(type(error).__name__, error, place, regions)
    return None


def unreachable(error: OSError, url: str, place: Place, regions: Sequence[str]) -> FetchError:
    """The error for an endpoint that cannot be connected to."""
    region = _region_of(url)
    if place.endpoint_url is None and region and region not in regions:
        return FetchError(
            f"X-Ray has no endpoint in {region}, according to boto3 and the network", _near(region, regions)
        )
    return FetchError(f"X-Ray cannot be reached at {url}: {error.strerror or error}", _network(place))


def _answered(told: Any, operation: str, place: Place, expression: str | None) -> FetchError:
    code, message = str(told.get("Code", "?")), str(told.get("Message", "")).strip()
    said = f"{message.rstrip('.')} ({code})" if message else code
    if code in DENIED:
        return FetchError(
            f"AWS does not allow {operation}: {said}",
            "ask for the permissions that `lambda-latency fetch --print-policy` prints, or name another --profile",
        )
    if code in EXPIRED:
        return FetchError(f"the AWS credentials have expired: {said}", _renew(place))
    if code in UNKNOWN:
        return FetchError(
            f"AWS rejects these credentials: {said}",
            "check them (--profile), the clock of this machine, and the region (--region): a region that is not "
            "enabled in the account causes the same error",
        )
    if code == "InvalidRequestException" and expression is not None and operation == "GetTraceSummaries":
        return FetchError(
            f"X-Ray rejects the filter expression {expression!r}: {said}",
            f'a valid expression looks like service("orders-api") AND responsetime > 1; see {EXPRESSIONS}',
        )
    service = "CloudWatch" if operation in OF_CLOUDWATCH else "X-Ray"
    if code in THROTTLED:
        return FetchError(
            f"{service} throttled every attempt of {operation}: {said}",
            "try again later, or fetch less: a shorter period (--since), a filter (--filter), or fewer traces (--max)",
            passing=True,
        )
    if code == "ResourceNotFoundException" and operation == "StartQuery":
        return FetchError(
            f"Transaction Search is on, but its log group does not exist: {said}",
            "check the region (--region); the first span creates the group",
        )
    is_theirs = str(told.get("HTTPStatus", "")).startswith("5") or code in ("InternalFailure", "InternalServerError")
    return FetchError(f"{service} refuses {operation}: {said}", "try again later", passing=is_theirs)


def _unasked(kind: str, error: Exception, place: Place, regions: Sequence[str]) -> FetchError:
    if kind == "NoCredentialsError":
        return FetchError(
            "no AWS credentials were found",
            "name a profile (--profile), or run `aws configure` or `aws sso login`, or set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY",
        )
    if kind == "PartialCredentialsError":
        return FetchError(
            f"the AWS credentials are not complete: {error}", "set both keys, or name a profile (--profile)"
        )
    if kind == "ProfileNotFound":
        return FetchError(f"{_plain(error)}", "`aws configure list-profiles` lists the profiles")
    if kind in OVER_SSO:
        return FetchError(f"the AWS credentials have expired: {_plain(error)}", _renew(place))
    if kind == "NoRegionError":
        return FetchError(
            "no AWS region is set", "name the region of the functions (--region us-east-1), or set AWS_REGION"
        )
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
    return "check --endpoint-url" if place.endpoint_url else "check the network, its proxy, and --region"


def _region_of(message: str) -> str:
    found = re.search(r"xray\.([a-z0-9-]+)\.", message)
    return found[1] if found else ""


def _plain(error: Exception) -> str:
    return str(error).strip().rstrip(".")
