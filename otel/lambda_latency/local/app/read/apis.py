"""The app's APIs as samcli reads them, and its function URLs as APIs with one route."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.definitions import operations, readable, route_of, without
from lambda_latency.local.app.read.inclusion import CHILDREN
from lambda_latency.local.app.read.samples import Sample
from lambda_latency.local.app.read.unserved import web_sockets
from lambda_latency.local.cloud.service_routes import HTTP, REST, Direct
from lambda_latency.local.gateway.contract import Contract, check, contract_of
from lambda_latency.local.gateway.sam import STACK, Template
from lambda_latency.local.gateway.tokens import Guard, authorize

EVERY = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}  # the methods to which samcli expands `ANY`
TYPES, FUNCTION = ("AWS::Serverless::Api", "AWS::Serverless::HttpApi"), "AWS::Serverless::Function"
PLAIN = ("AWS::ApiGateway::", "AWS::ApiGatewayV2::")  # the types of CloudFormation's own APIs begin so
# The types of events of APIs: the property with the API, and the logical id of SAM's own API without it.
IMPLICIT = {"Api": ("RestApiId", "ServerlessRestApi"), "HttpApi": ("ApiId", "ServerlessHttpApi")}


@dataclass(frozen=True, slots=True)
class Api:
    """An API. `template` is for the gateway and maps routes to logical ids of functions; `guards` require a token,
    `contracts` other parts of a request;
    `direct` are routes without a function; `samples` are examples of its definition. `only` are the logical ids of its
    resources, empty for all of its template's but those `without` it.
    """

    template: Template
    is_http: bool
    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    guards: Mapping[str, Guard] = field(default_factory=dict)
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    direct: tuple[Direct, ...] = ()
    samples: Mapping[str, Sample] = field(default_factory=dict)

    def owns(self, name: str) -> bool:
        """Whether a resource of its template, by its logical id, may be a part of it."""
        return name in self.only if self.only else name not in self.without

    def guard(self, route: str) -> Guard | None:
        """The guard of a route, or of the route `ANY` of its path; None if the route is open."""
        return self.guards.get(route) or self.guards.get(f"ANY {route.partition(' ')[2]}")

    def sample(self, route: str) -> Sample:
        """The sample of a route, or of the route `ANY` of its path; an empty one without examples."""
        return self.samples.get(route) or self.samples.get(f"ANY {route.partition(' ')[2]}") or Sample()

    def refusal(self, event: dict[str, Any], route: str) -> str | None:
        """The response for a refused request; else None, with the caller added to the event."""
        return authorize(self.guards, event, route) or check(self.contracts, event, route)

    def contract(self, route: str) -> Contract:
        """What a request of a route needs."""
        return contract_of(self.contracts, route) or Contract(self.is_http)

    def shown(self) -> Iterator[str]:
        """The routes without preflight requests (OPTIONS); an `ANY` route once."""
        for route in self.template.routes:
            method, _, path = route.partition(" ")
            if self.shown_as(route) == route and (method != "OPTIONS" or self._methods(path) == {method}):
                yield route
        yield from (one.route for one in self.direct)

    def shown_as(self, route: str) -> str:
        """The route itself; for one of an `ANY` route, the one for GET."""
        path = route.partition(" ")[2]
        return f"GET {path}" if self._methods(path) >= EVERY else route

    def _methods(self, path: str) -> set[str]:
        return {method for method in EVERY if f"{method} {path}" in self.template.routes}


def read_apis(
    path: Path,
    raw: Mapping[str, Any],
    values: Mapping[str, str],
    name: str,
    direct: Iterable[Direct],
    *,
    authorizers: bool,
) -> list[Api | str]:
    """The APIs of a packaged template that have a route besides the `direct` ones; an error message for those that
    samcli cannot read.

    SAM's APIs are merged into one, unless two of them have the same route; so are CloudFormation's own APIs. samcli
    reads only the kind that comes first in a template.
    """
    reader = _Reader(path, raw, values, name, frozenset(one.route for one in direct), authorizers)
    return [*_read(reader, readable(raw["Resources"])), *reader.notes]


def _read(reader: _Reader, all_resources: Mapping[str, Any]) -> list[Api | str]:
    sockets = web_sockets(all_resources)
    resources = {
        key: one
        for key, one in all_resources.items()
        if one.get("Type") not in CHILDREN and key not in sockets and _web_socket_of(one) not in sockets
    }
    plain = frozenset(key for key, one in resources.items() if str(one.get("Type")).startswith(PLAIN))
    sams = {key: one for key, one in resources.items() if key not in plain}
    found = reader.sams({key: _with_events(one, lambda api: api not in plain) for key, one in sams.items()})
    kept = {
        key: {**one, "Type": "AWS::Lambda::Function"} if one.get("Type") == FUNCTION else one
        for key, one in resources.items()
        if one.get("Type") not in TYPES
    }
    if not any(one.get("Type") in (REST, HTTP) for one in resources.values()):
        return found
    other = reader.api(kept)
    if not found:
        return [] if other is None else [other]
    found = [replace(one, without=plain) if isinstance(one, Api) else one for one in found]
    if other is not None:
        found.append(replace(other, only=plain) if isinstance(other, Api) else other)
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads APIs of a template's resources with samcli."""

    path: Path
    raw: Mapping[str, Any]
    values: Mapping[str, str]
    name: str
    direct: frozenset[str]
    authorizers: bool
    notes: list[str] = field(default_factory=list)  # the routes that samcli cannot read

    def sams(self, resources: Mapping[str, Any]) -> list[Api | str]:
        """SAM's APIs, merged into one, unless two of them have the same route."""
        merged = self.api(resources)
        if merged is None or isinstance(merged, str):
            return [merged] if merged else []
        keys = sorted(_referred_apis(resources), key=lambda key: list(resources).index(key) if key in resources else -1)
        if len(keys) > 1:
            read = {key: self.api(_only(resources, key)) for key in keys}
            parts = [replace(one, only=frozenset((key,))) for key, one in read.items() if isinstance(one, Api)]
            routes = [route for one in parts for route in one.template.routes if not route.startswith("OPTIONS ")]
            if len({*routes}) < len(routes):
                return [*parts]
        return [merged]

    def api(self, resources: Mapping[str, Any]) -> Api | str | None:
        """All APIs, merged into one; None without a route; an error message if samcli fails.

        If samcli fails because of some operations of a definition, those are left out, with a note for each.
        """
        try:
            return self._api(resources)
        except Exception as error:  # noqa: BLE001 - samcli raises many types of errors for invalid templates
            why = str(error)
        every = {*operations(resources)}
        failing = {one: said for one in sorted(every) if (said := self._failure(without(resources, every - {one})))}
        if 0 < len(failing) < len(every):
            told = [f"{route_of(one)} is not served here: {said}" for one, said in failing.items()]
            self.notes.extend(one for one in told if one not in self.notes)
            return self.api(without(resources, {*failing}))
        return f"{self.path}: its APIs cannot be read: {why}"

    def _failure(self, resources: Mapping[str, Any]) -> str:
        """The message of samcli's error; empty if it can read these APIs."""
        try:
            self._api(resources)
        except Exception as error:  # noqa: BLE001 - as above
            return str(error)
        return ""

    def _api(self, resources: Mapping[str, Any]) -> Api | None:
        from samcli.lib.providers.api_provider import ApiProvider
        from samcli.lib.providers.cfn_base_api_provider import CfnBaseApiProvider
        from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

        if not resources:
            return None
        CfnBaseApiProvider.normalize_cors_allow_methods = staticmethod(_allowed)
        logging.getLogger("samcli").setLevel(logging.CRITICAL)
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            stacks, _ = SamLocalStackProvider.get_stacks(
                template_dictionary={**self.raw, "Resources": resources},
                parameter_overrides=dict(self.values),
                global_parameter_overrides={**STACK, "AWS::StackName": self.name},
            )
            folder = str(self.path.resolve().parent)
            api = ApiProvider(stacks, cwd=folder, disable_authorizer=not self.authorizers).api
        for route in api.routes:
            if f"ANY {route.path}" in self.direct:
                route.methods = []
            route.methods = [method for method in route.methods if f"{method} {route.path}" not in self.direct]
        api.routes = [route for route in api.routes if route.function_name and route.methods]
        if not api.routes:
            return None
        declared = [one.get("Properties") or {} for one in resources.values() if one.get("Type") in TYPES]
        title = next((one["Name"] for one in declared if isinstance(one.get("Name"), str)), self.name)
        is_http = all(route.event_type == "HttpApi" for route in api.routes)
        return Api(_template(self.path, api, title, "$default" if is_http else "Prod"), is_http)


