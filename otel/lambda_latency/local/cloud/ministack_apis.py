"""Lets ministack's API Gateway call AWS services without a function; `ministack_main` imports this module as a script.

HTTP APIs have AWS service integrations (`SQS-SendMessage`), REST APIs have `AWS` integrations with mapping templates,
also of functions. ministack has neither, except for SQS, and reads no mapping templates from a definition.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
"""

import asyncio
import json
import re
import uuid
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from ministack_calls import FORM, QUERIES, TARGETS, Answer, called, failed, query_form, target, unmarked
from ministack_mapping import MappingError, rendered

SUBTYPES = {"SQS": "sqs", "EventBridge": "events", "StepFunctions": "states", "Kinesis": "kinesis"}
BODY = re.compile(r"\$request\.body(?:\.(?P<path>.+))?$")
MAPPED = re.compile(r"(?:method\.request\.(header|querystring|path)|(context|stageVariables))\.(.+)$")
INTEGRATION = "x-amazon-apigateway-integration"
KEPT = ("requestParameters", "requestTemplates", "passthroughBehavior")  # of a definition; ministack drops them


def call_services() -> None:
    """Install the integrations in ministack."""
    from ministack.services import apigateway, apigateway_v1
    from ministack.services.cloudformation import provisioners

    to_function, custom = apigateway._invoke_lambda_proxy, apigateway_v1._invoke_lambda_custom_v1
    properties = provisioners._apigw_v2_integration_props

    def kept(given: Any) -> Any:
        return {**properties(given), "integrationSubtype": given.get("IntegrationSubtype", "")}

    async def http_api(integration: Any, *args: Any, **kwargs: Any) -> Any:
        if not integration.get("integrationSubtype"):
            return await to_function(integration, *args, **kwargs)
        return await asyncio.to_thread(first_class, integration, Request.of_http_api(*args, **kwargs))

    async def rest_api(integration: Any, *args: Any, **kwargs: Any) -> Any:
        uri = apigateway_v1._parse_service_integration_uri(integration.get("uri", ""))
        if uri is None:
            return await custom(integration, *args, **kwargs)
        return await asyncio.to_thread(service, integration, uri, Request.of_rest_api(*args, **kwargs))

    def template(text: str, body: str, params: Any, context: Any = None) -> Any:
        return rendered(text, body, {"querystring": params}, context or {}, {})

    import_operation = apigateway_v1._import_operation

    def imported(api_id: str, resource_id: str, method: str, operation: Any, *args: Any) -> None:
        import_operation(api_id, resource_id, method, operation, *args)
        given = (operation or {}).get(INTEGRATION) or {}
        made = apigateway_v1._resources[api_id][resource_id]["resourceMethods"][method].get("methodIntegration")
        if made is not None:
            made |= {key: given[key] for key in KEPT if key in given}
            made["integrationResponses"] = responses(given)

    authorize = apigateway_v1._authorize_request_v1

    async def authorized(*args: Any) -> Any:
        *first, headers = args[:7]
        return await authorize(*first, titled(headers), *args[7:])

    apigateway_v1._import_operation = imported
    apigateway_v1._authorize_request_v1 = authorized
    provisioners._apigw_v2_integration_props = kept
    apigateway._invoke_lambda_proxy = http_api
    apigateway_v1._invoke_lambda_custom_v1 = apigateway_v1._invoke_sqs_v1 = rest_api
    apigateway_v1._render_request_template_v1 = template


def responses(integration: Any) -> dict[str, Any]:
    """The responses of a definition's integration, as ministack has them; the patterns of statuses are the keys."""
    return {
        pattern: {
            "statusCode": str(one.get("statusCode", "200")),
            "selectionPattern": "" if pattern == "default" else pattern,
            "responseParameters": one.get("responseParameters") or {},
            "responseTemplates": one.get("responseTemplates") or {},
        }
        for pattern, one in (integration.get("responses") or {}).items()
    }


