"""Finds what an app uses that differs on this machine, from its template alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.stack.resources import Part
from lambda_latency.local.differences import DIFFERENCES, difference_of

TABLE = "AWS::DynamoDB::Table"
FUNCTION, REST, HTTP = "AWS::Lambda::Function", "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"
STAGES = ("AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Stage")
GATEWAY_ONLY = (
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::WAFv2::WebACLAssociation",
    "AWS::CloudFront::Distribution",
)
_FUNCTION = next(one for one in DIFFERENCES if one.name == "function")
SHOWN = 4  # names in a line
Resource = tuple[str, Mapping[str, Any]]


def differing(app: App) -> list[str]:
    """The lines, in the order of the table."""
    functions = [key for key, one in app.functions.items() if isinstance(one, Declared)]
    resources = [*_resources(app.part, "")]
    found: dict[str, list[str]] = {
        "memory": functions,
        "iam": [*_routes(app, lambda one: one.signed), *_signed_urls(app)],
        "keys": _routes(app, lambda one: one.keyed and not one.keys),
        "throttling": _named(resources, _throttles),
        "authorizer-cache": _named(resources, _has_lambda_authorizer),
        "gateway-responses": _named(resources, _has_responses),
        "vpc": _named(resources, lambda one: _of(one, FUNCTION).get("VpcConfig")),
        "kinesis-of-table": _named(resources, lambda one: _of(one, TABLE).get("KinesisStreamSpecification")),
        "tenants": _named(resources, lambda one: _of(one, FUNCTION).get("TenancyConfig")),
        "concurrency": _named(resources, _has_concurrency),
    }
    only = [(name, one) for name, one in resources if one.get("Type") in GATEWAY_ONLY]
    lines = []
    for one in DIFFERENCES:
        if one.name in ("times", "policies", "task") and functions:
            lines.append(one.line())
        elif one.name == "gateway-only" and only:
            kinds = ", ".join(sorted({str(resource.get("Type")) for _, resource in only}))
            lines.append(one.line(names=_shown([name for name, _ in only]), kinds=kinds))
        elif found.get(one.name):
            lines.append(one.line(names=_shown(found[one.name])))
    return lines


def explained(app: App) -> list[tuple[str, str, str]]:
    """The differences of an app, with what its template's notes say: each with what to do and with its source."""
    lines = [*differing(app), *app.notes]
    refused = [one for one in app.functions.values() if isinstance(one, Refused)]
    lines += [_FUNCTION.line(names=one.key, does="does", why=one.why) for one in refused]
    return [
        (line.removesuffix(f"; {one.todo}").replace("\n", " "), one.todo, one.source)
        for line in lines
        if (one := difference_of(line)) is not None
    ]


def _resources(part: Part, prefix: str) -> Iterator[Resource]:
    yield from ((prefix + name, one) for name, one in (part.plain.get("Resources") or {}).items())
    for name, child in part.children.items():
        yield from _resources(child, f"{prefix}{name}/")


def _named(resources: Iterable[Resource], differs: Callable[[Mapping[str, Any]], Any]) -> list[str]:
    return [name for name, one in resources if differs(one)]


def _routes(app: App, differs: Callable[[Any], bool]) -> list[str]:
    return sorted(route for _, api in app.apis for route, one in api.contracts.items() if differs(one))


def _signed_urls(app: App) -> list[str]:
    return [
        f"the URL of {key}" for key, one in app.functions.items() if isinstance(one, Declared) and one.url == "AWS_IAM"
    ]


def _throttles(resource: Mapping[str, Any]) -> bool:
    settings = json.dumps([_of(resource, kind) for kind in STAGES], default=str)
    return resource.get("Type") == "AWS::ApiGateway::UsagePlan" or "Throttling" in settings


def _has_lambda_authorizer(resource: Mapping[str, Any]) -> bool:
    body = _of(resource, REST, HTTP).get("Body")
    schemes = [(body or {}).get("securityDefinitions"), ((body or {}).get("components") or {}).get("securitySchemes")]
    made = [
        one.get("x-amazon-apigateway-authorizer") or {}
        for named in schemes
        for one in (named or {}).values()
        if isinstance(one, Mapping)
    ]
    return any(one.get("type") in ("token", "request") and _is_cached(one) for one in made)


def _is_cached(authorizer: Mapping[str, Any]) -> bool:
    """Whether its answers are kept on AWS: by default for a REST API, which has a token or an identity source."""
    return str(authorizer.get("authorizerResultTtlInSeconds", 300)) != "0"


def _has_responses(resource: Mapping[str, Any]) -> bool:
    body = _of(resource, REST).get("Body") or {}
    return resource.get("Type") == "AWS::ApiGateway::GatewayResponse" or bool(
        isinstance(body, Mapping) and body.get("x-amazon-apigateway-gateway-responses")
    )


def _has_concurrency(resource: Mapping[str, Any]) -> bool:
    snap = _of(resource, FUNCTION).get("SnapStart") or {}
    return (
        _of(resource, FUNCTION).get("ReservedConcurrentExecutions") is not None
        or bool(_of(resource, "AWS::Lambda::Alias").get("ProvisionedConcurrencyConfig"))
        or (isinstance(snap, Mapping) and snap.get("ApplyOn", "None") != "None")
    )


def _of(resource: Mapping[str, Any], *kinds: str) -> Mapping[str, Any]:
    """The properties of a resource of one of these types; empty for another."""
    properties = resource.get("Properties") if resource.get("Type") in kinds else None
    return properties if isinstance(properties, Mapping) else {}


def _shown(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