def _web_socket_of(resource: Mapping[str, Any]) -> str:
    """The logical id of the API that a route, an integration or a stage belongs to; empty for other resources."""
    api = (resource.get("Properties") or {}).get("ApiId")
    return str(api.get("Ref", "")) if isinstance(api, dict) else ""


def _referred_apis(resources: Mapping[str, Any]) -> set[str]:
    """The logical ids of SAM's APIs, with those that SAM makes for events without one."""
    found = {key for key, one in resources.items() if one.get("Type") in TYPES}
    return found | {_api_of(event) for one in resources.values() for event in _events(one).values()} - {""}


def _only(resources: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The resources without other APIs, and without the events of other APIs."""
    kept = {name: one for name, one in resources.items() if one.get("Type") not in TYPES or name == key}
    return {name: _with_events(one, lambda api: api in ("", key)) for name, one in kept.items()}


def _with_events(resource: Any, is_kept: Callable[[str], bool]) -> Any:
    """A resource without a function's events of APIs that are not kept."""
    events = _events(resource)
    own = {title: event for title, event in events.items() if is_kept(_api_of(event))}
    if len(own) == len(events):
        return resource
    return {**resource, "Properties": {**resource["Properties"], "Events": own}}


def _events(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    found = (resource.get("Properties") or {}).get("Events") if resource.get("Type") == FUNCTION else None
    return found if isinstance(found, dict) else {}


def _api_of(event: Any) -> str:
    """The logical id of the API of a function's event; empty for other events."""
    kind = event.get("Type") if isinstance(event, dict) else None
    if kind not in IMPLICIT:
        return ""
    key, implicit = IMPLICIT[kind]
    named = (event.get("Properties") or {}).get(key) or implicit
    return str(named.get("Ref", implicit)) if isinstance(named, dict) else str(named)


def empty_api(path: Path, name: str, *, is_http: bool) -> Api:
    """An API without a route to a function."""
    from samcli.lib.providers.provider import Api as Routes

    return Api(_template(path, Routes([]), name, "$default" if is_http else "Prod"), is_http)


def function_url(path: Path, function: str, name: str, *, signed: bool) -> Api:
    """A function URL as an API that sends every path and method to one function."""
    from samcli.lib.providers.provider import Api as Routes
    from samcli.local.apigw.route import Route

    route = Route(
        function_name=function, path="$default", methods=["ANY"], event_type=Route.HTTP, payload_format_version="2.0"
    )
    api = Routes([route])
    api.stage_name = "$default"
    contracts = {"ANY $default": Contract(is_http=True, signed=True)} if signed else {}
    return Api(_template(path, api, name, "$default"), is_http=True, contracts=contracts)


def _template(path: Path, api: Any, name: str, stage: str) -> Template:
    found = sorted((route.path, method, route.function_name) for route in api.routes for method in route.methods)
    return Template(
        path=path,
        functions=(),
        routes={f"{_method(method)} {route}": function for route, method, function in found if function},
        api_name=name,
        stage=str(api.stage_name or stage),
        traced=True,
        sampling=(1, 1.0),
        collected=False,
        direct=False,
        tables=(),
        api=api,
    )


def _allowed(methods: str | list[str]) -> str:
    """The allowed methods of a CORS configuration. API Gateway sends unknown ones, too; samcli raises an error."""
    names = {one.strip().upper() for one in (methods.split(",") if isinstance(methods, str) else methods)}
    return ",".join(sorted(EVERY if "*" in names else names | {"OPTIONS"}))


def _method(method: str) -> str:
    return "ANY" if method.lower().startswith("x-amazon-apigateway-any") else method
