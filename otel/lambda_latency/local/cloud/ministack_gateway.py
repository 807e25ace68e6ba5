"""Lets ministack's gateway answer the requests that the kit's fronts forward; `ministack_main` imports this script.

A forwarded request has the header `x-lambda-latency-target`: `rest/API/STAGE`, `http/API/STAGE`, `url/ID/` or
`alb/NAME/`. Its answer has `x-lambda-latency-route` and, once a function of the route was called,
`x-lambda-latency-reached`. Each function of `PATCHES` closes one gap of ministack 1.5.33, which its docstring names; it
can go when ministack has closed that itself.
"""

import asyncio
import contextvars
import json
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ministack_events import ForwardedRequest, completed, is_authorizer_event, is_proxy_answer, source_ip

TARGET = b"x-lambda-latency-target"
ROUTE, REACHED = "x-lambda-latency-route", "x-lambda-latency-reached"
REQUEST_ID = "x-amzn-requestid"
FAILED = 599  # the relay's status for a function that failed
JSON = {"Content-Type": "application/json"}
# The answers for a function that failed. A REST API has gateway responses for it.
FAILURES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "http": (500, JSON, b'{"message":"Internal Server Error"}'),
    "url": (502, JSON, b'{"message":"Internal Server Error"}'),
    "alb": (502, {"Content-Type": "text/html"}, b"<html><body><h1>502 Bad Gateway</h1></body></html>"),
}
UNAUTHORIZED = {"errorMessage": "Unauthorized"}  # the error of an authorizer that gives status 401
MOST_THREADS = 1000  # as many as invocations; each may call ministack again
ESCAPED_SLASH = re.compile("%2f", re.IGNORECASE)

current: contextvars.ContextVar[Any] = contextvars.ContextVar("forwarded request", default=None)
connections = threading.local()


def install(app: Any) -> None:
    """Install all patches in ministack."""
    for patch in PATCHES:
        patch()
    serve_forwarded(app)


def serve_forwarded(app: Any) -> None:
    """Answer a forwarded request, past ministack's search for the service that a request is meant for."""
    serve = app.app

    async def served(scope: Any, receive: Any, send: Any) -> None:
        targets = [value for name, value in scope.get("headers", ()) if name == TARGET]
        if scope["type"] != "http" or not targets:
            await serve(scope, receive, send)
            return
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            if name != TARGET:
                headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        (request_id,) = headers.pop(REQUEST_ID)
        headers.pop("content-length", None)
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        request = ForwardedRequest(targets[0].decode(), request_id, scope["method"], path, headers)
        current.set(request)
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        status, answered, content = await response(request, body, scope["query_string"].decode())
        answered = {**answered, ROUTE: request.route, **({REACHED: "1"} if request.is_reached else {})}
        await app._send_response(send, status, answered, content)

    app.app = served


async def response(request: ForwardedRequest, body: bytes, raw_query: str) -> Any:
    """Return the status, the headers and the body of the answer."""
    from ministack.services import alb, apigateway, apigateway_v1, lambda_svc

    query = parse_qs(raw_query, keep_blank_values=True)
    method, path, headers = request.method, unquote(request.path), request.joined()
    if request.kind == "rest":
        answer = await apigateway_v1.handle_execute(request.api, request.stage, method, path, headers, body, query)
        return (502, *answer[1:]) if request.is_failed and answer[0] == 500 else answer
    if request.kind == "http":
        path = apigateway.decode_http_api_path(request.path)
        answer = await apigateway.handle_execute(
            request.api, request.stage, path, method, headers, body, query, raw_query_string=raw_query
        )
    elif request.kind == "url":
        address = source_ip(request)
        answer = await lambda_svc.handle_function_url_request(
            request.api, method, path, headers, body, query, source_ip=address
        )
    else:
        balancer = alb._find_lb_by_name(request.api)
        answer = await alb.dispatch_request(
            balancer, method, request.path, headers, body, query, raw_query_string=raw_query
        )
    return FAILURES[request.kind] if request.is_failed else answer


