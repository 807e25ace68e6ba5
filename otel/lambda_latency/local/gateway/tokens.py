"""Cognito and JWT authorizers: a request without a token gets 401, the function receives the claims of a token.

The time, the issuer, the audience and the scopes of a token are checked. Its signature is not, because only the issuer
has the keys.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from lambda_latency.local.app.read.definitions import AUTHORIZER, HTTP, REST, mapping, of_type, operations, schemes
from lambda_latency.local.gateway.contract import refusal

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class TokenGuard:
    """An authorizer: its name in the template, the header with the token, and whether its API is an HTTP API.

    `issuer` and `audience` are the accepted values, if the template has them as text; a caller needs one of `scopes`.
    """

    name: str
    header: str
    is_http: bool
    issuer: str = ""
    audience: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    def refuses(self, claims: Mapping[str, Any]) -> int:
        """Return the status, 401 or 403, for a caller with these claims; 0 if access is allowed."""
        if self.issuer and claims.get("iss") != self.issuer:
            return 401
        audience = claims.get("aud") or claims.get("client_id")
        if self.audience and not {*self.audience} & {*(audience if isinstance(audience, list) else [audience])}:
            return 401
        if self.scopes and not {*self.scopes} & {*_scopes(claims)}:
            return 403 if self.is_http else 401
        return 0


def guards(plain: Mapping[str, Any]) -> dict[str, TokenGuard]:
    """Return the guards of a translated template, by route (`GET /orders/{id}`)."""
    by_route: dict[str, TokenGuard] = {}
    for _, api in of_type(plain["Resources"], REST, HTTP):
        body = api.get("Body")
        authorizers = {name: _authorizer(name, scheme) for name, scheme in schemes(body).items()}
        for operation in operations(body):
            for name, scopes in chain.from_iterable(r.items() for r in operation.security):
                guard = authorizers.get(name)
                if guard is not None:
                    by_route[operation.route] = replace(guard, scopes=tuple(map(str, scopes or ())))
    return by_route


def authorize(by_route: Mapping[str, TokenGuard], event: dict[str, Any], route: str) -> str | None:
    """Add the caller's claims to an event, in place. Returns API Gateway's response if access is denied, else None."""
    path = "$default" if event.get("routeKey") == "$default" else route.partition(" ")[2]
    guard = by_route.get(route) or by_route.get(f"ANY {path}")
    if guard is None:
        return None
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    claims = _claims(headers.get(guard.header.lower(), ""))
    status = 401 if claims is None else guard.refuses(claims)
    if claims is None or status:
        return refusal(status, "Unauthorized" if status == 401 else "Forbidden")
    written = {name: _written(value, "[{}]" if guard.is_http else "{}") for name, value in claims.items()}
    caller: dict[str, Any] = {"claims": written}
    if guard.is_http:
        caller = {"jwt": {**caller, "scopes": _scopes(claims) or None}}
    event["requestContext"]["authorizer"] = caller
    return None


def token(guard: TokenGuard) -> str:
    """An unsigned token that a guard accepts for an hour: for the printed commands. Cognito's has Cognito's claims."""
    claims: dict[str, Any] = {"sub": "me", "exp": int(time.time()) + HOUR_S}
    if not guard.is_http or "cognito-idp" in guard.issuer:
        access = {"username": "me", "token_use": "access"}
        claims |= access if guard.scopes else {"cognito:username": "me", "email": "me@example.com", "token_use": "id"}
    claims |= {"iss": guard.issuer} if guard.issuer else {}
    claims |= {"aud": guard.audience[0]} if guard.audience else {}
    claims |= {"scope": " ".join(guard.scopes)} if guard.scopes else {}
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", payload, b"none"))


def _authorizer(name: str, scheme: Mapping[str, Any]) -> TokenGuard | None:
    """Return the guard of a security scheme; None for a scheme that no guard checks."""
    authorizer = mapping(scheme.get(AUTHORIZER))
    if authorizer.get("type") == "cognito_user_pools":
        return TokenGuard(name, str(scheme.get("name") or "Authorization"), is_http=False)
    if authorizer.get("type") != "jwt":
        return None
    source = authorizer.get("identitySource")
    source = source[0] if isinstance(source, list) and source else source
    accepted = mapping(authorizer.get("jwtConfiguration"))
    issuer, audience = accepted.get("issuer"), accepted.get("audience")
    audience = audience if isinstance(audience, list) else [audience]
    return TokenGuard(
        name,
        str(source or "").rpartition("header.")[2] or "Authorization",
        is_http=True,
        issuer=issuer if isinstance(issuer, str) else "",
        audience=tuple(audience) if all(isinstance(value, str) for value in audience) else (),
    )


def _claims(header: str) -> dict[str, Any] | None:
    """Return the claims of a token; None if the token is missing, invalid or expired."""
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


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a token, which are text or, from some issuers, a list."""
    scopes = claims.get("scope") or claims.get("scp") or ""
    return [str(scope) for scope in scopes] if isinstance(scopes, list) else str(scopes).split()


def _written(value: Any, several: str) -> str:
    """Return a claim as API Gateway writes it."""
    if isinstance(value, list):
        return several.format((" " if several == "[{}]" else ",").join(map(str, value)))
    return json.dumps(value) if isinstance(value, bool) else str(value)
