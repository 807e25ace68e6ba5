"""The proxy for AWS: receives every call that a function makes to AWS, and forwards it to the emulator.

It serves an invocation of another function directly, in the same trace, and prints once which service is not emulated
and which parameter or secret is missing.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import threading
from collections.abc import Callable
from http.client import HTTPMessage
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from lambda_latency.http import Answer, Client, Handler, Server
from lambda_latency.local.app.read.parameters import REGION
from lambda_latency.local.cloud.emulator import PROXY
from lambda_latency.local.cloud.executions import PATHS, Executions
from lambda_latency.local.faults import TableFaults
from lambda_latency.local.sandbox.function import Outcome

INVOKE = re.compile(r"/2015-03-31/functions/([^/?]+)/invocations")
CONFIGURATION = re.compile(r"/2015-03-31/functions/[^/?]+/configuration$")
SIGNED = re.compile(r"(Credential=[^/]+/\d+)/([^/]+)/([^/]+)/")
ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
HOP = frozenset(("connection", "keep-alive", "transfer-encoding", "content-length", "host", "expect"))
MISSING = re.compile(
    rb"Unsupported service|UnknownOperation|not implemented|Unknown (?:operation|action)", re.IGNORECASE
)

BEDROCK = "the answers of Bedrock's models are made up by the emulator"
NOT_EMULATED = "NotEmulatedHere"  # the code of the error

# The calls that read a value which only the account has, the field of its name, and the command that makes it here.
VALUES = {
    "AmazonSSM.GetParameter": ("Name", "ssm put-parameter --type String --name {} --value VALUE"),
    "secretsmanager.GetSecretValue": ("SecretId", "secretsmanager create-secret --name {} --secret-string VALUE"),
}

Invoke = Callable[[str, bytes, str], "Outcome | None"]


class AwsProxy:
    """Listens on 127.0.0.1. `invoke` runs a function by name, with an event and a tracing header; it returns None for
    an unknown function. `tell` receives a line for each service that is not emulated, and each value that is missing;
    `faults` are those of DynamoDB calls; `executions` are the durable ones.
    """

    def __init__(
        self,
        url: str,
        invoke: Invoke,
        tell: Callable[[str], None],
        port: int = 0,
        faults: TableFaults | None = None,
        executions: Executions | None = None,
    ) -> None:
        self._printed: set[str] = set()
        self._tell = tell
        self._lock = threading.Lock()
        attributes = {
            "proxy": self,
            "url": url,
            "invoke": staticmethod(invoke),
            "faults": faults,
            "executions": executions,
        }
        kind = type("AwsProxy", (_ProxyHandler,), attributes)
        self._server = Server(kind, port)

    @property
    def url(self) -> str:
        return f"http://{self._server.address}"

    def tell_once(self, about: str, line: str) -> None:
        """Print a line, unless one about the same was printed."""
        with self._lock:
            if about in self._printed:
                return
            self._printed.add(about)
        self._tell(line)

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


class _ProxyHandler(Handler):
    proxy: AwsProxy
    url: str
    invoke: Invoke
    faults: TableFaults | None
    executions: Executions | None

    def setup(self) -> None:
        super().setup()
        self._emulator = Client(self.url, 300)

    def do_GET(self) -> None:
        body = self.body()
        if self._answered_by_executions(body):
            return
        called = INVOKE.match(self.path) if self.command == "POST" else None
        if called is not None and self._invoked(unquote(called[1]), body):
            return
        if self.command == "PUT" and CONFIGURATION.match(self.path):
            body = self._with_proxy(body)
        if self.faults is None or not self.faults.meet(self):
            self._forward(body)

    do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def finish(self) -> None:
        super().finish()
        self._emulator.close()

    def _invoked(self, function: str, body: bytes) -> bool:
        """Invoke a function of the app and answer; False if the emulator must handle the call."""
        name = function.rpartition("function:")[2].partition(":")[0]
        header = self.headers.get("X-Amzn-Trace-Id", "")
        kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "Event":
            # The emulator retries, and knows the destination of failures
            return False
        if kind == "DryRun":
            self.answer(204)
            return True
        outcome = type(self).invoke(name, body or b"{}", header)
        if outcome is None:
            return False
        headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
        if outcome.error is not None:
            headers["X-Amz-Function-Error"] = "Unhandled"
        self.answer(200, outcome.payload, headers)
        return True

    def _answered_by_executions(self, body: bytes) -> bool:
        """Forward a call about a durable execution, such as a checkpoint; False for any other call."""
        if self.executions is None or not self.executions.url or not self.path.startswith(PATHS):
            return False
        self.executions.note_calls(self.path, body)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        with contextlib.closing(Client(self.executions.url, 300)) as client:
            status, received, payload = client.request(self.command, self.path, body or None, headers)
        self.answer(status, payload, [h for h in received.items() if h[0].lower() not in HOP])
        return True

    def _with_proxy(self, body: bytes) -> bytes:
        """New variables of a function, with the one by which the emulator forwards its events."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            configuration = json.loads(body)
            variables = configuration["Environment"]["Variables"]
            variables[PROXY] = json.loads(self._sent("GET", b"", {}).body)["Environment"]["Variables"][PROXY]
            return json.dumps(configuration).encode()
        return body

    def _forward(self, body: bytes) -> None:
        headers = self._forwarded_headers()
        signed = SIGNED.search(self.headers.get("Authorization", ""))
        service = signed[3] if signed else "AWS"
        target = self.headers.get("X-Amz-Target", "")
        status, received, payload = self._sent(self.command, body, headers)
        if status in (400, 404, 501) and MISSING.search(payload[:500]):
            status, received, payload = self._not_emulated(service, target, body)
        elif status == 400 and target in VALUES and b"NotFound" in payload:
            self._tell_absent(target, body)
        elif service == "bedrock" and status == 200:
            self.proxy.tell_once("bedrock", BEDROCK)
        dropped = HOP - {"content-length"} if self.command == "HEAD" else HOP  # that of HEAD is of an object
        self.answer(status, payload, [h for h in received.items() if h[0].lower() not in dropped])

    def _forwarded_headers(self) -> dict[str, str]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        for name, value in headers.items():
            if name.lower() == "authorization":
                # All resources are in one region, regardless of the region in the code
                headers[name] = SIGNED.sub(rf"\1/{REGION}/\3/", value)
        host = self.headers.get("Host", "")
        headers["Host"] = host if host.endswith(".amazonaws.com") else urlsplit(self.url).netloc
        return headers

    def _not_emulated(self, service: str, target: str, body: bytes) -> Answer:
        """Return the refusal of a call, in the form of its protocol. The SDKs do not repeat a call with this status."""
        form_action = ACTION.search(body)
        action = target.rpartition(".")[2] or (form_action[1].decode() if form_action else "")
        call = action or f"{self.command} {self.path[:60]}"
        self.proxy.tell_once(service, f"a call to {service} is not emulated here: {call}")
        message = f"{call} of {service} is not emulated on this machine"
        headers = HTTPMessage()
        headers["x-amzn-ErrorType"] = NOT_EMULATED
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            error = f"<Error><Type>Sender</Type><Code>{NOT_EMULATED}</Code><Message>{escape(message)}</Message></Error>"
            headers["Content-Type"] = "text/xml"
            return Answer(400, headers, f"<ErrorResponse>{error}</ErrorResponse>".encode())
        headers["Content-Type"] = "application/json"
        return Answer(400, headers, json.dumps({"__type": NOT_EMULATED, "message": message}).encode())

    def _tell_absent(self, target: str, body: bytes) -> None:
        """Print that a parameter or a secret does not exist, and the command that makes it."""
        key, command = VALUES[target]
        with contextlib.suppress(ValueError, KeyError):
            name = str(json.loads(body)[key])
            made = command.format(shlex.quote(name))
            line = f"{name} is not here: aws --endpoint-url {self.proxy.url} --region {REGION} {made}"
            self.proxy.tell_once(command + name, line)

    def _sent(self, command: str, body: bytes, headers: dict[str, str]) -> Answer:
        with contextlib.suppress(OSError):  # the emulator may have closed an idle connection
            return self._emulator.request(command, self.path, body or None, headers)
        try:
            return self._emulator.request(command, self.path, body or None, headers)
        except OSError as error:
            why = {"message": f"the emulator does not answer: {error!r}"}
            return Answer(503, HTTPMessage(), json.dumps(why).encode())