def titled(headers: Any) -> dict[str, Any]:
    """Headers by the names that most clients write, as a REST API has them; ministack has them in lower case."""
    return {name.title(): value for name, value in (headers or {}).items()}


class Request:
    """A request to an API. `params` has its path, query and header parameters, as `$input.params()` has them."""

    def __init__(self, headers: Any, query: Any, path: Any, body: Any, context: Any, variables: Any) -> None:
        self.headers = {name.lower(): value for name, value in (headers or {}).items() if isinstance(value, str)}
        one = {name: value[-1] if isinstance(value, list) else value for name, value in (query or {}).items()}
        self.params = {"path": path or {}, "querystring": one, "header": titled(self.headers)}
        self.body = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
        self.context = {"requestId": str(uuid.uuid4()), **context}
        self.variables = variables or {}
        self.trace = self.headers.get("x-amzn-trace-id", "")

    @classmethod
    def of_http_api(
        cls,
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: Any,
        body: Any,
        query: Any,
        route_key: str,
        path_params: Any,
        **more: Any,
    ) -> "Request":
        """From the arguments of ministack's proxy to a function of an HTTP API."""
        from ministack.services import apigateway

        authorizer = {
            "authorizer.jwt.claims": more.get("authorizer_claims") or {},
            "authorizer.lambda": more.get("authorizer_lambda_context") or {},
        }
        context = {"apiId": api_id, "stage": stage, "path": path, "httpMethod": method, "routeKey": route_key}
        variables = apigateway._get_stage_variables(api_id, stage)
        return cls(headers, query, path_params, body, {**context, **authorizer}, variables)

    @classmethod
    def of_rest_api(
        cls,
        api_id: str,
        stage_name: str,
        stage: Any,
        resource: Any,
        path: str,
        method: str,
        headers: Any,
        body: Any,
        query: Any,
        path_params: Any,
        **more: Any,
    ) -> "Request":
        """From the arguments of ministack's integrations of a REST API."""
        agent = (headers or {}).get("user-agent", "")
        context = {
            "apiId": api_id,
            "stage": stage_name,
            "path": path,
            "resourcePath": resource.get("path", ""),
            "httpMethod": method,
            "accountId": more.get("owner_account_id") or "",
            "identity": {"sourceIp": "127.0.0.1", "userAgent": agent},
            "authorizer": more.get("authorizer_context") or {},
        }
        return cls(headers, query, path_params, body, context, (stage or {}).get("variables"))


def first_class(integration: Any, request: Request) -> Answer:
    """Call the service of an HTTP API's integration. The answer is the service's."""
    prefix, _, action = integration["integrationSubtype"].partition("-")
    name = SUBTYPES.get(prefix, "")
    given = {key: mapped(value, request) for key, value in (integration.get("requestParameters") or {}).items()}
    params = {key: value for key, value in given.items() if value is not None and key != "Region"}
    try:
        if name == "sqs":
            return called(name, "POST", "/", query_form(action, params), {"Content-Type": FORM}, "")
        trace = params.pop("TraceHeader", "")
        if name == "events":
            listed = {"Resources": json.loads(params["Resources"])} if "Resources" in params else {}
            params = {"Entries": [{**params, **listed}]}
        elif name == "states":
            params = {key[0].lower() + key[1:]: value for key, value in params.items()}
        return called(name, "POST", "/", json.dumps(params), target(name, action), trace)
    except (ValueError, AttributeError) as error:
        return failed(f"a parameter is not JSON: {error}")


