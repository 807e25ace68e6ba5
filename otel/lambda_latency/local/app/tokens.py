"""Routes that Cognito and JWT authorizers guard: a caller without a token gets 401, the claims of others are handed on.

A token is read and its time is looked at. Its signature is not checked: the keys lie with whoever issued it.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Guard", "authorize", "guards"]

AUTHORIZER = "x-amazon-apigateway-authorizer"
ANY = "x-amazon-apigateway-any-method"
KINDS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
UNAUTHORIZED = {
    "statusCode": 401,
    "headers": {"Content-Type": "application/json"},
    "body": '{"message":"Unauthorized"}',
}


@dataclass(frozen=True, slots=True)
class Guard:
    """An authorizer: its name in the template, the header that carries the token, whether it is an HTTP API's."""

    name: str
    header: str
    is_http: bool


def guards(plain: Mapping[str, Any]) -> dict[str, Guard]:
    """The guard of each route of a translated template that has one, by the route (`GET /orders/{id}`)."""
    found: dict[str, Guard] = {}
    for one in plain["Resources"].values():
        body = (one.get("Properties") or {}).get("Body") if one.get("Type") in KINDS else None
        if isinstance(body, dict):
            known = dict(_authorizers(body))
            for route, wanted in _secured(body):
                found.update((route, known[name]) for name in wanted if name in known)
    return found


def authorize(known: Mapping[str, Guard], event: dict[str, Any], route: str) -> str | None:
    """Put the caller's claims into an event; what API Gateway answers where it refuses the caller, None elsewhere."""
    path = "$default" if event.get("routeKey") == "$default" else route.partition(" ")[2]
    guard = known.get(route) or known.get(f"ANY {path}")
    if guard is None:
        return None
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    claims = _claims(headers.get(guard.header.lower(), ""))
    if claims is None:
        return json.dumps(UNAUTHORIZED)
    written = {name: _written(value, "[{}]" if guard.is_http else "{}") for name, value in claims.items()}
    scopes = str(claims.get("scope", "")).split() or None
    event["requestContext"]["authorizer"] = (
        {"jwt": {"claims": written, "scopes": scopes}} if guard.is_http else {"claims": written}
    )
    return None


def _authorizers(body: Mapping[str, Any]) -> Iterator[tuple[str, Guard]]:
    schemes = {
        **(body.get("securityDefinitions") or {}),
        **((body.get("components") or {}).get("securitySchemes") or {}),
    }
    for name, scheme in schemes.items():
        made = scheme.get(AUTHORIZER) if isinstance(scheme, dict) else None
        if not isinstance(made, dict):
            continue
        kind = made.get("type")
        if kind == "jwt":
            source = made.get("identitySource")
            source = source[0] if isinstance(source, list) and source else source
            yield name, Guard(name, str(source or "").rpartition("header.")[2] or "Authorization", is_http=True)
        elif kind == "cognito_user_pools":
            yield name, Guard(name, str(scheme.get("name") or "Authorization"), is_http=False)


def _secured(body: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for path, methods in (body.get("paths") or {}).items():
        for method, one in methods.items() if isinstance(methods, dict) else ():
            security = one.get("security") if isinstance(one, dict) else None
            names = [name for entry in security or () if isinstance(entry, dict) for name in entry]
            if names:
                yield f"{'ANY' if method == ANY else method.upper()} {path}", names


def _claims(header: str) -> dict[str, Any] | None:
    """What a token claims; None where there is none, or its time is over."""
    parts = header.removeprefix("Bearer ").removeprefix("bearer ").strip().split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    if not isinstance(claims, dict) or float(claims.get("exp", time.time() + 1)) <= time.time():
        return None
    return claims


def _written(value: Any, several: str) -> str:
    """A claim as API Gateway writes it."""
    if isinstance(value, list):
        return several.format((" " if several == "[{}]" else ",").join(map(str, value)))
    return json.dumps(value) if isinstance(value, bool) else str(value)
