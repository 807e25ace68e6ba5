"""Lets ministack's API Gateway call AWS services without a function; `ministack_main` imports this module as a script.

HTTP APIs have AWS service integrations (`SQS-SendMessage`), REST APIs have `AWS` integrations with mapping templates,
also of functions. ministack has neither, except for SQS.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
"""

import asyncio
import json
import os
import re
import uuid
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from xml.etree import ElementTree as ET

from ministack_mapping import MappingError, rendered

SUBTYPES = {"SQS": "sqs", "EventBridge": "events", "StepFunctions": "states", "Kinesis": "kinesis"}
BODY = re.compile(r"\$request\.body(?:\.(?P<path>.+))?$")
MAPPED = re.compile(r"(?:method\.request\.(header|querystring|path)|(context|stageVariables))\.(.+)$")
# Services of the JSON protocol: the prefix of X-Amz-Target, and the version of the protocol
TARGETS = {
    "events": ("AWSEvents", "1.1"),
    "states": ("AWSStepFunctions", "1.0"),
    "kinesis": ("Kinesis_20131202", "1.1"),
    "dynamodb": ("DynamoDB_20120810", "1.0"),
}
# Services of the query protocol, and the versions of their APIs.
QUERIES = {"sqs": "2012-11-05", "sns": "2010-03-31"}
FORM = "application/x-www-form-urlencoded"
# The header that tells the gateway why an integration failed
WHY = "x-lambda-latency-why"

Answer = tuple[int, dict[str, str], bytes]


def call_services() -> None:
    """Install the integrations in ministack."""
    from ministack.services import apigateway, apigateway_v1
    from ministack.services.cloudformation import provisioners

    to_function, custom = apigateway._invoke_lambda_proxy, apigateway_v1._invoke_lambda_custom_v1
    converted = provisioners._apigw_v2_integration_props

    def with_subtype(properties: Any) -> Any:
        return {**converted(properties), "integrationSubtype": properties.get("IntegrationSubtype", "")}

    async def http_api(integration: Any, *args: Any, **kwargs: Any) -> Any:
        if not integration.get("integrationSubtype"):
            return await to_function(integration, *args, **kwargs)
        return await asyncio.to_thread(first_class, integration, ApiRequest.of_http_api(*args, **kwargs))

    async def rest_api(integration: Any, *args: Any, **kwargs: Any) -> Any:
        uri = apigateway_v1._parse_service_integration_uri(integration.get("uri", ""))
        if uri is None:
            return await custom(integration, *args, **kwargs)
        return await asyncio.to_thread(service, integration, uri, ApiRequest.of_rest_api(*args, **kwargs))

    def template(text: str, body: str, params: Any, context: Any = None) -> Any:
        return rendered(text, body, {"querystring": params}, context or {}, {})

    provisioners._apigw_v2_integration_props = with_subtype
    apigateway._invoke_lambda_proxy = http_api
    apigateway_v1._invoke_lambda_custom_v1 = apigateway_v1._invoke_sqs_v1 = rest_api
    apigateway_v1._render_request_template_v1 = template


class ApiRequest:
    """A request to an API. `params` has its path, query and header parameters, as `$input.params()` has them."""

    def __init__(self, headers: Any, query: Any, path: Any, body: Any, context: Any, variables: Any) -> None:
        self.headers = {name.lower(): value for name, value in (headers or {}).items() if isinstance(value, str)}
        single = {name: value[-1] if isinstance(value, list) else value for name, value in (query or {}).items()}
        titled = {name.title(): value for name, value in self.headers.items()}
        self.params = {"path": path or {}, "querystring": single, "header": titled}
        self.body = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
        # Templates set these (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html)
        overrides: dict[str, Any] = {
            "requestOverride": {"header": {}, "querystring": {}, "path": {}},
            "responseOverride": {"header": {}},
        }
        self.context = {"requestId": str(uuid.uuid4()), **overrides, **context}
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
    ) -> "ApiRequest":
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
    ) -> "ApiRequest":
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


