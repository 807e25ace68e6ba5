"""Advice: the next step for a part that takes long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.part import Part

__all__ = ["ADVICE", "advice"]

ADVICE = {
    "cold start": "Import less at module load, give the function more memory (CPU scales with memory), or keep "
    "environments warm with provisioned concurrency or SnapStart.",
    "own code": "Profile the handler, give the function more memory (CPU scales with memory), or move work out of the "
    "request.",
    "connect": "Reuse connections: create one client or session at module load, with keep-alive and a pool as large as "
    "the handler's concurrency.",
    "retries": "Call {name} less often or raise its quota, and set the client's attempts and timeouts to end well "
    "before the function's timeout.",
    "telemetry": "Export spans after the response (the kit does by default), to a nearby collector.",
    "aws": "Reduce the calls to {name}: request less per call, batch repeated calls, run independent calls in "
    "parallel, and set the client's timeouts below the function's.",
    "external": "Set a timeout for the call to {name} below the function's, respond without its result when it is "
    "late, and move the call to a queue if the caller does not need the result. Ask its owner with a trace id.",
    "database": "Look at the slow queries of {name}, pool connections, and set a statement timeout below the "
    "function's.",
    "messaging": "Send fewer, larger batches to {name}, wait once for all messages of a request, and set the client's "
    "timeouts below the function's.",
    "pool": "Make the pool of {name} as large as the handler's concurrency, return connections early (no other call "
    "while one is held), and set the wait's timeout below the function's.",
    "network": "Compare with the time that {name} itself reports: the rest is the connection, a load balancer, or a "
    "queue in front of it. Keep connections open, and check its concurrency.",
    "step functions": "Look at the state {name}: waits, retries and queues are settings of its state machine.",
    "queue": "Look at the consumers of {name}: their concurrency, batch window, batch size and retries. The wait of a "
    "long poll is a setting (WaitTimeSeconds of SQS).",
    "api gateway": "Little to change: check authorizers, mappings, and the distance between caller and region.",
    "lambda": "Little to change: check throttled concurrency, extensions, and the response size.",
    "unknown": "Add a span around the code that runs there, or instrument the library that it calls.",
}
# Advice for parts that differ from the rest of their bucket.
SERVICE = "Profile {name}, give it more CPU (on Lambda: more memory), or move work out of the request."
UNNAMED = (
    "Set `peer.service` or `server.address` on the spans of these calls, so that the report can name their callee."
)
UNANSWERED = (
    "Find out why {name} did not record this call: it recorded others. Set a timeout for the call, and respond without "
    "its result when it is late."
)
TABLE = (
    "Give {resource} more capacity (on-demand, or a higher provisioned rate), spread hot keys, and set the client's "
    "attempts and timeouts to end well before the function's timeout."
)


def advice(part: Part) -> str:
    """The next step for a part, in one or two sentences."""
    text = ADVICE[part.bucket]
    if part.bucket == "own code" and part.name:
        text = SERVICE
    elif part.bucket == "unknown" and part.name:
        text = UNNAMED
    elif part.bucket == "external" and part.owner == "ours":
        text = UNANSWERED
    elif part.bucket == "retries" and part.name.startswith("DynamoDB "):
        text = TABLE
    return text.format(name=part.name or part.bucket, resource=part.name.rpartition(" ")[2])
