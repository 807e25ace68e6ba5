"""The small HTTP server of everything that listens on this machine."""

from lambda_latency.http.server import Handler, Server, reset, wait_for_hangup

__all__ = ["Handler", "Server", "reset", "wait_for_hangup"]