def first_class(integration: Any, request: ApiRequest) -> Answer:
    """Call the service of an HTTP API's integration. The answer is the service's."""
    prefix, _, action = integration["integrationSubtype"].partition("-")
    name = SUBTYPES.get(prefix, "")
    declared = (integration.get("requestParameters") or {}).items()
    params = {key: value for key, source in declared if (value := mapped(source, request)) is not None}
    params.pop("Region", None)
    try:
        if name == "sqs":
            return called(name, "POST", "/", query_form(action, params), {"Content-Type": FORM}, "")
        trace = params.pop("TraceHeader", "")
        if name == "events":
            if "Resources" in params:
                params["Resources"] = json.loads(params["Resources"])
            params = {"Entries": [params]}
        elif name == "states":
            params = {key[0].lower() + key[1:]: value for key, value in params.items()}
        return called(name, "POST", "/", json.dumps(params), target(name, action), trace)
    except (ValueError, AttributeError) as error:
        return failed(f"a parameter is not JSON: {error}")


def mapped(value: Any, request: ApiRequest) -> Any:
    """Return the value of a request parameter of an HTTP API's integration; None if the request does not have it."""
    from ministack.services import apigateway

    in_body = BODY.match(str(value))
    if in_body is None:
        return apigateway._resolve_mapping_value(
            value,
            request_headers=request.headers,
            request_query=request.params["querystring"],
            path_params=request.params["path"],
            context_vars=request.context,
            stage_vars=request.variables,
        )
    if not in_body["path"]:
        return request.body
    try:
        node: Any = json.loads(request.body)
        for part in in_body["path"].split("."):
            node = node[part]
    except (ValueError, KeyError, TypeError):
        return None
    return node if isinstance(node, str) else json.dumps(node)


def service(integration: Any, uri: Any, request: ApiRequest) -> Answer:
    """Call the service of a REST API's integration, and map its answer by the integration's responses."""
    from ministack.services import apigateway_v1

    _, name, verb, path_or_action = uri
    try:
        body = templated(integration, request)
        headers, query, values = parameters(integration, request)
        if verb == "action":
            method, path = "POST", "/"
            body, headers, query = action_call(name, path_or_action, body, headers, query)
        else:
            method = integration.get("httpMethod") or "POST"
            path = "/" + quote(filled(path_or_action, values).lstrip("/"), safe="/%+~")
        address = f"{path}?{urlencode(query)}" if query else path
        status, answered, payload = called(name, method, address, body, headers, request.trace)
        text = payload.decode(errors="replace")
        # API Gateway gets these services' answers in JSON.
        if name in QUERIES and "xml" in answered["Content-Type"]:
            text = json.dumps(unmarked(text), separators=(",", ":"))
        outcome = error_of(text) if name == "lambda" else status
        accepted = request.headers.get("accept", "").split(",")[0].split(";")[0].strip().lower()
        status, answered, payload = apigateway_v1._service_integration_response(
            integration, outcome, text, accepted, request.params["querystring"], request.context
        )
        override = request.context["responseOverride"]
        return int(override.get("status", status)), {**answered, **override["header"]}, payload
    except MappingError as error:
        return failed(f"the mapping template: {error}")


def action_call(name: str, action: str, body: str, headers: dict[str, str], query: dict[str, str]) -> Any:
    """Return the body, the headers and the query of an action's call, by the service's protocol."""
    if name in QUERIES:
        form = dict(parse_qsl(body, keep_blank_values=True)) if "=" in body else {}
        form = {"Action": action, "Version": QUERIES[name], **query, **form}
        return urlencode(form), {**headers, "Content-Type": FORM}, {}
    return body, {**target(name, action), **headers} if name in TARGETS else headers, query


def error_of(text: str) -> str:
    """Return the message of a function's error, which selects the integration's response; empty for another answer."""
    try:
        answer = json.loads(text)
    except ValueError:
        return ""
    return str(answer.get("errorMessage", "")) if isinstance(answer, dict) else ""


def templated(integration: Any, request: ApiRequest) -> str:
    """Return the body of the call: the request's, through the template of its content type."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    for key, template in (integration.get("requestTemplates") or {}).items():
        if key.partition(";")[0].strip().lower() == kind:
            return str(rendered(template, request.body, request.params, request.context, request.variables))
    return request.body


def parameters(integration: Any, request: ApiRequest) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return the headers, the query and the values in the path that an integration's request parameters set, or that
    its template has overridden.
    """
    by_kind: dict[str, dict[str, str]] = {"header": {}, "querystring": {}, "path": {}}
    for place, source in (integration.get("requestParameters") or {}).items():
        _, _, where = place.partition("integration.request.")
        kind, _, name = where.partition(".")
        value = parameter(str(source), request)
        if kind in by_kind and value is not None:
            by_kind[kind][name] = value
    for kind, override in request.context["requestOverride"].items():
        by_kind[kind] |= {name: str(value) for name, value in override.items()}
    return by_kind["header"], by_kind["querystring"], by_kind["path"]


