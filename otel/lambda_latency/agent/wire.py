"""Messages of JSON-RPC over pipes, one per line; bounded, whole, and in UTF-8 whatever the platform's settings are."""

from __future__ import annotations

import json
import re
import threading

TYPE_CHECKING = False  # importing typing is slow
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO

LONGEST = 1_000_000  # bytes of a message
# The id of a request whose first members are its version, its method and its id, in any order
ID = re.compile(
    rb'\s*\{\s*(?:"(?:jsonrpc|method)"\s*:\s*"[^"\\]{0,200}"\s*,\s*){0,2}"id"\s*:\s*(-?[1-9]\d{0,17}|0|"[\x20!#-[\]-~]{0,200}")\s*[,}]'
)
PARSE_ERROR, INVALID_REQUEST = -32700, -32600


class WireError(Exception):
    """An error of JSON-RPC: a code, a message, data."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.value: dict[str, object] = {"code": code, "message": message}
        if data is not None:
            self.value["data"] = data


class Wire:
    """Two pipes. Any thread may send."""

    def __init__(self, read: BinaryIO, write: BinaryIO) -> None:
        self._read, self._write = read, write
        self._lock = threading.Lock()

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield the client's messages until its input ends, and answer any other line with an error."""
        for line in iter(lambda: self._read.readline(LONGEST + 1), b""):
            if len(line) > LONGEST:
                self._skip(line)
                self.fail(_id_of(line), WireError(INVALID_REQUEST, f"a message has at most {LONGEST:,} bytes"))
            elif line.strip():
                try:
                    message = json.loads(line)
                except (ValueError, RecursionError):
                    self.fail(None, WireError(PARSE_ERROR, "this line is not JSON"))
                    continue
                if isinstance(message, dict) and isinstance(message.get("method"), str):
                    yield message
                elif not isinstance(message, dict) or not ({"result", "error"} & message.keys()):
                    self.fail(None, WireError(INVALID_REQUEST, "a request is an object with a method"))

    def reply(self, request_id: object, result: dict[str, Any]) -> None:
        """Answer a request."""
        self.send({"id": request_id, "result": result})

    def fail(self, request_id: object, error: WireError) -> None:
        """Answer a request with an error."""
        self.send({"id": request_id, "error": error.value})

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. If the client is gone, nothing happens."""
        text = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":"))
        with self._lock:
            try:
                self._write.write(text.encode("ascii") + b"\n")
                self._write.flush()
            except (OSError, ValueError):
                pass

    def _skip(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._read.readline(LONGEST)


def _id_of(line: bytes) -> object:
    """The id of a request that is not read as a whole; None where its first members do not have it."""
    match = ID.match(line)
    return None if match is None else json.loads(match[1])
