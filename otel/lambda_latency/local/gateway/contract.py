"""The checks of API Gateway before it calls a function: the signature (IAM), the API key, parameters and the body."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from lambda_latency.local.app.read.parameters import ACCOUNT

Authorize = Callable[[dict[str, Any], str], "str | None"]  # the response for a refused event of a route, else None

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
        """The names of required parameters of one place: `header` or `querystring`."""
        return tuple(one.partition(".")[2] for one in self.required if one.startswith(f"{place}."))


def contract_of(contracts: Mapping[str, Contract], route: str) -> Contract | None:
    """The contract of a route, or of the route `ANY` of its path."""
    return contracts.get(route) or contracts.get(f"ANY {route.partition(' ')[2]}")


def check(contracts: Mapping[str, Contract], event: dict[str, Any], route: str) -> str | None:
    """Add the caller's identity to an event, in place. Returns API Gateway's response if it refuses the request."""
    found = contract_of(contracts, "ANY $default" if event.get("routeKey") == DEFAULT else route)
    if found is None:
        return None
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if found.signed:
        key = _access_key(headers, event.get("queryStringParameters") or {})
        if not key:
            return _refusal(403, "Forbidden" if found.is_http else "Missing Authentication Token")
        _identify(event, key, is_http=found.is_http)
    if found.keyed:
        given = headers.get(API_KEY, "")
        if not given or (found.keys and given not in found.keys):
            return _refusal(403, "Forbidden")
        event["requestContext"].setdefault("identity", {}).update(apiKey=given, apiKeyId="local")
    missing = ", ".join(_missing(found, event, headers))
    if missing:
        return _refusal(400, f"Missing required request parameters: [{missing}]")
    if not _fits(found, event, headers):
        return _refusal(400, "Invalid request body")
    return None


def _access_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The access key of a signature, in the header or in the query; empty without one."""
    signed = CREDENTIAL.search(headers.get("authorization", ""))
    return signed[1] if signed else unquote(query.get("X-Amz-Credential", "")).partition("/")[0]


def _identify(event: dict[str, Any], key: str, *, is_http: bool) -> None:
    caller = {"accessKey": key, "accountId": ACCOUNT, "principalOrgId": None, "userArn": IAM_USER}
    if is_http:
        own = {**caller, "callerId": "local", "cognitoIdentity": None, "userId": "local"}
        event["requestContext"]["authorizer"] = {"iam": own}
    else:
        event["requestContext"].setdefault("identity", {}).update(caller, caller="local", user="local")


def _missing(contract: Contract, event: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    """The names of required parameters that a request lacks, or has without a value."""
    for one in contract.required:
        place, _, name = one.partition(".")
        value = headers.get(name.lower()) if place == "header" else (event.get(PLACES.get(place, "")) or {}).get(name)
        if not value:
            yield name


def _fits(contract: Contract, event: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Whether the body is valid by the model of its content type; a body without a model is."""
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


def _refusal(status: int, message: str) -> str:
    body = json.dumps({"message": message}, separators=(",", ":"))
    return json.dumps({"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body})