def parameter(source: str, request: ApiRequest) -> str | None:
    """The value of `'text'`, `method.request.header.NAME`, `context.NAME` and the like; None if there is none."""
    if len(source) > 1 and source[0] == source[-1] == "'":
        return source[1:-1]
    if source == "method.request.body":
        return request.body
    match = MAPPED.match(source)
    if match is None:
        return None
    kind, scope, name = match.groups()
    if kind == "header":
        return request.headers.get(name.lower())
    node: Any = request.context if scope == "context" else request.variables
    node = request.params[kind] if kind else node
    for key in [name] if kind else name.split("."):
        node = node.get(key) if isinstance(node, dict) else None
    return None if node is None else str(node)


def filled(path: str, values: dict[str, str]) -> str:
    """Return a path with its `{names}` replaced."""
    return re.sub(r"\{([^}]+)\}", lambda match: values.get(match[1], match[0]), path)


def query_form(action: str, params: Any) -> str:
    """Return a call of SQS as a form. Attributes are given in JSON."""
    form = {"Action": action, "Version": QUERIES["sqs"]}
    for key, value in params.items():
        if key in ("MessageAttributes", "MessageSystemAttributes"):
            for number, (name, attribute) in enumerate(json.loads(value).items(), 1):
                start = f"{key[:-1]}.{number}"
                form[f"{start}.Name"] = name
                form |= {f"{start}.Value.{kind}": text for kind, text in attribute.items()}
        else:
            form[key] = value
    return urlencode(form)


def target(service: str, action: str) -> dict[str, str]:
    """Return the headers of a call in the JSON protocol."""
    prefix, version = TARGETS[service]
    return {"X-Amz-Target": f"{prefix}.{action}", "Content-Type": f"application/x-amz-json-{version}"}


def called(service: str, method: str, path: str, body: str, headers: dict[str, str], trace: str) -> Answer:
    """Call a service of this process. `trace` is the tracing header, or empty."""
    day = f"20260101/{os.environ['MINISTACK_REGION']}"  # the name in the credential selects the service
    signed = f"AWS4-HMAC-SHA256 Credential=local/{day}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    sent = {"Authorization": signed, "Content-Type": "application/json", **headers}
    trace = system_attribute(body) or trace
    sent |= {"X-Amzn-Trace-Id": trace} if trace else {}
    connection = HTTPConnection("127.0.0.1", int(os.environ["GATEWAY_PORT"]), timeout=60)
    try:
        connection.request(method, path, body.encode(), sent)
        answer = connection.getresponse()
        return answer.status, {"Content-Type": answer.getheader("Content-Type") or "text/plain"}, answer.read()
    except (OSError, HTTPException) as error:
        return failed(f"{service} does not answer: {error!r}")
    finally:
        connection.close()


def system_attribute(body: str) -> str:
    """Return the tracing header in the form of a message for SQS, which ministack does not read; empty without one."""
    if "MessageSystemAttribute." not in body:
        return ""
    form = dict(parse_qsl(body))
    name = next((key for key, value in form.items() if value == "AWSTraceHeader"), "")
    return form.get(name.replace(".Name", ".Value.StringValue"), "")


def failed(why: str) -> Answer:
    """API Gateway's answer to an integration that fails."""
    headers = {"Content-Type": "application/json", WHY: " ".join(why.split())}
    return 500, headers, b'{"message": "Internal server error"}'


def unmarked(text: str) -> Any:
    """XML as API Gateway writes it in JSON: elements by name, without namespaces."""
    root = ET.fromstring(text)  # noqa: S314 - ministack's own answer
    return {name_of(root): content(root)}


def content(element: Any) -> Any:
    """Return the content of an element: its text, or its children by name."""
    children: dict[str, Any] = {}
    for child in element:
        children[name_of(child)] = content(child)
    return children or element.text


def name_of(element: Any) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]
