"""What checks a signature as X-Ray does: botocore signs the same request, and the two are compared."""

import datetime as dt
from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SIGNED_BY = "AWS4-HMAC-SHA256 Credential={key}/{at:.8}/{region}/xray/aws4_request"


class _At(SigV4Auth):
    """At the time that the request says, and for the host that it was sent to."""

    def __init__(self, credentials: Credentials, region: str, timestamp: str) -> None:
        super().__init__(credentials, "xray", region)
        self.at = timestamp

    def sign(self, request: AWSRequest) -> str:
        request.context["timestamp"] = self.at
        text = self.string_to_sign(request, self.canonical_request(request))
        return str(self.signature(text, request))


def signature_of(
    url: str, headers: Mapping[str, str], body: bytes, variables: Mapping[str, str], timestamp: str, region: str
) -> str:
    """The signature of a POST with these headers, in hex."""
    credentials = Credentials(
        variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], variables.get("AWS_SESSION_TOKEN") or None
    )
    request = AWSRequest("POST", url, headers=dict(headers), data=body)
    return _At(credentials, region, timestamp).sign(request)


def what_is_wrong(
    target: str, headers: Mapping[str, str], body: bytes, variables: Mapping[str, str], region: str
) -> str:
    """The error that X-Ray would answer a request with, or nothing."""
    got = {name.lower(): value for name, value in headers.items()}
    timestamp, authorization = got.get("x-amz-date", ""), got.get("authorization", "")
    if not authorization:
        return "MissingAuthenticationTokenException"
    if got.get("x-amz-security-token", "") != variables.get("AWS_SESSION_TOKEN", ""):
        return "UnrecognizedClientException"
    now_utc = dt.datetime.now(dt.timezone.utc)
    sent = dt.datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
    if abs((now_utc - sent).total_seconds()) > 300:
        return "InvalidSignatureException: Signature expired"
    scope = authorization.partition(",")[0]
    if scope != SIGNED_BY.format(key=variables["AWS_ACCESS_KEY_ID"], at=timestamp, region=region):
        return "InvalidSignatureException: Credential should be scoped to a valid region."
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    expected = signature_of(
        f"http://{got['host']}{target}", {name: got[name] for name in names}, body, variables, timestamp, region
    )
    return "" if authorization.endswith(f"Signature={expected}") else "InvalidSignatureException: does not match"
