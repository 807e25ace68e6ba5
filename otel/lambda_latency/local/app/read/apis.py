"""The app's APIs as samcli reads them, its function URLs as APIs with one route, and what is not served."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.definitions import (
    HTTP,
    REST,
    Fields,
    RouteExample,
    integrated,
    mapping,
    mappings,
    of_type,
    properties,
    readable,
    without,
)
from lambda_latency.local.app.read.inclusion import CHILDREN
from lambda_latency.local.cloud.service_routes import Direct
from lambda_latency.local.gateway.contract import Contract, check, of_route
from lambda_latency.local.gateway.sam import STACK, SamTemplate
from lambda_latency.local.gateway.tokens import TokenGuard, authorize

# The methods to which samcli expands `ANY`.
EVERY = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
TYPES, FUNCTION = ("AWS::Serverless::Api", "AWS::Serverless::HttpApi"), "AWS::Serverless::Function"
PLAIN = ("AWS::ApiGateway::", "AWS::ApiGatewayV2::")  # the types of CloudFormation's own APIs begin so
# The types of events of APIs: the property with the API, and the logical id of SAM's own API without it.
IMPLICIT = {"Api": ("RestApiId", "ServerlessRestApi"), "HttpApi": ("ApiId", "ServerlessHttpApi")}
# Targets to which the emulator delivers pipes, from a table's stream only.
PLAIN_FUNCTION = "AWS::Lambda::Function"
TARGETS = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")


@dataclass(frozen=True, slots=True)
class Api:
    """An API. `template` is for the gateway and maps routes to logical ids of functions; `guards` require a token,
    `contracts` other parts of a request; `direct` are routes without a function; `samples` are examples of its
    definition. `only` are the logical ids of its resources, empty for all of its template's but those `without` it.
    """

    template: SamTemplate
    is_http: bool
    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    guards: Mapping[str, TokenGuard] = field(default_factory=dict)
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    direct: tuple[Direct, ...] = ()
    samples: Mapping[str, RouteExample] = field(default_factory=dict)

    def owns(self, name: str) -> bool:
        """Return whether a resource of its template, by its logical id, may be a part of it."""
        return name in self.only if self.only else name not in self.without

    def guard(self, route: str) -> TokenGuard | None:
        """Return the guard of a route, or of the route `ANY` of its path; None if the route is open."""
        return of_route(self.guards, route)

    def sample(self, route: str) -> RouteExample:
        """Return the sample of a route, or of the route `ANY` of its path; an empty one without examples."""
        return of_route(self.samples, route) or RouteExample()

    def refusal(self, event: dict[str, Any], route: str) -> str | None:
        """Return the response for a refused request; else None, with the caller added to the event."""
        return authorize(self.guards, event, route) or check(self.contracts, event, route)

    def contract(self, route: str) -> Contract:
        """What a request of a route needs."""
        return of_route(self.contracts, route) or Contract(self.is_http)

    def shown(self) -> Iterator[str]:
        """Yield the routes without preflight requests (OPTIONS); an `ANY` route once."""
        for route in self.template.routes:
            method, _, path = route.partition(" ")
            if self.shown_as(route) == route and (method != "OPTIONS" or self._methods(path) == {method}):
                yield route
        yield from (direct.route for direct in self.direct)

    def shown_as(self, route: str) -> str:
        """Return the route itself; for one of an `ANY` route, the one for GET."""
        path = route.partition(" ")[2]
        return f"GET {path}" if self._methods(path) >= EVERY else route

    def _methods(self, path: str) -> set[str]:
        return {method for method in EVERY if f"{method} {path}" in self.template.routes}


@dataclass(frozen=True, slots=True)
class ApiReader:
    """Reads the APIs of a packaged template, `raw`, with samcli. `direct` are the routes that call no function."""

    path: Path
    raw: Fields
    values: Mapping[str, str]
    name: str
    direct: Collection[str]
    authorizers: bool
    notes: list[str] = field(default_factory=list)  # the routes that samcli cannot read

    def read(self) -> list[Api | str]:
        """The APIs that have a route besides the direct ones; an error message for those that samcli cannot read.

        SAM's APIs are merged into one, unless two of them have the same route; so are CloudFormation's own APIs. samcli
        reads only the kind that comes first in a template.
        """
        return [*self._read(readable(self.raw["Resources"])), *self.notes]

    def _read(self, all_resources: Fields) -> list[Api | str]:
        resources = _served(all_resources)
        plain = frozenset(key for key, r in resources.items() if str(r.get("Type")).startswith(PLAIN))
        sams = {key: _with_events(r, lambda api: api not in plain) for key, r in resources.items() if key not in plain}
        sam_apis = self.sams(sams)
        if not any(of_type(resources, REST, HTTP)):
            return sam_apis
        plain_api = self.api(_without_sam(resources))
        if not sam_apis:
            return [] if plain_api is None else [plain_api]
        apis = [replace(api, without=plain) if isinstance(api, Api) else api for api in sam_apis]
        if plain_api is not None:
            apis.append(replace(plain_api, only=plain) if isinstance(plain_api, Api) else plain_api)
        return apis

    def sams(self, resources: Fields) -> list[Api | str]:
        """SAM's APIs, merged into one, unless two of them have the same route."""
        merged = self.api(resources)
        if merged is None or isinstance(merged, str):
            return [merged] if merged else []
        keys = _referred_apis(resources)
        if len(keys) < 2:
            return [merged]
        apis = {key: self.api(_of_one_api(resources, key)) for key in keys}
        separate = [replace(api, only=frozenset((key,))) for key, api in apis.items() if isinstance(api, Api)]
        routes = [route for api in separate for route in api.template.routes if not route.startswith("OPTIONS ")]
        return [*separate] if len({*routes}) < len(routes) else [merged]

    def api(self, resources: Fields) -> Api | str | None:
        """Return all APIs, merged into one; None without a route; an error message if samcli fails.

        If samcli fails because of some operations of a definition, those are left out, with a note for each.
        """
        api, why = self._attempt(resources)
        if why is None:
            return api
        routes = integrated(resources)
        failing = {}
        for key in sorted(routes):
            _, reason = self._attempt(without(resources, routes.keys() - {key}))
            if reason:
                failing[key] = f"{routes[key]} is not served here: {reason}"
        if 0 < len(failing) < len(routes):
            self.notes.extend(line for line in failing.values() if line not in self.notes)
            return self.api(without(resources, failing.keys()))
        return f"{self.path}: its APIs cannot be read: {why}"

    def _attempt(self, resources: Fields) -> tuple[Api | None, str | None]:
        """Return the API, and the message of samcli's error; None if it can read these APIs."""
        try:
            return self._api(resources), None
        except Exception as error:  # noqa: BLE001 - samcli raises many types of errors for invalid templates
            return None, str(error)

    def _api(self, resources: Fields) -> Api | None:
        if not resources:
            return None
        api = self._read_by_samcli(resources)
        if not api.routes:
            return None
        names = [declared.get("Name") for _, declared in of_type(resources, *TYPES)]
        title = next((name for name in names if isinstance(name, str)), self.name)
        is_http = all(route.event_type == "HttpApi" for route in api.routes)
        return Api(_template(self.path, api, title, "$default" if is_http else "Prod"), is_http)

    def _read_by_samcli(self, resources: Fields) -> Any:
        """Return samcli's API of these resources, without the direct routes; samcli's output is suppressed."""
        from samcli.lib.providers.api_provider import ApiProvider
        from samcli.lib.providers.cfn_base_api_provider import CfnBaseApiProvider
        from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

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
        return api


