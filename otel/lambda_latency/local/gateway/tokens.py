"""Cognito and JWT authorizers: a request without a token gets 401, the function receives the claims of a token.

The time, the issuer, the audience and the scopes of a token are checked. Its signature is not, because only the issuer
has the keys.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

AUTHORIZER = "x-amazon-apigateway-authorizer"
ANY = "x-amazon-apigateway-any-method"
KINDS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Guard:
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
        """The status, 401 or 403, for a caller with these claims; 0 if access is allowed."""
        if self.issuer and claims.get("iss") != self.issuer:
            return 401
        wanted = claims.get("aud") or claims.get("client_id")
        if self.audience and not {*self.audience} & {*(wanted if isinstance(wanted, list) else [wanted])}:
            return 401
        if self.scopes and not {*self.scopes} & {*_scopes(claims)}:
            return 403 if self.is_http else 401
        return 0


def guards(plain: Mapping[str, Any]) -> dict[str, Guard]:
    """The guards of a translated template, by route (`GET /orders/{id}`)."""
    found: dict[str, Guard] = {}
    for one in plain["Resources"].values():
        body = (one.get("Properties") or {}).get("Body") if one.get("Type") in KINDS else None
        if isinstance(body, dict):
            known = dict(_authorizers(body))
            for route, wanted in _secured(body):
                found.update((route, replace(known[name], scopes=scopes)) for name, scopes in wanted if name in known)
    return found


def authorize(known: Mapping[str, Guard], event: dict[str, Any], route: str) -> str | None:
    """Add the caller's claims to an event, in place. Returns API Gateway's response if access is denied, else None."""
    path = "$default" if event.get("routeKey") == "$default" else route.partition(" ")[2]
    guard = known.get(route) or known.get(f"ANY {path}")
    if guard is None:
        return None
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    claims = _claims(headers.get(guard.header.lower(), ""))
    status = 401 if claims is None else guard.refuses(claims)
    if claims is None or status:
        return _refusal(status)
    written = {name: _written(value, "[{}]" if guard.is_http else "{}") for name, value in claims.items()}
    event["requestContext"]["authorizer"] = (
        {"jwt": {"claims": written, "scopes": _scopes(claims) or None}} if guard.is_http else {"claims": written}
    )
    return None


def token(guard: Guard) -> str:
    """An unsigned token that a guard accepts for an hour: for the printed commands. Cognito's has Cognito's claims."""
    claims: dict[str, Any] = {"sub": "me", "exp": int(time.time()) + HOUR_S}
    if not guard.is_http or "cognito-idp" in guard.issuer:
        access = {"username": "me", "token_use": "access"}
        claims |= access if guard.scopes else {"cognito:username": "me", "email": "me@example.com", "token_use": "id"}
    claims |= {"iss": guard.issuer} if guard.issuer else {}
    claims |= {"aud": guard.audience[0]} if guard.audience else {}
    claims |= {"scope": " ".join(guard.scopes)} if guard.scopes else {}
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", _json(claims), b"none"))


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
            header = str(source or "").rpartition("header.")[2] or "Authorization"
            accepted = made.get("jwtConfiguration") or {}
            issuer, audience = accepted.get("issuer"), accepted.get("audience")
            audience = audience if isinstance(audience, list) else [audience]
            yield (
                name,
                Guard(
                    name,
                    header,
                    is_http=True,
                    issuer=issuer if isinstance(issuer, str) else "",
                    audience=tuple(audience) if all(isinstance(one, str) for one in audience) else (),
                ),
            )
        elif kind == "cognito_user_pools":
            yield name, Guard(name, str(scheme.get("name") or "Authorization"), is_http=False)


def _secured(body: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, tuple[str, ...]]]]]:
    """The routes with the names and the scopes of their authorizers."""
    for path, methods in (body.get("paths") or {}).items():
        for method, one in methods.items() if isinstance(methods, dict) else ():
            security = one.get("security") if isinstance(one, dict) else None
            entries = [entry for entry in security or () if isinstance(entry, dict)]
            wanted = [(name, tuple(map(str, scopes or ()))) for entry in entries for name, scopes in entry.items()]
            if wanted:
                yield f"{'ANY' if method == ANY else method.upper()} {path}", wanted


def _claims(header: str) -> dict[str, Any] | None:
    """The claims of a token; None if the token is missing, invalid or expired."""
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
    """The scopes of a token, which are text or, from some issuers, a list."""
    scopes = claims.get("scope") or claims.get("scp") or ""
    return [str(one) for one in scopes] if isinstance(scopes, list) else str(scopes).split()


def _refusal(status: int) -> str:
    body = json.dumps({"message": {401: "Unauthorized", 403: "Forbidden"}[status]}, separators=(",", ":"))
    return json.dumps({"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body})


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _written(value: Any, several: str) -> str:
    """A claim as API Gateway writes it."""
    if isinstance(value, list):
        return several.format((" " if several == "[{}]" else ",").join(map(str, value)))
    return json.dumps(value) if isinstance(value, bool) else str(value)
