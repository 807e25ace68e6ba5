"""Starts ministack, by its own Python: a script that nothing here imports.

It writes the resource types that ministack can make to the file that it is given. And where a function has failed, it
hands on the function's own error (a short JSON object with status 599) in place of ministack's "Proxy target returned
HTTP 599", so that a state machine catches what it would catch on AWS. An event of a bus that fails comes again, as
on AWS: ministack has that for other events that nobody waits for.
"""

import json
import sys
from pathlib import Path
from typing import Any

FAILED = "Proxy target returned HTTP 599: "


def main() -> None:
    """Serve until SIGTERM."""
    from ministack.app import main as serve
    from ministack.services import eventbridge, lambda_svc
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

    types = Path(sys.argv.pop())
    types.write_text(json.dumps(sorted(_RESOURCE_HANDLERS)), encoding="utf-8")
    execute = getattr(lambda_svc, "_execute_function_proxy", None)
    if execute is not None:

        def executed(*args: Any) -> Any:
            result = execute(*args)
            body = result.get("body")
            message = body.get("errorMessage", "") if isinstance(body, dict) and result.get("error") else ""
            if message.startswith(FAILED):
                result["body"] = json.loads(message[len(FAILED) :])
            return result

        lambda_svc._execute_function_proxy = executed
    if hasattr(eventbridge, "_dispatch_to_lambda") and hasattr(lambda_svc, "invoke_async_with_retry"):

        def dispatched(arn: str, payload: str) -> None:
            function, config, _ = lambda_svc._get_func_record_for_ref(arn)
            if function and config:
                record = lambda_svc._execution_record_for_config(function, config)
                lambda_svc.invoke_async_with_retry(record, json.loads(payload))

        eventbridge._dispatch_to_lambda = dispatched
    serve()


if __name__ == "__main__":
    main()
