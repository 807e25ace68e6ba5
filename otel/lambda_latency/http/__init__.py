"""The small HTTP server and client of everything that listens on this machine."""

from lambda_latency.http.client import Answer, Client, request
from lambda_latency.http.server import Handler, Server, reset, wait_for_hangup, wait_for_signal

__all__ = ["Answer", "Client", "Handler", "Server", "request", "reset", "wait_for_hangup", "wait_for_signal"]