def _served(all_resources: Fields) -> dict[str, Any]:
    """Return the resources without nested templates and without WebSocket APIs."""
    sockets = web_sockets(all_resources)
    resources = {}
    for key, resource in all_resources.items():
        api = str(mapping(properties(resource).get("ApiId")).get("Ref", ""))  # of a route, an integration or a stage
        if resource.get("Type") not in CHILDREN and sockets.isdisjoint((key, api)):
            resources[key] = resource
    return resources


def _without_sam(resources: Fields) -> dict[str, Any]:
    """The resources without SAM's APIs, and with SAM's functions as plain ones, whose events samcli does not read."""
    plain = {key: resource for key, resource in resources.items() if resource.get("Type") not in TYPES}
    for key, _ in of_type(plain, FUNCTION):
        plain[key] = {**plain[key], "Type": PLAIN_FUNCTION}
    return plain


def _referred_apis(resources: Fields) -> list[str]:
    """The logical ids of SAM's APIs: first of those that SAM makes for events without one, then in their order."""
    named = {_api_of(event) for resource in resources.values() for event in _events(resource).values()}
    keys = {key for key, _ in of_type(resources, *TYPES)} | named - {""}
    return [*sorted(keys - resources.keys()), *(key for key in resources if key in keys)]


def _of_one_api(resources: Fields, key: str) -> dict[str, Any]:
    """Return the resources without other APIs, and without the events of other APIs."""
    return {
        name: _with_events(resource, lambda api: api in ("", key))
        for name, resource in resources.items()
        if resource.get("Type") not in TYPES or name == key
    }


