"""The SDK's middlewares of web frameworks: in Lambda a framework's request is a subsegment of the handler's span.

Its name is the recorder's `service`, or from `dynamic_naming` for the host. Without a name there is no subsegment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambda_latency.bridge.context import is_on
from lambda_latency.bridge.entity import Subsegment
from lambda_latency.bridge.http import HEADER, TraceHeader, calculate_segment_name, construct_xray_header
from lambda_latency.bridge.recorder import xray_recorder


class FlaskMiddleware:
    """Flask's middleware for an app and a recorder."""

    def __init__(self, app: Any, recorder: Any) -> None:
        self.app = app
        self._recorder = recorder
        self._open: dict[int, Subsegment] = {}  # by request id()
        app.before_request(self._begin)
        app.after_request(self._answer)
        app.teardown_request(self._end)

    def _begin(self) -> None:
        from flask import request

        ip = request.headers.get("X-Forwarded-For") or request.headers.get("HTTP_X_FORWARDED_FOR")
        http = fields(request.base_url, request.method, request.headers.get("User-Agent"), ip, request.remote_addr)
        subsegment = begin(self._recorder, request.host, request.headers, http)
        if subsegment is not None:
            self._open[id(_current(request))] = subsegment

    def _answer(self, response: Any) -> Any:
        from flask import request

        subsegment = self._open.get(id(_current(request)))
        if subsegment is not None:
            response.headers[HEADER] = answer(subsegment, response.status_code, response.headers.get("Content-Length"))
        return response

    def _end(self, error: BaseException | None) -> None:
        from flask import request

        end(self._recorder, self._open.pop(id(_current(request)), None), error)


class DjangoMiddleware:
    """Django's middleware."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        ip = request.META.get("HTTP_X_FORWARDED_FOR")
        agent, address = request.META.get("HTTP_USER_AGENT"), request.META.get("REMOTE_ADDR")
        http = fields(request.build_absolute_uri(), request.method, agent, ip, address)
        subsegment = begin(xray_recorder, request.META.get("HTTP_HOST"), request.META, http)
        response = self.get_response(request)
        if subsegment is not None:
            length = response["content-length"] if response.has_header("content-length") else None
            response[HEADER] = answer(subsegment, response.status_code, length)
            from django.conf import settings

            # In Lambda the HTTP fields become annotations by default, unless the app's settings disable it.
            choice = getattr(settings, "XRAY_RECORDER", {}).get("URLS_AS_ANNOTATION", "LAMBDA")
            if choice in ("LAMBDA", "ALL"):
                for part in subsegment.http.values():
                    for key, value in part.items():
                        subsegment.put_annotation(key, value)
            end(xray_recorder, subsegment, None)
        return response

    def process_exception(self, request: Any, exception: Exception) -> None:  # noqa: ARG002 - Django's
        """Records an exception of a view."""
        subsegment = xray_recorder.current_subsegment() if is_on() else None
        if subsegment is not None:
            subsegment.put_http_meta("status", 500)
            subsegment.add_exception(exception, None)


class BottlePlugin:
    """Bottle's plugin."""

    name = "xray"
    api = 2

    def __init__(self, recorder: Any) -> None:
        self._recorder = recorder

    def apply(self, callback: Any, route: Any) -> Any:  # noqa: ARG002 - Bottle's
        """The route's callback, wrapped in a subsegment."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            from bottle import request, response

            ip = request.environ.get("HTTP_X_FORWARDED_FOR") or request.environ.get("REMOTE_ADDR")
            http = fields(request.url, request.method, request.headers.get("User-Agent"), ip, request.remote_addr)
            subsegment = begin(self._recorder, request.urlparts[1], request.headers, http)
            try:
                result = callback(*args, **kwargs)
            except Exception as error:
                end(self._recorder, subsegment, error, getattr(error, "status_code", 500))
                raise
            if subsegment is not None:
                header = answer(subsegment, response.status_code, response.headers.get("Content-Length"))
                response.set_header(HEADER, header)
                end(self._recorder, subsegment, None)
            return result

        return wrapper


async def middleware(request: Any, handler: Any) -> Any:
    """The middleware of aiohttp's server, without effect: it creates segments, which are discarded in Lambda."""
    return await handler(request)


middleware.__middleware_version__ = 1  # type: ignore[attr-defined]  # as aiohttp's own decorator


def _current(request: Any) -> Any:
    """The object behind Flask's proxy."""
    return request._get_current_object()


def fields(url: str, method: str, agent: str | None, forwarded: str | None, address: str | None) -> dict[str, Any]:
    """The HTTP fields of a request: `forwarded` is the client that a proxy names, `address` the peer."""
    return {
        "url": url,
        "method": method,
        "user_agent": agent,
        "client_ip": forwarded or address,
        "x_forwarded_for": True if forwarded else None,
    }


def begin(recorder: Any, host: str | None, headers: Any, http: Mapping[str, Any]) -> Subsegment | None:
    """Starts a request's subsegment; None if tracing is off, or it has no name."""
    name = calculate_segment_name(host or "", recorder) if is_on() else None
    subsegment: Subsegment | None = recorder.begin_subsegment(name) if name else None
    if subsegment is not None:
        subsegment.save_origin_trace_header(construct_xray_header(headers))
        for key, value in http.items():
            subsegment.put_http_meta(key, value)
    return subsegment


def answer(subsegment: Subsegment, status: int, length: Any) -> str:
    """Records the response; returns its tracing header."""
    subsegment.put_http_meta("status", status)
    if length:
        subsegment.put_http_meta("content_length", int(length))
    origin = subsegment.get_origin_trace_header()
    is_requested = origin is not None and origin.sampled == "?"
    return TraceHeader(subsegment.trace_id, None, int(subsegment.sampled) if is_requested else None).to_header_str()


def end(recorder: Any, subsegment: Subsegment | None, error: BaseException | None, status: int = 500) -> None:
    """Ends the subsegment, and records the exception if there is one."""
    if subsegment is None:
        return
    if error is not None:
        subsegment.put_http_meta("status", status)
        subsegment.add_exception(error, None)
    recorder.end_subsegment()
