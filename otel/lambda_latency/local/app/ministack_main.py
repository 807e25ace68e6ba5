"""Starts ministack, by its own Python: a script that nothing here imports.

It writes the resource types that ministack can make to the file that it is given, and makes ministack do as AWS does
where it does otherwise:

- Where a function has failed, its own error is handed on (a short JSON object with status 599) in place of
  ministack's "Proxy target returned HTTP 599", so that a state machine catches what it would catch on AWS.
- An event of a bus, a schedule or a topic that fails comes again: ministack has that for other events that nobody waits
  for.
- A batch of a stream that fails comes again as it was, and as often as its mapping says; ministack tries for ever, with
  what has come meanwhile besides.
- The tracing header of a call to AWS goes on with what the call causes: to the functions that a message, an object or
  an execution reaches, and into a queue's messages. An execution that nobody has traced begins a trace of its own.

A POST to `/_lambda-latency/schedules/NAME` has a schedule's event come now.
"""

import json
import secrets
import sys
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Any

FAILED = "Proxy target returned HTTP 599: "
HEADER = "AWSTraceHeader"  # of a message
STREAMS = {"aws:kinesis": "kinesis", "aws:dynamodb": "dynamodb"}  # where their records have their sequence number
SCHEDULES = "/_lambda-latency/schedules/"

# ministack starts threads with a copy of the context of the request that they are for, so this one goes with them.
tracing_header: ContextVar[str] = ContextVar("tracing_header", default="")


def main() -> None:
    """Serve until SIGTERM."""
    from ministack import app
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

    types = Path(sys.argv.pop())
    types.write_text(json.dumps(sorted(_RESOURCE_HANDLERS)), encoding="utf-8")
    hand_errors_on()
    try_again()
    give_up()
    carry_the_header(app)
    fire_on_demand(app)
    app.main()


def hand_errors_on() -> None:
    """The error of a function that failed, as the function has it."""
    from ministack.services import lambda_svc

    execute = lambda_svc._execute_function_proxy

    def executed(*args: Any) -> Any:
        result = execute(*args)
        body = result.get("body")
        message = body.get("errorMessage", "") if isinstance(body, dict) and result.get("error") else ""
        if message.startswith(FAILED):
            result["body"] = json.loads(message[len(FAILED) :])
        return result

    lambda_svc._execute_function_proxy = executed


def try_again() -> None:
    """An event of a bus or a topic is one that nobody waits for."""
    from ministack.services import eventbridge, lambda_svc, sns

    def dispatched(arn: str, payload: str) -> None:
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if function and config:
            record = lambda_svc._execution_record_for_config(function, config)
            lambda_svc.invoke_async_with_retry(record, json.loads(payload))

    class Retrying:
        """What SNS asks of Lambda."""

        _execute_function_with_config_scope = staticmethod(lambda_svc.invoke_async_with_retry)

        def __getattr__(self, name: str) -> Any:
            return getattr(lambda_svc, name)

    eventbridge._dispatch_to_lambda = dispatched
    sns._lambda_svc = Retrying()


def give_up() -> None:
    """A batch of a stream that has failed too often is left behind."""
    from ministack.services import lambda_svc

    execute = lambda_svc._execute_function
    failures: dict[tuple[str, str], int] = {}
    sizes: dict[str, int] = {}  # of the batches of mappings that are trying again

    def mapping_of(function: Any, source: str) -> Any:
        config = function.get("config") or function
        for _, _, mapping in lambda_svc._iter_all_esms():
            name = mapping["FunctionName"].rpartition(":")[2]
            if mapping.get("EventSourceArn") == source and name == config.get("FunctionName"):
                return mapping
        return None

    def executed(function: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
        result = execute(function, event, *args, **kwargs)
        records = event.get("Records") if isinstance(event, dict) else None
        first = records[0] if isinstance(records, list) and records else None
        if not (isinstance(records, list) and isinstance(first, dict)):
            return result
        stream = first.get(STREAMS.get(first.get("eventSource", ""), ""))
        mapping = mapping_of(function, first["eventSourceARN"]) if isinstance(stream, dict) else None
        if mapping is None or not isinstance(stream, dict):
            return result
        name = mapping["UUID"]
        key = (name, str(stream.get("SequenceNumber") or stream.get("sequenceNumber")))
        failures[key] = failures.get(key, 0) + 1 if result.get("error") else 0
        most = mapping.get("MaximumRetryAttempts")
        if failures[key] and (most is None or most < 0 or failures[key] <= most):
            sizes.setdefault(name, mapping.get("BatchSize", 100))
            mapping["BatchSize"] = len(records)
            return result
        failures.pop(key)
        if name in sizes:
            mapping["BatchSize"] = sizes.pop(name)
        return {**result, "error": False}

    lambda_svc._execute_function = executed


def carry_the_header(app: Any) -> None:
    """From a request to the functions and the messages that come of it."""
    from ministack.services import lambda_svc, sqs, stepfunctions

    serve, complete, attributes = app.app, sqs._ensure_msg_fields, sqs._build_send_sys_attrs
    execute = stepfunctions._run_execution

    async def served(scope: Any, receive: Any, send: Any) -> None:
        given = [value for name, value in scope.get("headers", ()) if name.lower() == b"x-amzn-trace-id"]
        tracing_header.set(given[0].decode("latin-1") if given else "")
        await serve(scope, receive, send)

    def completed(message: Any) -> None:
        is_new = "first_receive_at" not in message
        complete(message)
        if is_new and tracing_header.get():
            message["sys"].setdefault(HEADER, tracing_header.get())

    def attributed(*args: Any) -> Any:
        made = attributes(*args)
        if tracing_header.get():
            made.setdefault(HEADER, tracing_header.get())
        return made

    def executed(*args: Any) -> Any:
        if not tracing_header.get():
            root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
            tracing_header.set(f"Root={root};Parent={secrets.token_hex(8)};Sampled=1")
        return execute(*args)

    app.app = served
    sqs._ensure_msg_fields, sqs._build_send_sys_attrs = completed, attributed
    stepfunctions._run_execution = executed
    lambda_svc._xray_trace_id_for_invocation = lambda *_: tracing_header.get() or None


def fire_on_demand(app: Any) -> None:
    """Answer for the schedules' addresses; 404 where none of the name is enabled."""
    serve = app.app

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(SCHEDULES):
            await serve(scope, receive, send)
            return
        status = 200 if fire(scope["path"].removeprefix(SCHEDULES)) else 404
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    app.app = served


def fire(name: str) -> bool:
    """Let a rule or a schedule of this name be due; whether there is one."""
    from ministack.services import eventbridge, scheduler

    kinds = (
        (eventbridge._rules._data, eventbridge._rule_last_fired, eventbridge._tick_scheduled_rules),
        (scheduler._schedules._data, scheduler._schedule_last_fired, scheduler._tick_schedules),
    )
    for declared, fired, tick in kinds:
        for key, one in declared.items():
            if one["Name"] == name and one.get("ScheduleExpression") and one.get("State") == "ENABLED":
                fired[key] = 0
                tick()
                return True
    return False


if __name__ == "__main__":
    main()