def _with_events(resource: Any, is_retained: Callable[[str], bool]) -> Any:
    """Return a resource without a function's events of APIs that are not retained."""
    events = _events(resource)
    retained = {title: event for title, event in events.items() if is_retained(_api_of(event))}
    if len(retained) == len(events):
        return resource
    return {**resource, "Properties": {**resource["Properties"], "Events": retained}}


def _events(resource: Fields) -> Fields:
    return mapping(properties(resource).get("Events")) if resource.get("Type") == FUNCTION else {}


def _api_of(event: Any) -> str:
    """Return the logical id of the API of a function's event; empty for other events."""
    kind = mapping(event).get("Type")
    if kind not in IMPLICIT:
        return ""
    key, implicit = IMPLICIT[kind]
    named = properties(event).get(key) or implicit
    return str(named.get("Ref", implicit)) if isinstance(named, dict) else str(named)


def empty_api(path: Path, name: str, *, is_http: bool) -> Api:
    """Return an API without a route to a function."""
    from samcli.lib.providers.provider import Api as Routes

    return Api(_template(path, Routes([]), name, "$default" if is_http else "Prod"), is_http)


def function_url(path: Path, function: str, name: str, *, signed: bool) -> Api:
    """Return a function URL as an API that sends every path and method to one function."""
    from samcli.lib.providers.provider import Api as Routes
    from samcli.local.apigw.route import Route

    catch_all = {"path": "$default", "methods": ["ANY"], "payload_format_version": "2.0"}
    api = Routes([Route(function_name=function, event_type=Route.HTTP, **catch_all)])
    api.stage_name = "$default"
    contracts = {"ANY $default": Contract(is_http=True, signed=True)} if signed else {}
    return Api(_template(path, api, name, "$default"), is_http=True, contracts=contracts)


def _template(path: Path, api: Any, name: str, stage: str) -> SamTemplate:
    operations = sorted((r.path, method, r.function_name) for r in api.routes for method in r.methods)
    routes = {}
    for path_of_route, method, function in operations:
        if function:
            is_any = method.lower().startswith("x-amazon-apigateway-any")
            routes[f"{'ANY' if is_any else method} {path_of_route}"] = function
    return SamTemplate(
        path=path,
        routes=routes,
        api_name=name,
        stage=str(api.stage_name or stage),
        api=api,
    )


def _allowed(methods: str | list[str]) -> str:
    """The allowed methods of a CORS configuration. API Gateway sends unknown ones, too; samcli raises an error."""
    written = methods.split(",") if isinstance(methods, str) else methods
    names = {name.strip().upper() for name in written}
    return ",".join(sorted(EVERY if "*" in names else names | {"OPTIONS"}))


def unserved(plain: Fields, prefix: str) -> Iterator[str]:
    """Yield a line for each WebSocket API, pipe and file system of a translated template; `prefix` begins the keys."""
    resources = plain["Resources"]
    for key in sorted(web_sockets(resources)):
        yield f"{prefix}{key} is a WebSocket API, which is not served here; lambda-latency invoke calls its functions"
    for key, declared in of_type(resources, "AWS::Pipes::Pipe", PLAIN_FUNCTION):
        if resources[key]["Type"] != PLAIN_FUNCTION and not _is_delivered(declared, resources):
            yield f"{prefix}{key} is a pipe, which delivers nothing here; lambda-latency invoke calls its functions"
        for mount in mappings(declared.get("FileSystemConfigs")):
            where = mount.get("LocalMountPath")
            yield f"{prefix}{key}: its file system is not mounted here; {where} is a folder of this machine"


def web_sockets(resources: Fields) -> set[str]:
    """Return the logical ids of WebSocket APIs, which the gateway does not serve and samcli does not read."""
    return {key for key, api in of_type(resources, HTTP) if api.get("ProtocolType") == "WEBSOCKET"}


def _is_delivered(pipe: Fields, resources: Fields) -> bool:
    target = json.dumps(pipe.get("Target"), default=str)
    reached = (r.get("Type") for key, r in resources.items() if f'"{key}"' in target)
    return "StreamArn" in json.dumps(pipe.get("Source"), default=str) and any(kind in TARGETS for kind in reached)
