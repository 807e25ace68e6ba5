"""The checks of API Gateway before it calls a function: the signature (IAM), the API key, parameters and the body."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote

from lambda_latency.local.app.read.parameters import ACCOUNT

# The response for a refused event of a route, else None.
Authorize = Callable[[dict[str, Any], str], "str | None"]

Found = TypeVar("Found")
API_KEY = "x-api-key"
# A header by which a request counts as signed, because signatures are not verified here.
SIGNATURE = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/execute-api/aws4_request"
CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")
IAM_USER = f"arn:aws:iam::{ACCOUNT}:user/local"
DEFAULT = "$default"  # the content type of a model for all others
PLACES = {"querystring": "queryStringParameters", "path": "pathParameters"}


@dataclass(frozen=True, slots=True)
class Contract:
    """What a request of a route needs. `models` are JSON schemas by content type, and `required` names parameters as
    `header.X-Tenant`; both are empty without a validator. An empty `keys` accepts every API key.
    """

    is_http: bool = False
    signed: bool = False
    keyed: bool = False
    keys: frozenset[str] = frozenset()
    models: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def names(self, place: str) -> tuple[str, ...]:
        """Return the names of required parameters of one place: `header` or `querystring`."""
        return tuple(name.partition(".")[2] for name in self.required if name.startswith(f"{place}."))


def of_route(by_route: Mapping[str, Found], route: str) -> Found | None:
    """What is found for a route, or for the route `ANY` of its path."""
    return by_route.get(route) or by_route.get(f"ANY {route.partition(' ')[2]}")


def check(contracts: Mapping[str, Contract], event: dict[str, Any], route: str) -> str | None:
    """Add the caller's identity to an event, in place. Returns API Gateway's response if it refuses the request."""
    contract = of_route(contracts, "ANY $default" if event.get("routeKey") == DEFAULT else route)
    if contract is None:
        return None
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if contract.signed:
        key = _access_key(headers, event.get("queryStringParameters") or {})
        if not key:
            return refusal(403, "Forbidden" if contract.is_http else "Missing Authentication Token")
        _identify(event, key, is_http=contract.is_http)
    if contract.keyed:
        api_key = headers.get(API_KEY, "")
        if not api_key or (contract.keys and api_key not in contract.keys):
            return refusal(403, "Forbidden")
        event["requestContext"].setdefault("identity", {}).update(apiKey=api_key, apiKeyId="local")
    missing = ", ".join(_missing(contract, event, headers))
    if missing:
        return refusal(400, f"Missing required request parameters: [{missing}]")
    if not _fits(contract, event, headers):
        return refusal(400, "Invalid request body")
    return None


def _access_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """Return the access key of a signature, in the header or in the query; empty without one."""
    signed = CREDENTIAL.search(headers.get("authorization", ""))
    return signed[1] if signed else unquote(query.get("X-Amz-Credential", "")).partition("/")[0]


def _identify(event: dict[str, Any], key: str, *, is_http: bool) -> None:
    caller = {"accessKey": key, "accountId": ACCOUNT, "principalOrgId": None, "userArn": IAM_USER}
    if is_http:
        iam = {**caller, "callerId": "local", "cognitoIdentity": None, "userId": "local"}
        event["requestContext"]["authorizer"] = {"iam": iam}
    else:
        event["requestContext"].setdefault("identity", {}).update(caller, caller="local", user="local")


def _missing(contract: Contract, event: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of required parameters that a request lacks, or has without a value."""
    for parameter in contract.required:
        place, _, name = parameter.partition(".")
        sent = event.get(PLACES.get(place, "")) or {}
        if not (headers.get(name.lower()) if place == "header" else sent.get(name)):
            yield name


def _fits(contract: Contract, event: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Return whether the body is valid by the model of its content type; a body without a model is."""
    if not contract.models:
        return True
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    schema = contract.models.get(kind, contract.models.get(DEFAULT))
    if schema is None:
        return True
    body = str(event.get("body") or "{}")
    try:
        value = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except ValueError:
        return False
    return _is_valid(value, schema)


def _is_valid(value: Any, schema: Any) -> bool:
    """Whether a value is valid by a schema of draft 4, as models are. A schema with an error accepts all values."""
    import jsonschema
    from referencing.exceptions import Unresolvable

    try:
        jsonschema.validate(value, schema, jsonschema.Draft4Validator)
    except jsonschema.ValidationError:
        return False
    except (jsonschema.SchemaError, Unresolvable, TypeError, re.error):
        return True
    return True


def refusal(status: int, message: str) -> str:
    """API Gateway's own response."""
    body = json.dumps({"message": message}, separators=(",", ":"))
    return json.dumps({"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body})