def mapped(value: Any, request: Request) -> Any:
    """The value of a request parameter of an HTTP API's integration; None if the request does not have it."""
    from ministack.services import apigateway

    found = BODY.match(str(value))
    if found is None:
        return apigateway._resolve_mapping_value(
            value,
            request_headers=request.headers,
            request_query=request.params["querystring"],
            path_params=request.params["path"],
            context_vars=request.context,
            stage_vars=request.variables,
        )
    if not found["path"]:
        return request.body
    try:
        node: Any = json.loads(request.body)
        for part in found["path"].split("."):
            node = node[part]
    except (ValueError, KeyError, TypeError):
        return None
    return node if isinstance(node, str) else json.dumps(node)


def service(integration: Any, uri: Any, request: Request) -> Answer:
    """Call the service of a REST API's integration, and map its answer by the integration's responses."""
    from ministack.services import apigateway_v1

    _, name, verb, rest = uri
    try:
        body = templated(integration, request)
        headers, query, values = parameters(integration, request)
        if verb == "action" and name in QUERIES:
            form = dict(parse_qsl(body, keep_blank_values=True)) if "=" in body else {}
            form = {"Action": rest, "Version": QUERIES[name], **query, **form}
            method, path, query, body = "POST", "/", {}, urlencode(form)
            headers["Content-Type"] = FORM
        elif verb == "action":
            method, path = "POST", "/"
            headers = {**target(name, rest), **headers} if name in TARGETS else headers
        else:
            method = integration.get("httpMethod") or "POST"
            path = "/" + quote(filled(rest, values).lstrip("/"), safe="/%+~")
        where = f"{path}?{urlencode(query)}" if query else path
        status, answered, payload = called(name, method, where, body, headers, request.trace)
        text = payload.decode(errors="replace")
        if name in QUERIES and "xml" in answered["Content-Type"]:  # API Gateway gets these services' answers in JSON
            text = json.dumps(unmarked(text), separators=(",", ":"))
        outcome = error_of(text) if name == "lambda" else status
        accepted = request.headers.get("accept", "").split(",")[0].split(";")[0].strip().lower()
        found: Answer = apigateway_v1._service_integration_response(
            integration, outcome, text, accepted, request.params["querystring"], request.context
        )
        return found
    except MappingError as error:
        return failed(f"the mapping template: {error}")


def error_of(text: str) -> str:
    """The message of a function's error, which selects the integration's response; empty for another answer."""
    try:
        answer = json.loads(text)
    except ValueError:
        return ""
    return str(answer.get("errorMessage", "")) if isinstance(answer, dict) else ""


def templated(integration: Any, request: Request) -> str:
    """The body of the call: the request's, through the template of its content type."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    for key, template in (integration.get("requestTemplates") or {}).items():
        if key.partition(";")[0].strip().lower() == kind:
            return str(rendered(template, request.body, request.params, request.context, request.variables))
    return request.body


def parameters(integration: Any, request: Request) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The headers, the query and the values in the path that an integration's request parameters set."""
    made: dict[str, dict[str, str]] = {"header": {}, "querystring": {}, "path": {}}
    for place, source in (integration.get("requestParameters") or {}).items():
        _, _, where = place.partition("integration.request.")
        kind, _, name = where.partition(".")
        value = parameter(str(source), request)
        if kind in made and value is not None:
            made[kind][name] = value
    return made["header"], made["querystring"], made["path"]


def parameter(source: str, request: Request) -> str | None:
    """The value of `'text'`, `method.request.header.NAME`, `context.NAME` and the like; None if there is none."""
    if len(source) > 1 and source[0] == source[-1] == "'":
        return source[1:-1]
    if source == "method.request.body":
        return request.body
    found = MAPPED.match(source)
    if found is None:
        return None
    kind, other, name = found.groups()
    if kind == "header":
        return request.headers.get(name.lower())
    node: Any = request.params[kind] if kind else request.context if other == "context" else request.variables
    for part in [name] if kind else name.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return None if node is None else str(node)


def filled(path: str, values: dict[str, str]) -> str:
    """A path with its `{names}` replaced."""
    return re.sub(r"\{([^}]+)\}", lambda found: values.get(found[1], found[0]), path)
