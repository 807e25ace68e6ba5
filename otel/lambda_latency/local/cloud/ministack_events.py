"""Completes the events of ministack's API Gateway, function URLs and load balancers to those of AWS.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import time
from typing import Any
from urllib.parse import parse_qs

# The fields that are null for a caller without credentials.
NOBODY = dict.fromkeys((
    "accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
    "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn",
))  # fmt: skip
# The fields that an event of format 2.0 has only if they are not empty.
OPTIONAL = ("body", "cookies", "pathParameters", "queryStringParameters", "stageVariables")
ACCOUNT = "123456789012"
IAM_USER = f"arn:aws:iam::{ACCOUNT}:user/local"


class ForwardedRequest:
    """A request that a front forwards, while ministack answers it.

    `kind` is rest, http, url or alb; `api` its id and `stage` its stage; `headers` have lists of values by lower-case
    names; `path` is the path as sent, with its escapes. `route` is `GET /orders/{id}` once it is known.
    """

    def __init__(self, target: str, request_id: str, method: str, path: str, headers: dict[str, list[str]]) -> None:
        self.kind, self.api, self.stage = target.split("/")
        self.request_id, self.method, self.path, self.headers = request_id, method, path, headers
        self.host = self.single("host")
        self.route = ""
        self.variables: dict[str, str] = {}  # of its HTTP API's stage
        self.is_keyed = False  # its method needs an API key
        self.is_signed = False  # its route needs a signature
        self.is_format_1 = False  # its HTTP API's integration has payload format 1.0
        self.is_reached = False  # a function of a route was called
        self.is_failed = False  # that function failed, or its answer is not one of a proxy integration

    def single(self, name: str) -> str:
        """Return the last value of a header; empty without one."""
        return self.headers.get(name, [""])[-1]

    def joined(self) -> dict[str, str]:
        """Return the headers with one value each, as HTTP APIs and function URLs join them."""
        return {name: ("; " if name == "cookie" else ",").join(values) for name, values in self.headers.items()}

    @property
    def access_key(self) -> str:
        """The access key of its signature; empty without one."""
        return self.single("authorization").partition("Credential=")[2].partition("/")[0]


def is_authorizer_event(event: Any) -> bool:
    """Return whether an event is one of a Lambda authorizer."""
    return "methodArn" in event or "routeArn" in event


def completed(event: Any, request: ForwardedRequest) -> Any:
    """Return the event of a request as AWS sends it, from ministack's."""
    if request.kind == "alb":
        return event
    if request.kind == "rest":
        return _of_rest_api(event, request)
    event = _of_http_api(event, request)
    return as_format_1(event) if request.is_format_1 and not is_authorizer_event(event) else event


def _of_rest_api(event: Any, request: ForwardedRequest) -> Any:
    if event.get("type") == "TOKEN":
        return event
    event.pop("version", None)
    headers = {name.title(): values for name, values in request.headers.items()}
    event |= {
        "headers": last_values(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": last_values(event.get("multiValueQueryStringParameters")),
    }
    context = event["requestContext"]
    context |= {
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "requestId": request.request_id,
        "extendedRequestId": request.request_id,
        "identity": _identity(context.get("identity"), request),
    }
    return event


def last_values(several: Any) -> dict[str, str] | None:
    """Return the last value of each name; None without any."""
    return {name: values[-1] for name, values in (several or {}).items()} or None


def _identity(declared: Any, request: ForwardedRequest) -> dict[str, Any]:
    """Return the caller's identity in a REST API's event, from ministack's."""
    identity: dict[str, Any] = {**NOBODY, **(declared or {}), "sourceIp": source_ip(request)}
    identity["userAgent"] = request.single("user-agent") or None
    if request.is_keyed:
        identity |= {"apiKey": request.single("x-api-key"), "apiKeyId": "local"}
    if request.is_signed and not identity["accessKey"]:
        signed = {"accessKey": request.access_key, "accountId": ACCOUNT, "userArn": IAM_USER}
        identity |= {**signed, "caller": "local", "user": "local"}
    return identity


def _of_http_api(event: Any, request: ForwardedRequest) -> Any:
    headers = request.joined()
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    context = event["requestContext"]
    if event.get("version") != "2.0":  # an authorizer's event of format 1.0
        event["headers"] = headers
        return event
    event |= {"headers": headers, "cookies": cookies, "stageVariables": request.variables}
    context |= {
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "requestId": request.request_id,
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "timeEpoch": int(time.time() * 1000),
    }
    context["http"] |= {"sourceIp": source_ip(request), "userAgent": request.single("user-agent")}
    _name_caller(context, request)
    return {name: value for name, value in event.items() if value or name not in OPTIONAL}


def _name_caller(context: Any, request: ForwardedRequest) -> None:
    """Complete the context of an HTTP API's event with who calls, in place."""
    if request.is_signed and "authorizer" not in context:
        iam = {"accessKey": request.access_key, "accountId": ACCOUNT, "callerId": "local", "cognitoIdentity": None}
        context["authorizer"] = {"iam": {**iam, "principalOrgId": None, "userArn": IAM_USER, "userId": "local"}}
    token = (context.get("authorizer") or {}).get("jwt")
    if token is not None:
        token["scopes"] = token["scopes"] or None


def source_ip(request: ForwardedRequest) -> str:
    """Return the address of the caller: the last of the forwarded ones, which the front adds."""
    return request.single("x-forwarded-for").rpartition(",")[2].strip()


def as_format_1(event: Any) -> Any:
    """An HTTP API's event of format 2.0 in format 1.0, which ministack's HTTP APIs do not send."""
    context, route = event["requestContext"], event["requestContext"]["http"]
    query = parse_qs(event["rawQueryString"], keep_blank_values=True)
    cookies = {"cookie": "; ".join(event["cookies"])} if event.get("cookies") else {}
    headers = {**event["headers"], **cookies}
    resource = event["routeKey"].rpartition(" ")[2]
    authorizer = context.get("authorizer") or {}
    names = ("accountId", "apiId", "domainName", "domainPrefix", "requestId", "stage")
    return {
        "version": "1.0",
        "resource": resource,
        "path": event["rawPath"],
        "httpMethod": route["method"],
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": last_values(query),
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            **{name: context[name] for name in names},
            "authorizer": authorizer.get("lambda") or authorizer.get("jwt") or authorizer or None,
            "extendedRequestId": context["requestId"],
            "httpMethod": route["method"],
            "identity": {**NOBODY, "sourceIp": route["sourceIp"], "userAgent": route["userAgent"]},
            "path": event["rawPath"],
            "protocol": route["protocol"],
            "requestTime": context["time"],
            "requestTimeEpoch": context["timeEpoch"],
            "resourceId": event["routeKey"],
            "resourcePath": resource,
        },
        "pathParameters": event.get("pathParameters"),
        "stageVariables": event.get("stageVariables"),
        "body": event.get("body"),
        "isBase64Encoded": event["isBase64Encoded"],
    }


def is_proxy_answer(answer: Any, *, needs_status: bool) -> bool:
    """Return whether a proxy integration passes on what a function returned; for any other, it answers 502 or 500.

    Format 2.0 infers the response from any value without `statusCode`.
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return not needs_status
    status = str(answer["statusCode"])
    body, headers = answer.get("body"), answer.get("headers")
    return status.isdigit() and isinstance(body or "", str) and isinstance(headers or {}, dict)
