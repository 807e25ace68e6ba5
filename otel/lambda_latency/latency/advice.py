"""What one can do about a part that takes long: an answer without a next step is half of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.latency.part import Part

__all__ = ["ADVICE", "advice"]

ADVICE = {
    "cold start": "Import less when the module loads, give the function more memory (its CPU grows with it), or keep "
    "environments ready: provisioned concurrency or SnapStart.",
    "own code": "Profile the handler, give the function more memory (its CPU grows with it), or move work out of the "
    "request.",
    "connect": "Keep connections open between requests: one client or session, made when the module loads, with "
    "keep-alive and a pool as large as the handler's concurrency.",
    "retries": "Give {resource} more capacity (on-demand, or a higher provisioned rate), spread a hot key, and set the "
    "client's attempts and timeouts so that they end well before the function's.",
    "telemetry": "Send spans after the response (the kit does so by itself) to a collector close by.",
    "aws": "Look at {name}: ask for less in one call, ask once instead of often, run calls that do not need each other "
    "at the same time, and set the client's timeouts below the function's.",
    "external": "Give the call to {name} a timeout below the function's, answer without it when it is late, and take "
    "it out of the request where nobody waits for its result (a queue). Ask its owner with a trace id.",
    "database": "Look at the slow statements of {name}, keep connections in a pool, and set a statement timeout below "
    "the function's.",
    "messaging": "Send fewer, larger batches to {name}, wait once for all messages of a request, and set the client's "
    "timeouts below the function's.",
    "pool": "Make the pool of {name} as large as the handler's concurrency, give connections back early (no other call "
    "while one is held), and set the wait's timeout below the function's.",
    "network": "Compare what {name} says of its own time: what lies between is the connection, a queue in front "
    "of it, or a load balancer. Keep connections open, and look at its concurrency.",
    "step functions": "Look at the state {name}: waits, retries and queues of the state machine are its own settings.",
    "queue": "Look at the consumers of {name}: their concurrency, the batch's window and size, and retries.",
    "api gateway": "Little to change: look at authorizers, mappings and the distance between caller and region.",
    "lambda": "Little to change: look at throttled concurrency, extensions, and the size of the response.",
    "unknown": "Trace what runs there: a span around it, or the instrumentation of the library that is called.",
}


def advice(part: Part) -> str:
    """The next step for a part, in a sentence or two."""
    words = part.name.split(" ")
    return ADVICE[part.bucket].format(name=part.name or part.bucket, resource=words[-1] or "it")
