"""The SDK's middlewares of web frameworks: the request of a framework in Lambda is the handler's own span."""

from __future__ import annotations

from typing import Any

__all__ = ["BottlePlugin", "DjangoMiddleware", "FlaskMiddleware", "middleware"]


class FlaskMiddleware:
    """Flask's: it takes the app and a recorder, and leaves both."""

    def __init__(self, app: Any, recorder: Any) -> None:
        self.app = app
        self._recorder = recorder


class DjangoMiddleware:
    """Django's: it hands a request on."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)


class BottlePlugin:
    """Bottle's: it returns a route as it is."""

    name = "xray"
    api = 2

    def __init__(self, recorder: Any) -> None:
        self._recorder = recorder

    def apply(self, callback: Any, route: Any) -> Any:  # noqa: ARG002 - Bottle's
        """The route."""
        return callback


async def middleware(request: Any, handler: Any) -> Any:
    """aiohttp's server: it hands a request on."""
    return await handler(request)


middleware.__middleware_version__ = 1  # type: ignore[attr-defined]  # what aiohttp's own decorator sets
