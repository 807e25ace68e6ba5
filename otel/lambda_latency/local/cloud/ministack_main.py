"""Starts ministack with the Python of its own environment; no module imports this script.

It writes the resource types that ministack can create to the file in its last argument, and changes ministack where its
behaviour differs from AWS:

- API Gateway answers the requests that the kit's fronts forward, as on AWS (`ministack_gateway`); the error of a failed
  function (status 599) is passed on, so that a state machine catches the same errors as on AWS.
- Failed events of a bus, a schedule or a topic are retried; ministack retries only other asynchronous events.
- A failed batch of a stream is retried unchanged or in halves, as often as its mapping says, and is then reported to
  the mapping's destination; ministack retries for ever, together with later records.
- The tracing header of a call to AWS is passed to the functions that a message, an object or an execution reaches, and
  into the messages of a queue. An execution without a header starts a trace.
- API Gateway calls services without a function (`ministack_apis`).
- A call to a service that ministack lacks is refused at once; ministack reads the models of all services first.
- State machines call any service of ministack, by boto3, and the app's API by `apigateway:invoke`. A POST to
  `/_lambda-latency/apis` sets the APIs' addresses. Each execution that fails is printed.

A POST to `/_lambda-latency/schedules/NAME` fires a schedule immediately.
"""

import json
import secrets
import sys
import time
import uuid
from contextvars import ContextVar
from datetime import datetime, timezone
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from ministack_apis import call_services
from ministack_gateway import install

HEADER = "AWSTraceHeader"  # the attribute of a message
# The key of a record with its sequence number.
STREAMS = {"aws:kinesis": "kinesis", "aws:dynamodb": "dynamodb"}
SCHEDULES = "/_lambda-latency/schedules/"
APIS = "/_lambda-latency/apis"
STATE_MACHINE = "state machine failed: "  # `emulator` shows the lines that begin with it
LONGEST = 300  # characters of an error in that line
UNKNOWN = "MiniStack"  # in the causes of ministack's own errors

# ministack starts each thread with a copy of its request's context, which includes this variable.
tracing_header: ContextVar[str] = ContextVar("tracing_header", default="")
apis: dict[str, str] = {}  # host and port of each of the app's APIs, by its id


def main() -> None:
    """Serve until SIGTERM."""
    from ministack import app
    from ministack.core import router
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

    types = Path(sys.argv.pop())
    types.write_text(json.dumps(sorted(_RESOURCE_HANDLERS)), encoding="utf-8")
    install(app)
    retry_events()
    skip_failed_batches()
    propagate_header(app)
    call_apis()
    call_services()
    call_any_service()
    print_failures()
    rename_errors()
    serve_own_paths(app)
    # Every other service that a request is signed for is one of AWS, without reading the models of them all.
    router._is_aws_service_name = lambda _: True
    app.main()


def retry_events() -> None:
    """Retry events of a bus or a topic as asynchronous invocations."""
    from ministack.services import eventbridge, lambda_svc, sns

    def dispatched(arn: str, payload: str) -> None:
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if function and config:
            record = lambda_svc._execution_record_for_config(function, config)
            lambda_svc.invoke_async_with_retry(record, json.loads(payload))

    class RetryingLambda:
        """The Lambda module that SNS calls, with retries."""

        _execute_function_with_config_scope = staticmethod(lambda_svc.invoke_async_with_retry)

        def __getattr__(self, name: str) -> Any:
            return getattr(lambda_svc, name)

    eventbridge._dispatch_to_lambda = dispatched
    sns._lambda_svc = RetryingLambda()


