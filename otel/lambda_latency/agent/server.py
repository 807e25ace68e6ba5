"""An MCP server over standard input and output, of both eras of the protocol.

Revision 2026-07-28 has no session: `server/discover`, and each request carries its version. Before, a session began
with `initialize`. https://modelcontextprotocol.io/specification
"""

from __future__ import annotations

import sys
import threading
import time

from lambda_latency.agent.tools import INSTRUCTIONS, Cancelled, checked, definitions
from lambda_latency.agent.wire import INVALID_REQUEST, WireError
from lambda_latency.version import VERSION

TYPE_CHECKING = False  # importing typing is slow
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lambda_latency.agent.tools import Tool
    from lambda_latency.agent.wire import Wire

    Answer = Callable[[Tool, dict[str, Any], Callable[[int, int], None], Callable[[], bool]], str]

STATELESS = ("2026-07-28",)
SESSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
META = "io.modelcontextprotocol/"
INFO = {"name": "lambda-latency", "version": VERSION}
NO_METHOD, PARAMS, INTERNAL, NO_VERSION = -32601, -32602, -32603, -32022
LISTS = ("server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list")
LIST_MS = 3_600_000  # how long a client may keep a list
NOTE_S = 0.1  # between two notes of progress
END_S = 60.0  # for answers after the end of the input
PROMPT = "why_slow"
SOURCE = {"name": "source", "description": "trace file, folder or archive", "required": False}


class McpServer:
    """Reads messages on one thread and runs calls, one at a time, on others, so that it answers ping and cancel.

    `answer` runs a tool: it returns text; it raises an exception with `exit_status` or a ValueError whose message the
    assistant reads, and `Cancelled` if nobody waits.
    """

    def __init__(self, wire: Wire, tools: Mapping[str, Tool], answer: Answer) -> None:
        self._wire, self._tools, self._answer = wire, tools, answer
        self._calls = threading.Lock()  # bounds the memory
        self._cancelled: dict[object, threading.Event] = {}

    def run(self) -> None:
        """Answer until the input ends and the running calls are done."""
        threads: list[threading.Thread] = []
        for message in self._wire.messages():
            threads = [thread for thread in threads if thread.is_alive()]
            request_id, params = message.get("id"), message.get("params")
            params = params if isinstance(params, dict) else {}
            if "id" not in message:
                self._note(message["method"], params)
            elif isinstance(request_id, bool) or not isinstance(request_id, (str, int)):
                self._wire.fail(None, WireError(INVALID_REQUEST, "an id is a text or a whole number"))
            elif message["method"] != "tools/call":
                self._reply(request_id, message["method"], params)
            else:
                cancelled = self._cancelled[request_id] = threading.Event()
                call = (request_id, "tools/call", params, cancelled)
                threads.append(threading.Thread(target=self._reply, args=call, daemon=True))
                threads[-1].start()
        deadline = time.monotonic() + END_S
        for thread in threads:  # the other side may still read
            thread.join(max(0.0, deadline - time.monotonic()))

    def _note(self, method: str, params: dict[str, Any]) -> None:
        request_id = params.get("requestId")
        if method == "notifications/cancelled" and isinstance(request_id, (str, int)) and request_id in self._cancelled:
            self._cancelled[request_id].set()

    def _reply(
        self, request_id: str | int, method: str, params: dict[str, Any], cancelled: threading.Event | None = None
    ) -> None:
        version = _meta(params, f"{META}protocolVersion")
        try:
            _check_version(version)
            result = self._call(params, cancelled) if cancelled is not None else self._result(method, params)
        except WireError as error:
            self._wire.fail(request_id, error)
            return
        except Exception as error:  # noqa: BLE001 - the client waits for an answer
            print(f"lambda-latency: {error!r}", file=sys.stderr)
            self._wire.fail(request_id, WireError(INTERNAL, "internal error; standard error has it"))
            return
        finally:
            if cancelled is not None:
                self._cancelled.pop(request_id, None)
        if cancelled is not None and cancelled.is_set():
            return  # a cancelled request gets no answer
        if version is not None:
            result = {"resultType": "complete", "_meta": {f"{META}serverInfo": INFO}, **result}
            if method in LISTS:
                result |= {"ttlMs": LIST_MS, "cacheScope": "public"}
        self._wire.reply(request_id, result)

    def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        able: dict[str, Any] = {"tools": {}, "prompts": {}}
        if method == "server/discover":
            return {"supportedVersions": [*STATELESS], "capabilities": able, "instructions": INSTRUCTIONS}
        if method == "initialize":
            requested = params.get("protocolVersion")
            version = requested if requested in SESSIONS else SESSIONS[-1]
            return {"protocolVersion": version, "capabilities": able, "serverInfo": INFO, "instructions": INSTRUCTIONS}
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": definitions(self._tools)}
        if method == "prompts/list":
            about = "Why are requests slow? With a trace id and the command for each number."
            return {"prompts": [{"name": PROMPT, "description": about, "arguments": [SOURCE]}]}
        if method == "prompts/get":
            return _prompt(params)
        raise WireError(NO_METHOD, f"there is no method {method[:60]}")

    def _call(self, params: dict[str, Any], cancelled: threading.Event) -> dict[str, Any]:
        with self._calls:
            try:
                arguments = checked(self._tools, params.get("name"), params.get("arguments"))
                if cancelled.is_set():
                    return {}
                tool = self._tools[params["name"]]
                text = self._answer(tool, arguments, self._reporter(params), cancelled.is_set)
            except Cancelled:
                return {}
            except Exception as error:
                if not isinstance(error, (ValueError, OSError)) and getattr(error, "exit_status", None) is None:
                    raise
                from lambda_latency.agent.quoting import plain

                message = "\n  ".join(plain(line, 400) for line in str(error).split("\n")[:4])
                return {"content": [{"type": "text", "text": message}], "isError": True}
        return {"content": [{"type": "text", "text": text}], "isError": False}

    def _reporter(self, params: dict[str, Any]) -> Callable[[int, int], None]:
        """Return a function that sends progress to a client that requests it, at most ten times a second."""
        token = _meta(params, "progressToken")
        sent_s = 0.0

        def report(done: int, size: int) -> None:
            nonlocal sent_s
            now_s = time.monotonic()
            if token is not None and now_s - sent_s >= NOTE_S:
                sent_s = now_s
                note = {"progressToken": token, "progress": done, "total": size, "message": "reading traces"}
                self._wire.send({"method": "notifications/progress", "params": note})

        return report


def _meta(params: dict[str, Any], key: str) -> object:
    meta = params.get("_meta")
    return meta.get(key) if isinstance(meta, dict) else None


def _check_version(version: object) -> None:
    if version is not None and version not in STATELESS:
        data = {"supported": [*STATELESS], "requested": str(version)[:40]}
        raise WireError(NO_VERSION, "this protocol version is not supported", data)


def _prompt(params: dict[str, Any]) -> dict[str, Any]:
    arguments = params.get("arguments")
    if params.get("name") != PROMPT:
        raise WireError(PARAMS, f"there is no such prompt; there is {PROMPT}")
    source = arguments.get("source") if isinstance(arguments, dict) else None
    about = f" with source {str(source)[:200]!r}" if source else ""
    text = (
        f"Call why_slow{about}. If one part stands out, show a slow request that waits for it. "
        "Answer with the part, its owner, a trace id and the command that proves the numbers."
    )
    return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}
