"""An MCP server over standard input and output, of both eras of the protocol.

Revision 2026-07-28 has no session: `server/discover`, and each request carries its version. Before, a session began
with `initialize`. https://modelcontextprotocol.io/specification
"""

from __future__ import annotations

import sys
import threading
import time

from lambda_latency.agent.errors import Cancelled
from lambda_latency.agent.tools import INSTRUCTIONS, checked, definitions
from lambda_latency.agent.wire import INVALID_REQUEST, WireError
from lambda_latency.version import VERSION

TYPE_CHECKING = False  # importing typing would take a third of the time of the start
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
END_S = 60.0  # that answers may take after the end of the input
PROMPT = "why_slow"
SOURCE = {"name": "source", "description": "trace file, folder or archive", "required": False}


class Server:
    """Reads messages on one thread; calls run one after the other on another, so that ping and cancel are answered.

    `answer` runs a tool; it returns text, raises an exception with `exit_status` or ValueError for what the assistant
    is to read, and `Cancelled` if nobody waits any more.
    """

    def __init__(self, wire: Wire, tools: Mapping[str, Tool], answer: Answer) -> None:
        self._wire, self._tools, self._answer = wire, tools, answer
        self._one = threading.Lock()  # one answer at a time: memory stays bounded
        self._waiting: dict[object, threading.Event] = {}

    def run(self) -> None:
        """Answer until the input ends, and what has begun then."""
        threads: list[threading.Thread] = []
        for message in self._wire.messages():
            threads = [one for one in threads if one.is_alive()]
            asked, params = message.get("id"), message.get("params")
            params = params if isinstance(params, dict) else {}
            if "id" not in message:
                self._note(message["method"], params)
            elif isinstance(asked, bool) or not isinstance(asked, (str, int)):
                self._wire.fail(None, WireError(INVALID_REQUEST, "an id is a text or a whole number"))
            elif message["method"] != "tools/call":
                self._reply(asked, message["method"], params)
            else:
                gone = self._waiting[asked] = threading.Event()
                threads.append(
                    threading.Thread(target=self._reply, args=(asked, "tools/call", params, gone), daemon=True)
                )
                threads[-1].start()
        until = time.monotonic() + END_S
        for one in threads:  # a pipe that has ended still wants its answers
            one.join(max(0.0, until - time.monotonic()))

    def _note(self, method: str, params: dict[str, Any]) -> None:
        wanted = params.get("requestId")
        if method == "notifications/cancelled" and isinstance(wanted, (str, int)) and wanted in self._waiting:
            self._waiting[wanted].set()

    def _reply(
        self, asked: str | int, method: str, params: dict[str, Any], gone: threading.Event | None = None
    ) -> None:
        meta = params.get("_meta")
        version = meta.get(f"{META}protocolVersion") if isinstance(meta, dict) else None
        try:
            if version is not None and version not in STATELESS:
                data = {"supported": [*STATELESS], "requested": str(version)[:40]}
                raise WireError(NO_VERSION, "this protocol version is not supported", data)
            result = self._call(params, gone) if gone is not None else self._result(method, params)
        except WireError as error:
            self._wire.fail(asked, error)
            return
        except Exception as error:  # noqa: BLE001 - the client waits for an answer
            print(f"lambda-latency: {error!r}", file=sys.stderr)
            self._wire.fail(asked, WireError(INTERNAL, "internal error; standard error has it"))
            return
        finally:
            if gone is not None:
                self._waiting.pop(asked, None)
        if gone is not None and gone.is_set():
            return  # a cancelled request gets no answer
        if version is not None:
            result = {"resultType": "complete", "_meta": {f"{META}serverInfo": INFO}, **result}
            if method in LISTS:
                result |= {"ttlMs": LIST_MS, "cacheScope": "public"}
        self._wire.reply(asked, result)

    def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        able: dict[str, Any] = {"tools": {}, "prompts": {}}
        if method == "server/discover":
            return {"supportedVersions": [*STATELESS], "capabilities": able, "instructions": INSTRUCTIONS}
        if method == "initialize":
            wanted = params.get("protocolVersion")
            chosen = wanted if wanted in SESSIONS else SESSIONS[-1]
            return {"protocolVersion": chosen, "capabilities": able, "serverInfo": INFO, "instructions": INSTRUCTIONS}
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

    def _call(self, params: dict[str, Any], gone: threading.Event) -> dict[str, Any]:
        with self._one:
            try:
                given = checked(self._tools, params.get("name"), params.get("arguments"))
                text = (
                    ""
                    if gone.is_set()
                    else self._answer(self._tools[params["name"]], given, self._teller(params), gone.is_set)
                )
            except Cancelled:
                return {}
            except Exception as error:
                if not isinstance(error, (ValueError, OSError)) and getattr(error, "exit_status", None) is None:
                    raise
                from lambda_latency.agent.quoting import plain

                told = "\n  ".join(plain(line, 400) for line in str(error).split("\n")[:4])
                return {"content": [{"type": "text", "text": told}], "isError": True}
        return {"content": [{"type": "text", "text": text}], "isError": False}

    def _teller(self, params: dict[str, Any]) -> Callable[[int, int], None]:
        """What sends progress to a client that has asked for it, at most ten times a second."""
        meta = params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        last = 0.0

        def tell(done: int, size: int) -> None:
            nonlocal last
            now = time.monotonic()
            if token is not None and now - last >= NOTE_S:
                last = now
                note = {"progressToken": token, "progress": done, "total": size, "message": "reading traces"}
                self._wire.send({"method": "notifications/progress", "params": note})

        return tell


def _prompt(params: dict[str, Any]) -> dict[str, Any]:
    given = params.get("arguments")
    if params.get("name") != PROMPT:
        raise WireError(PARAMS, f"there is no such prompt; there is {PROMPT}")
    source = given.get("source") if isinstance(given, dict) else None
    about = f" with source {str(source)[:200]!r}" if source else ""
    text = (
        f"Call why_slow{about}. If one part stands out, show a slow request that waits for it. "
        "Answer with the part, its owner, a trace id and the command that proves the numbers."
    )
    return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}