def skip_failed_batches() -> None:
    """Skip a stream's batch after too many failures, and report it to the mapping's destination."""
    from ministack.services import lambda_svc

    execute = lambda_svc._execute_function
    batches = Batches()

    def mapping_of(function: Any, source: str) -> Any:
        config = function.get("config") or function
        for _, _, mapping in lambda_svc._iter_all_esms():
            name = mapping["FunctionName"].rpartition(":")[2]
            if mapping.get("EventSourceArn") == source and name == config.get("FunctionName"):
                return mapping
        return None

    def executed(function: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
        result = execute(function, event, *args, **kwargs)
        batch = stream_of(event)
        mapping = mapping_of(function, batch[1]) if batch is not None else None
        if batch is None or mapping is None:
            return result
        size, _, sequence_number = batch
        if not result.get("error"):
            batches.set_next(mapping, sequence_number, size, [])
            return result
        retry_sizes, attempts = batches.failed(mapping, sequence_number, size)
        batches.set_next(mapping, sequence_number, size, retry_sizes)
        if not retry_sizes:
            report_to_destination(mapping, function, event["Records"], attempts)
        return result if retry_sizes else {**result, "error": False}

    lambda_svc._execute_function = executed


class Batches:
    """The sizes of each mapping's next batches: a failed batch is retried alone, or in halves."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], int] = {}
        self._waiting: dict[str, list[int]] = {}
        self._sizes: dict[str, int] = {}  # the configured sizes of the mappings

    def failed(self, mapping: Any, sequence_number: str, size: int) -> tuple[list[int], int]:
        """Return the sizes of the retries, if any, and the number of attempts, of which halving a batch is none."""
        if size > 1 and mapping.get("BisectBatchOnFunctionError"):
            return [size // 2, size - size // 2], 0
        key = (mapping["UUID"], sequence_number)
        attempts = self._failures[key] = self._failures.get(key, 0) + 1
        max_retries = mapping.get("MaximumRetryAttempts")
        is_retried = max_retries is None or max_retries < 0 or attempts <= max_retries
        return [size] if is_retried else [], attempts

    def set_next(self, mapping: Any, sequence_number: str, size: int, retry_sizes: list[int]) -> None:
        """Set the size of the mapping's next batch."""
        name = mapping["UUID"]
        sizes = [*retry_sizes, *self._waiting.pop(name, [size])[1:]]
        if not retry_sizes:
            self._failures.pop((name, sequence_number), None)
        if sizes:
            self._sizes.setdefault(name, mapping.get("BatchSize", 100))
            self._waiting[name] = sizes
            mapping["BatchSize"] = sizes[0]
        elif name in self._sizes:
            mapping["BatchSize"] = self._sizes.pop(name)


def report_to_destination(mapping: Any, function: Any, records: list[Any], attempts: int) -> None:
    """Send AWS's description of a batch that was given up, without its records, to a queue or a topic.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    from ministack.services import sns, sqs

    target = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination", "")
    if not target:
        return
    kind = STREAMS[records[0]["eventSource"]]
    ends = [records[0][kind], records[-1][kind]]
    numbers = [record.get("SequenceNumber") or record["sequenceNumber"] for record in ends]
    times = [r.get("ApproximateCreationDateTime") or r["approximateArrivalTimestamp"] for r in ends]
    shard = records[0]["eventID"].partition(":")[0] if kind == "kinesis" else "shardId-00000000000000000000-00000000"
    body = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": (function.get("config") or function).get("FunctionArn", ""),
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": instant(time.time()),
        "KinesisBatchInfo" if kind == "kinesis" else "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": numbers[0],
            "endSequenceNumber": numbers[1],
            "approximateArrivalOfFirstRecord": instant(times[0]),
            "approximateArrivalOfLastRecord": instant(times[1]),
            "batchSize": len(records),
            "streamArn": records[0]["eventSourceARN"],
        },
    }
    if target.startswith("arn:aws:sqs:"):
        sqs._act_send_message({"MessageBody": json.dumps(body)}, sqs._queue_url(target.rpartition(":")[2]))
    elif target in sns._topics:
        sns._fanout(target, str(uuid.uuid4()), json.dumps(body), "", "", {})


def instant(seconds: float) -> str:
    """Return a time as AWS writes it."""
    return datetime.fromtimestamp(float(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def stream_of(event: Any) -> tuple[int, str, str] | None:
    """The number of records of a stream's event, the stream's ARN, and the first sequence number; None for others."""
    try:
        records = event["Records"]
        number = records[0][STREAMS[records[0]["eventSource"]]]
        return len(records), records[0]["eventSourceARN"], number.get("SequenceNumber") or number["sequenceNumber"]
    except (KeyError, IndexError, TypeError, AttributeError):
        return None


def propagate_header(app: Any) -> None:
    """Pass the tracing header from a request to the functions and the messages that it causes."""
    from ministack.services import lambda_svc, sqs, stepfunctions

    serve, complete, attributes = app.app, sqs._ensure_msg_fields, sqs._build_send_sys_attrs
    execute = stepfunctions._run_execution

    async def served(scope: Any, receive: Any, send: Any) -> None:
        values = [value for name, value in scope.get("headers", ()) if name.lower() == b"x-amzn-trace-id"]
        tracing_header.set(values[0].decode("latin-1") if values else "")
        await serve(scope, receive, send)

    def completed(message: Any) -> None:
        is_new = "first_receive_at" not in message
        complete(message)
        if is_new and tracing_header.get():
            message["sys"].setdefault(HEADER, tracing_header.get())

    def attributed(*args: Any) -> Any:
        message_attributes = attributes(*args)
        if tracing_header.get():
            message_attributes.setdefault(HEADER, tracing_header.get())
        return message_attributes

    def executed(*args: Any) -> Any:
        if not tracing_header.get():
            root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
            tracing_header.set(f"Root={root};Parent={secrets.token_hex(8)};Sampled=1")
        return execute(*args)

    app.app = served
    sqs._ensure_msg_fields, sqs._build_send_sys_attrs = completed, attributed
    stepfunctions._run_execution = executed
    lambda_svc._xray_trace_id_for_invocation = lambda *_: tracing_header.get() or None


def call_apis() -> None:
    """Let a state machine call the app's APIs, which are outside of ministack.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-api-gateway.html
    """
    from ministack.services import stepfunctions

    def called(_: str, data: Any) -> Any:
        name = str(data.get("ApiEndpoint", ""))
        address = apis.get(name.partition(".")[0])
        if address is None:
            raise stepfunctions._ExecutionError("States.Runtime", f"{name} is not an API of this app")
        try:
            answer, text = sent(address, data)
        except OSError as error:
            raise stepfunctions._ExecutionError("ApiGateway.Connection", str(error)) from error
        if answer.status >= 400:
            raise stepfunctions._ExecutionError(f"ApiGateway.{answer.status}", text)
        headers: dict[str, list[str]] = {}
        for key, value in answer.getheaders():
            headers.setdefault(key, []).append(value)
        try:
            body: Any = json.loads(text)
        except ValueError:
            body = text
        return {"Headers": headers, "ResponseBody": body, "StatusCode": answer.status, "StatusText": answer.reason}

    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::apigateway:invoke"] = called


def sent(address: str, data: Any) -> tuple[HTTPResponse, str]:
    """Send a state machine's request to an API; returns the response and its text."""
    query = urlencode(data.get("QueryParameters") or {}, doseq=True)
    path = quote(str(data.get("Path") or "/"), safe="/%")
    body = data.get("RequestBody")
    payload = body if isinstance(body, str) or body is None else json.dumps(body)
    written = (data.get("Headers") or {}).items()
    headers = {key: value if isinstance(value, str) else ",".join(value) for key, value in written}
    if tracing_header.get():
        headers["X-Amzn-Trace-Id"] = tracing_header.get()
    connection = HTTPConnection(address, timeout=60)
    try:
        connection.request(data.get("Method", "GET"), f"{path}?{query}" if query else path, payload, headers)
        answer = connection.getresponse()
        return answer, answer.read().decode(errors="replace")
    finally:
        connection.close()


def rename_errors() -> None:
    """Rename DynamoDB errors that are not in the API's model to AmazonDynamoDBException, as state machines do."""
    from ministack.services import stepfunctions

    dispatched = stepfunctions._invoke_dynamodb

    def invoked(operation: str, data: Any) -> Any:
        try:
            return dispatched(operation, data)
        except stepfunctions._ExecutionError as error:
            if error.error == "DynamoDB.ValidationException":
                raise stepfunctions._ExecutionError("DynamoDB.AmazonDynamoDBException", error.cause) from error
            raise

    stepfunctions._invoke_dynamodb = invoked


def serve_own_paths(app: Any) -> None:
    """Serve the kit's own paths: one fires a schedule (404 if it is unknown), one sets the addresses of the APIs."""
    serve = app.app

    async def served(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == APIS:
            body, more = b"", True
            while more:
                part = await receive()
                body, more = body + part.get("body", b""), part.get("more_body", False)
            apis.update(json.loads(body))
            status = 200
        elif path.startswith(SCHEDULES):
            status = 200 if fire(path.removeprefix(SCHEDULES)) else 404
        else:
            await serve(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    app.app = served


def fire(name: str) -> bool:
    """Fire the rule or schedule of this name, even if it is disabled; False if there is none."""
    from ministack.services import eventbridge, scheduler

    kinds = (
        (eventbridge._rules._data, eventbridge._rule_last_fired, eventbridge._tick_scheduled_rules),
        (scheduler._schedules._data, scheduler._schedule_last_fired, scheduler._tick_schedules),
    )
    for declared, fired, tick in kinds:
        for key, schedule in declared.items():
            if schedule["Name"] == name and schedule.get("ScheduleExpression"):
                state, schedule["State"] = schedule.get("State"), "ENABLED"
                fired[key] = 0
                tick()
                schedule["State"] = state
                return True
    return False


def call_any_service() -> None:
    """Let state machines call services that ministack does not know there: by boto3, in the same ministack."""
    from ministack.services import stepfunctions

    invoke = stepfunctions._invoke_aws_sdk_integration

    def invoked(resource: str, data: Any) -> Any:
        try:
            return invoke(resource, data)
        except stepfunctions._ExecutionError as error:
            if UNKNOWN not in error.cause:
                raise
            *_, service, action = resource.split(":")
            return called(service.lower(), action[0].upper() + action[1:], data or {})

    stepfunctions._invoke_aws_sdk_integration = invoked


def print_failures() -> None:
    """Print a line for each execution that fails, for whoever started it and waits for its functions."""
    from ministack.services import stepfunctions

    fail = stepfunctions._fail_execution

    def failed(execution: Any, error: str, cause: str) -> None:
        fail(execution, error, cause)
        machine = execution["stateMachineArn"].rpartition(":")[2]
        reason = " ".join(f"{error}: {cause}".split())[:LONGEST]
        print(f"{STATE_MACHINE}{machine}: {reason} (execution {execution['name']})", flush=True)

    stepfunctions._fail_execution = failed


def called(service: str, operation: str, data: Any) -> Any:
    """Return the result of an operation, with its names as a state machine has them. Its errors have AWS's names."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
    from ministack.services import stepfunctions

    try:
        client: Any = boto3.client(service)  # type: ignore[call-overload]
        if tracing_header.get():
            client.meta.events.register("before-send", add_header)
        model = client.meta.service_model
        shapes = model.operation_model(operation)
        parameters = stepfunctions._sdk_json_param_value(data, shapes.input_shape) if shapes.input_shape else {}
        result = client._make_api_call(operation, texts(parameters, shapes.input_shape))
    except ClientError as error:
        name = f"{model.service_id.replace(' ', '')}.{error.response['Error']['Code']}"
        raise stepfunctions._ExecutionError(name, error.response["Error"].get("Message", "")) from error
    except (BotoCoreError, KeyError) as error:
        raise stepfunctions._ExecutionError("States.Runtime", f"{service}:{operation}: {error}") from error
    result.pop("ResponseMetadata", None)
    return stepfunctions._sdk_json_value(plain(result), shapes.output_shape) if shapes.output_shape else {}


def texts(value: Any, shape: Any) -> Any:
    """Parameters with JSON in place of objects where the operation wants text, as a state machine sends them."""
    if shape is None:
        return value
    if shape.type_name == "string" and isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"))
    if shape.type_name == "structure" and isinstance(value, dict):
        return {key: texts(member, shape.members.get(key)) for key, member in value.items()}
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: texts(member, shape.value) for key, member in value.items()}
    return [texts(member, shape.member) for member in value] if isinstance(value, list) else value


def add_header(request: Any, **_: Any) -> None:
    """Add the tracing header of an execution to a request."""
    request.headers["X-Amzn-Trace-Id"] = tracing_header.get()


def plain(value: Any) -> Any:
    """Return a result without times, which become text."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


if __name__ == "__main__":
    main()
