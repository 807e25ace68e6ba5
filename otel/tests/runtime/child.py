"""Runs in a child process: the runtime client's own loop with broken and working handlers; prints its reports as JSON.

Started twice, with and without the wrapper's variables; the test compares. argv: a folder for the handlers' files.
"""

import contextlib
import inspect
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_client import InvocationRequest
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

FILES = {
    "fine": "def go(event, context):\n    return {'got': event}\n",
    "app/nested": "def go(event, context):\n    return 'nested'\n",
    "raises": "def go(event, context):\n    return inner(event)\n\ndef inner(event):\n    raise KeyError('orders')\n",
    "unserialisable": "def go(event, context):\n    return object()\n",
    "needs": "import not_in_the_bundle\n",
    "typo": "def go(event, context)\n    return 1\n",
    "value": "def read():\n    raise ValueError('ORDERS_TABLE must be set')\n\nread()\n",
    "attribute": "import os\n\ndef read():\n    return os.no_such_thing\n\nread()\n",
    "leaves": "import sys\nsys.exit(7)\n",
}
HANDLERS = (
    "fine.go", "app/nested.go", "app.nested.go", "raises.go", "unserialisable.go", "needs.go", "typo.go", "value.go",
    "attribute.go", "leaves.go", "fine.gone", "absent.go", "absent/deep.go", "sys.exit", "nodot",
)  # fmt: skip


class Client:
    """The runtime client without its HTTP: one event, then the end; it keeps what is reported."""

    marshaller = LambdaMarshaller()

    def __init__(self) -> None:
        self.reports: list[Any] = []
        self._events = [
            InvocationRequest(
                invoke_id="id", x_amzn_trace_id=None, invoked_function_arn="arn:aws:lambda:eu-west-1:1:function:f",
                deadline_time_in_ms="9999999999999", client_context=None, cognito_identity=None, tenant_id=None,
                content_type="application/json", event_body=b'{"n": 1}', invocation_id=None,
            )
        ]  # fmt: skip

    def wait_next_invocation(self) -> InvocationRequest:
        """The event, or the end."""
        if not self._events:
            raise EOFError
        return self._events.pop()

    def __getattr__(self, name: str) -> Any:
        return lambda *report: self.reports.append((name, report))


def run(handler: str, *, wrapped: bool) -> dict[str, Any]:
    """One environment's life."""
    if wrapped:
        os.environ["LAMBDA_LATENCY_HANDLER"] = handler
        handler = "lambda_latency.runtime.bootstrap.handler"
    client = Client()
    log = io.StringIO()
    how = "?"
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        try:
            if len(inspect.signature(bootstrap.run).parameters) == 2:
                bootstrap.run(handler, client)
            else:  # versions of the runtime client that make their own
                bootstrap.LambdaRuntimeClient = lambda *_: client
                bootstrap.run("", handler, "")
        except EOFError:
            how = "served"
        except SystemExit as error:
            how = f"exit {error.code}"
    return {"how": how, "reports": client.reports, "log": log.getvalue()}


def forked(handler: str, *, wrapped: bool) -> Any:
    """The same in a process of its own."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        with os.fdopen(writer, "w") as pipe:
            json.dump(run(handler, wrapped=wrapped), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = json.load(pipe)
    os.wait()
    return answer


def main() -> None:
    """All handlers, with or without the wrapper."""
    folder, wrapped = Path(sys.argv[1]), sys.argv[2] == "wrapped"
    for name, text in FILES.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    sys.path.insert(0, str(folder))
    print(json.dumps({handler: forked(handler, wrapped=wrapped) for handler in HANDLERS}))


main()
