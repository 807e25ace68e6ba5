"""A page of requests while they happen: an OTLP receiver, the retained requests, and the page's server."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.live.bounds import Bounds
    from lambda_latency.live.decoding import needs_formats
    from lambda_latency.live.otlp_receiver import GRPC_PORT, Receiver
    from lambda_latency.live.port_owner import owner_of
    from lambda_latency.live.reporting import saved_line
    from lambda_latency.live.running_page import RunningPage

__all__ = ["GRPC_PORT", "Bounds", "Receiver", "RunningPage", "needs_formats", "owner_of", "saved_line"]

MODULES = {
    "GRPC_PORT": "otlp_receiver",
    "Bounds": "bounds",
    "Receiver": "otlp_receiver",
    "RunningPage": "running_page",
    "needs_formats": "decoding",
    "owner_of": "port_owner",
    "saved_line": "reporting",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module: the local system must not wait for the receiver's decoders."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lambda_latency.live.{MODULES[name]}"), name)
