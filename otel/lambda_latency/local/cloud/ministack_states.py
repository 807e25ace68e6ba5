"""Lets ministack's state machines call services that it does not know there: by boto3, in the same ministack; and
prints each execution that fails, which ministack only records.
"""

import json
from contextvars import ContextVar
from typing import Any

FAILED = "state machine failed: "  # `cloud` shows the lines that begin with it
LONGEST = 300  # characters of an error in that line
UNKNOWN = "MiniStack"  # in the causes of ministack's own errors


def call_any_service(header: "ContextVar[str]") -> None:
    """Install the calls. `header` has the tracing header of an execution."""
    from ministack.services import stepfunctions

    invoke = stepfunctions._invoke_aws_sdk_integration

    def invoked(resource: str, data: Any) -> Any:
        try:
            return invoke(resource, data)
        except stepfunctions._ExecutionError as error:
            if UNKNOWN not in error.cause:
                raise
            *_, service, action = resource.split(":")
            return called(service.lower(), action[0].upper() + action[1:], data or {}, header.get())

    stepfunctions._invoke_aws_sdk_integration = invoked


def print_failures() -> None:
    """Print a line for each execution that fails, for whoever started it and waits for its functions."""
    from ministack.services import stepfunctions

    fail = stepfunctions._fail_execution

    def failed(execution: Any, error: str, cause: str) -> None:
        fail(execution, error, cause)
        machine = execution["stateMachineArn"].rpartition(":")[2]
        said = " ".join(f"{error}: {cause}".split())[:LONGEST]
        print(f"{FAILED}{machine}: {said} (execution {execution['name']})", flush=True)

    stepfunctions._fail_execution = failed


def called(service: str, operation: str, data: Any, header: str) -> Any:
    """The result of an operation, with its names as a state machine has them. Its errors have AWS's names."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
    from ministack.services import stepfunctions

    try:
        client: Any = boto3.client(service)  # type: ignore[call-overload]
        if header:
            client.meta.events.register("before-send", lambda request, **_: add(request, header))
        model = client.meta.service_model
        shapes = model.operation_model(operation)
        given = stepfunctions._sdk_json_param_value(data, shapes.input_shape) if shapes.input_shape else {}
        result = client._make_api_call(operation, texts(given, shapes.input_shape))
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
        return {key: texts(one, shape.members.get(key)) for key, one in value.items()}
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: texts(one, shape.value) for key, one in value.items()}
    return [texts(one, shape.member) for one in value] if isinstance(value, list) else value


def add(request: Any, header: str) -> None:
    """Add the tracing header to a request."""
    request.headers["X-Amzn-Trace-Id"] = header


def plain(value: Any) -> Any:
    """A result without times, which become text."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
