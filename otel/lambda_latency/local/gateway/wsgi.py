"""Serves a WSGI application with keep-alive: werkzeug closes the connection after each answer, AWS does not."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from lambda_latency.http import Handler

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WsgiHandler(Handler):
    """Serves `app`. The body is read before the application runs; the answer is sent at once."""

    app: WSGI

    def do_GET(self) -> None:
        self.serve(self.body())

    do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def serve(self, body: bytes) -> None:
        """Runs the application for one request."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            started[:] = [int(status.split(maxsplit=1)[0]), headers]

        result = type(self).app(self._environ(body), start_response)
        try:
            payload = b"".join(result)
            status, headers = started
            if self.command != "HEAD":  # whose length is that of the answer to GET
                headers = [h for h in headers if h[0].lower() != "content-length"]
            self.answer(status, payload, [*headers, ("Date", self.date_time_string())])
        finally:
            if callable(close := getattr(result, "close", None)):
                close()

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),  # type: ignore[attr-defined]
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_PORT": str(self.client_address[1]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name in self.headers:
            variable = name.upper().replace("-", "_")
            environ[f"HTTP_{variable}"] = ",".join(self.headers.get_all(name, ()))
        if "Content-Type" in self.headers:
            environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE")
        environ.pop("HTTP_CONTENT_LENGTH", None)
        # The body is complete, even if it came in chunks.
        if environ.pop("HTTP_TRANSFER_ENCODING", None) or body:
            environ["CONTENT_LENGTH"] = str(len(body))
        return environ
