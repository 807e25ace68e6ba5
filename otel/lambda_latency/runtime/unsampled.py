"""A call in a request that nobody records: no span is made of it, and the decision goes on to who is called.

Upstream's wrappers do all but record: they collect attributes, make a span that holds nothing, call our hooks.
"""

from __future__ import annotations

import functools
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from opentelemetry.propagate import inject

from lambda_latency.runtime.harmless import harmless
from lambda_latency.runtime.shortcuts import Suppressed, current_span
from lambda_latency.runtime.standins import standing_in

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["pass_by_botocore", "pass_by_requests"]

EXTENSIONS = "opentelemetry.instrumentation.botocore.extensions"


def pass_by_botocore(instrumentor: Any, *, stand_ins: bool) -> Callable[[], object]:
    """To be called before it instruments, for it is handed its own method around the calls; returns the undoing.

    botocore writes the header of the invocation by itself, and `lineage` completes it.
    """
    traced = instrumentor._patched_api_call
    ready: set[str] = set()

    def patched_api_call(original: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        if current_span().is_recording():
            if not ready and client.meta.service_model.service_name == "dynamodb":
                ready.add("dynamodb")
                with standing_in(wanted=stand_ins):  # upstream would import it now, without the stand-ins
                    import_module(f"{EXTENSIONS}.dynamodb")
            return traced(original, client, args, kwargs)
        return quietly(original, *args, **kwargs)

    instrumentor._patched_api_call = patched_api_call
    return lambda: vars(instrumentor).pop("_patched_api_call", None)


def pass_by_requests() -> Callable[[], None]:
    """To be called after its instrumentation; returns the undoing. Upstream's own undoing takes off both."""
    owner = sys.modules["requests"].Session
    traced = vars(owner)["send"]
    original = traced.__wrapped__

    def send(self: object, request: Any, **kwargs: Any) -> Any:
        if current_span().is_recording():
            return traced(self, request, **kwargs)
        carry(request)
        return quietly(original, self, request, **kwargs)

    def undo() -> None:
        if vars(owner)["send"] is send:
            owner.send = traced

    functools.update_wrapper(send, traced)
    send.__wrapped__ = original  # type: ignore[attr-defined]
    owner.send = send
    return undo


def quietly(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The call itself."""
    with Suppressed():
        return original(*args, **kwargs)


@harmless("the tracing header of a call")
def carry(request: Any) -> None:
    """The header, on a request of `requests`."""
    inject(request.headers)