def invoke_by_one_connection() -> None:
    """Each invocation opens a connection, and a failed one has the text "Proxy target returned HTTP 599"."""
    from ministack.services import lambda_svc

    def invoked(function: Any, event: Any, url: str, _: str) -> Any:
        trace = lambda_svc._xray_trace_id_for_invocation(function.get("config") or function)
        headers = {"Content-Type": "application/json", **({"X-Amzn-Trace-Id": trace} if trace else {})}
        request = current.get()
        if request is None:
            return answer_to(event, url, headers)
        headers[ROUTE] = request.route or f"{request.method} {request.path}"
        if is_authorizer_event(event):
            return answer_to(completed(event, request), url, headers)
        request.is_reached = True
        return checked(answer_to(completed(event, request), url, headers), request)

    lambda_svc._execute_function_proxy = invoked


def answer_to(event: Any, url: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return a function's answer to an event as ministack has it."""
    status, text = posted(url, json.dumps(event, ensure_ascii=False).encode(), headers)
    answer: dict[str, Any] = {"error": True} if status == FAILED else {}
    try:
        return {**answer, "body": json.loads(text)}
    except ValueError:
        return {**answer, "body": text.decode(errors="replace"), "raw_payload": True}


def posted(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Send a body over this thread's connection to the relay; returns the status and the body of the answer."""
    parts = urlsplit(url)
    connection = getattr(connections, "relay", None)
    if connection is None:
        connection = connections.relay = HTTPConnection(parts.netloc, timeout=900)
    try:
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except Exception as error:  # noqa: BLE001 - whatever it is, the invocation has failed
        connection.close()
        return FAILED, json.dumps({"errorType": "Sandbox.Unreached", "errorMessage": repr(error)}).encode()


def checked(answer: Any, request: ForwardedRequest) -> Any:
    """Return a function's answer, after a note in its request whether it has failed."""
    returned = answer["body"]
    needs_status = request.kind in ("rest", "alb") or request.is_format_1
    request.is_failed = bool(answer.get("error")) or not is_proxy_answer(returned, needs_status=needs_status)
    if request.is_format_1 and isinstance(returned, dict):  # it has several values of a header, and no cookies
        returned.pop("cookies", None)
        returned["headers"] = {**(returned.get("headers") or {}), **(returned.get("multiValueHeaders") or {})}
    return answer


def reuse_threads() -> None:
    """Each invocation starts a thread."""
    from ministack.services import alb, apigateway, apigateway_v1, lambda_svc

    pool = ThreadPoolExecutor(MOST_THREADS, "invocation")

    async def run(function: Any, *args: Any, **_: Any) -> Any:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(pool, partial(context.run, function, *args))

    for module in (alb, apigateway, apigateway_v1, lambda_svc):
        module.run_reentrant = run


def log_no_request() -> None:
    """Each invocation has lines in CloudWatch Logs and metrics, also for the sandbox's functions, whose lines are not
    among them.
    """
    from ministack.services import lambda_svc

    emit = lambda_svc._emit_lambda_logs

    def emitted(*args: Any, **kwargs: Any) -> None:
        if current.get() is None:
            emit(*args, **kwargs)

    lambda_svc._emit_lambda_logs = emitted


def choose_rest_routes() -> None:
    """A REST API's path is decoded before its resource is chosen (`%2F`), and an empty part of it is dropped (`//`)."""
    from ministack.services import apigateway_v1

    match, authorize = apigateway_v1._match_resource_tree, apigateway_v1._authorize_request_v1
    proxy = apigateway_v1._invoke_lambda_proxy_v1

    def matched(api: str, segments: Any) -> Any:
        request = current.get()
        if request is not None and segments:
            segments = [unquote(part) for part in request.path.strip("/").split("/")]
            if "//" in request.path.rstrip("/"):
                segments = [unquote(part) for part in request.path.split("/")[1:]]
        resource, params = match(api, segments)
        return (None, {}) if "" in params.values() else (resource, params)

    async def authorized(*args: Any) -> Any:
        request, method, resource = current.get(), args[2], args[5]
        if request is not None:
            request.route = f"{request.method} {resource['path']}"
            request.is_keyed = bool(method.get("apiKeyRequired"))
            request.is_signed = method.get("authorizationType") == "AWS_IAM"
        return await authorize(*args)

    async def proxied(*args: Any, **kwargs: Any) -> Any:
        answer = await proxy(*args, **kwargs)
        failed = current.get() is not None and current.get().is_failed
        return apigateway_v1._gw_error("DEFAULT_5XX", "Internal server error") if failed else answer

    apigateway_v1._match_resource_tree = matched
    apigateway_v1._authorize_request_v1 = authorized
    apigateway_v1._invoke_lambda_proxy_v1 = proxied


def choose_http_routes() -> None:
    """An HTTP API's path is decoded before its route is chosen (`%2F`); payload format 1.0 and stage variables are not
    sent.
    """
    from ministack.services import apigateway

    match, extract, proxy = apigateway._match_route, apigateway._extract_path_params, apigateway._invoke_lambda_proxy
    decode = apigateway.decode_http_api_path

    def matched(api: str, method: str, path: str) -> Any:
        route, request = match(api, method, path), current.get()
        if route is not None and request is not None:
            key = route.get("routeKey", "$default").rpartition(" ")[2]
            request.route = f"{method} {request.path if key == '$default' else key}"
            request.is_signed = route.get("authorizationType") == "AWS_IAM"
        return route

    def extracted(route_path: str, path: str) -> Any:
        request = current.get()
        if request is None or request.kind != "http":
            return extract(route_path, path)
        params = extract(route_path, decode(ESCAPED_SLASH.sub("\0", request.path)))
        return params and {name: value.replace("\0", "/") for name, value in params.items()}

    async def proxied(integration: Any, api: str, stage: str, *args: Any, **kwargs: Any) -> Any:
        request = current.get()
        if request is not None:
            request.is_format_1 = integration.get("payloadFormatVersion") == "1.0"
            request.variables = apigateway._get_stage_variables(api, stage)
        return await proxy(integration, api, stage, *args, **kwargs)

    apigateway._match_route, apigateway._extract_path_params = matched, extracted
    apigateway._invoke_lambda_proxy = proxied


def create_validators() -> None:
    """`AWS::ApiGateway::RequestValidator` makes nothing, `AWS::ApiGateway::Method` drops its RequestValidatorId, and of
    the responses of an integration with the same status only one is kept.
    """
    from ministack.services import apigateway_v1
    from ministack.services.cloudformation import provisioners

    create_method = provisioners._apigw_method_create

    def validator(logical_id: str, properties: Any, _: str) -> Any:
        declared = {
            "name": properties.get("Name") or logical_id,
            "validateRequestBody": str(properties.get("ValidateRequestBody")).lower() == "true",
            "validateRequestParameters": str(properties.get("ValidateRequestParameters")).lower() == "true",
        }
        made = json.loads(apigateway_v1._create_request_validator(properties["RestApiId"], declared)[2])
        return made["id"], {"RequestValidatorId": made["id"]}

    def method(logical_id: str, properties: Any, stack: str) -> Any:
        made = create_method(logical_id, properties, stack)
        resource = apigateway_v1._resources[properties["RestApiId"]][properties["ResourceId"]]
        declared = resource["resourceMethods"][properties.get("HttpMethod", "ANY")]
        declared["requestValidatorId"] = properties.get("RequestValidatorId")
        responses = (properties.get("Integration") or {}).get("IntegrationResponses") or []
        if responses:
            declared["methodIntegration"]["integrationResponses"] = {
                answer.get("SelectionPattern") or "default": integration_response(answer) for answer in responses
            }
        return made

    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RequestValidator"]["create"] = validator
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Method"]["create"] = method


def integration_response(declared: Any) -> dict[str, Any]:
    """Return a response of an integration as ministack has it."""
    return {
        "statusCode": str(declared.get("StatusCode", "200")),
        "selectionPattern": declared.get("SelectionPattern") or "",
        "responseParameters": declared.get("ResponseParameters") or {},
        "responseTemplates": declared.get("ResponseTemplates") or {},
    }


def convert_cors() -> None:
    """An HTTP API's `CorsConfiguration` of a template keeps CloudFormation's names, which the gateway ignores."""
    from ministack.services import apigateway
    from ministack.services.cloudformation import provisioners

    create = provisioners._apigw_v2_api_create

    def created(*args: Any) -> Any:
        made = create(*args)
        api = apigateway._apis[made[0]]
        configuration = api.get("corsConfiguration") or {}
        if configuration:
            api["corsConfiguration"] = {name[0].lower() + name[1:]: value for name, value in configuration.items()}
        return made

    provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]["create"] = created


def register_targets() -> None:
    """`AWS::ElasticLoadBalancingV2::TargetGroup` drops its Targets."""
    from ministack.services import alb
    from ministack.services.cloudformation import provisioners

    create = provisioners._elbv2_target_group_create

    def created(logical_id: str, properties: Any, stack: str) -> Any:
        made = create(logical_id, properties, stack)
        targets = properties.get("Targets") or ()
        alb.set_targets_for_group(made[0], [(target["Id"], target.get("Port")) for target in targets])
        return made

    provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::TargetGroup"]["create"] = created


def answer_for_absent_authorizers() -> None:
    """A Lambda authorizer of another stack is an error. Here it allows each request that has its identity sources, with
    the context of the variable LAMBDA_LATENCY_AUTHORIZER_CONTEXT.
    """
    from ministack.services import apigateway, apigateway_v1, lambda_svc

    ask_rest, ask_http = apigateway_v1._invoke_authorizer_lambda, apigateway._invoke_request_authorizer_lambda
    context = json.loads(os.environ.get("LAMBDA_LATENCY_AUTHORIZER_CONTEXT") or "{}")
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    allowed = {"isAuthorized": True, "principalId": "local", "policyDocument": policy, "context": context}

    def is_absent(authorizer: Any, account: str, region: str) -> bool:
        name = apigateway._extract_lambda_ref_from_integration_uri(authorizer.get("authorizerUri", ""))
        return lambda_svc._get_func_record_for_ref_in_scope(name, account_id=account, region=region)[0] is None

    async def asked_rest(authorizer: Any, event: Any, account: str, region: str) -> Any:
        if is_absent(authorizer, account, region):
            sources = "" if event["type"] == "TOKEN" else authorizer.get("identitySource")
            query, stage = event.get("multiValueQueryStringParameters"), {"variables": event.get("stageVariables")}
            is_complete, _ = apigateway_v1._request_identity_sources(sources, event.get("headers"), query, stage)
            return {"body": allowed} if is_complete else {"body": UNAUTHORIZED, "error": True}
        return await ask_rest(authorizer, event, account, region)

    async def asked_http(authorizer: Any, event: Any, account: str, region: str) -> Any:
        if is_absent(authorizer, account, region):
            return allowed
        return await ask_http(authorizer, event, account, region)

    apigateway_v1._invoke_authorizer_lambda = asked_rest
    apigateway._invoke_request_authorizer_lambda = asked_http


PATCHES = (
    invoke_by_one_connection,
    reuse_threads,
    log_no_request,
    choose_rest_routes,
    choose_http_routes,
    create_validators,
    convert_cors,
    register_targets,
    answer_for_absent_authorizers,
)
