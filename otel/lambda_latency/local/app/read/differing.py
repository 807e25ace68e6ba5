"""Finds what an app uses that differs on this machine, from its template alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from lambda_latency.local.app.read.apis import absent_authorizers
from lambda_latency.local.app.read.app import LocalApp
from lambda_latency.local.app.read.bodies import AUTHORIZERS, POOL, throttles
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.read.definitions import mapping, properties
from lambda_latency.local.app.stack.resources import StackTemplate
from lambda_latency.local.differences import DIFFERENCES, difference_of

TABLE = "AWS::DynamoDB::Table"
FUNCTION = "AWS::Lambda::Function"
GATEWAY_ONLY = (
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::WAFv2::WebACLAssociation",
    "AWS::CloudFront::Distribution",
)
_FUNCTION = next(difference for difference in DIFFERENCES if difference.name == "function")
SHOWN = 4  # names in a line
Resource = tuple[str, Mapping[str, Any]]


def differing(app: LocalApp, absent: Collection[str] = ()) -> list[str]:
    """Return the lines, in the order of the table. `absent` are the keys of resources that were not created, and of
    functions that do not run.
    """
    resources = [(name, resource) for name, resource in _resources(app.part, "") if name not in absent]
    users = _users(app, resources, absent)
    gateway_only = {name: str(r.get("Type")) for name, r in resources if r.get("Type") in GATEWAY_ONLY}
    lines = []
    for difference in DIFFERENCES:
        if difference.name in ("times", "policies", "task") and users["memory"]:
            lines.append(difference.line())
        elif difference.name == "gateway-only" and gateway_only:
            kinds = ", ".join(sorted({*gateway_only.values()}))
            lines.append(difference.line(names=_shown([*gateway_only]), kinds=kinds))
        elif users.get(difference.name):
            lines.append(difference.line(names=_shown(users[difference.name])))
    return lines


def joined(lines: Iterable[str]) -> list[str]:
    """Return the lines in their order; of those that differ only in the names before a colon, one with all names."""
    names: dict[str, list[str]] = {}
    for line in lines:
        difference = difference_of(line)
        is_named = difference is not None and difference.says.startswith("{names}: ")
        subject, colon, text = line.partition(": ") if is_named else ("", "", line)
        names.setdefault(colon + text, []).append(subject)
    return [_shown(subjects) + text for text, subjects in names.items()]


def _users(app: LocalApp, resources: list[Resource], absent: Collection[str]) -> dict[str, list[str]]:
    """Return the functions, routes and resources that use what differs, by the name of the difference."""
    names = {name: key for key, function in app.functions.items() for name in (function.name, key)}
    return {
        "memory": [key for key, f in app.functions.items() if isinstance(f, Declared) and key not in absent],
        "iam": _signed(app),
        "throttling": _named(resources, throttles),
        "authorizer": absent_authorizers(dict(resources), names),
        "pool": _named(resources, lambda r: r.get("Type") in AUTHORIZERS and f'"{POOL}' in json.dumps(r, default=str)),
        "vpc": _named(resources, lambda r: _typed(r, FUNCTION).get("VpcConfig")),
        "kinesis-of-table": _named(resources, lambda r: _typed(r, TABLE).get("KinesisStreamSpecification")),
        "tenants": _named(resources, lambda r: _typed(r, FUNCTION).get("TenancyConfig")),
        "concurrency": _named(resources, _has_concurrency),
    }


def _signed(app: LocalApp) -> list[str]:
    """Return the routes that need a signature, and then the function URLs."""
    routes, urls = set(), []
    for api in app.apis:
        for name, route in api.routes.items():
            if route.is_signed and api.kind == "url":
                urls.append(f"the URL of {api.key}")
            elif route.is_signed:
                routes.add(name)
    return [*sorted(routes), *urls]


def explained(app: LocalApp) -> list[tuple[str, str, str]]:
    """The differences of an app, with what its template's notes say: each with what to do and with its source."""
    lines = [*differing(app), *app.notes]
    refused = [f for f in app.functions.values() if isinstance(f, Refused)]
    lines += [_FUNCTION.line(names=f.key, does="does", why=f.why) for f in refused]
    differences = [(line, d) for line in lines if (d := difference_of(line)) is not None]
    return [(line.removesuffix(f"; {d.todo}").replace("\n", " "), d.todo, d.source) for line, d in differences]


def _resources(part: StackTemplate, prefix: str) -> Iterator[Resource]:
    yield from ((prefix + name, r) for name, r in (part.plain.get("Resources") or {}).items())
    for name, child in part.children.items():
        yield from _resources(child, f"{prefix}{name}/")


def _named(resources: Iterable[Resource], differs: Callable[[Mapping[str, Any]], Any]) -> list[str]:
    return [name for name, resource in resources if differs(resource)]


def _has_concurrency(resource: Mapping[str, Any]) -> bool:
    function = _typed(resource, FUNCTION)
    return (
        function.get("ReservedConcurrentExecutions") is not None
        or bool(_typed(resource, "AWS::Lambda::Alias").get("ProvisionedConcurrencyConfig"))
        or mapping(function.get("SnapStart")).get("ApplyOn", "None") != "None"
    )


def _typed(resource: Mapping[str, Any], *kinds: str) -> Mapping[str, Any]:
    """Return the properties of a resource of one of these types; empty for another."""
    return properties(resource) if resource.get("Type") in kinds else {}


def _shown(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
