"""Advice: the next step for a component that takes long, by where the code that waits for it runs."""

from __future__ import annotations

from typing import NamedTuple

from lambda_latency.latency.analysis.services import Place
from lambda_latency.latency.breakdowns.component import Component


class Steps(NamedTuple):
    """The advice for a part in a Lambda function, in a server (container, machine), in a proxy, and in a browser."""

    function: str
    server: str
    proxy: str
    browser: str


STEP = (
    "Look into the step {name}: add spans around its calls, give these timeouts, and look at its retry strategy "
    "(attempts, delays) and at the errors of its attempts."
)
WAIT = "Little to change: the code asks for this wait. Look at who answers {name}, and at its timeout."
REPLAY = (
    "Move slow code into steps, whose results a replay reads: code outside of steps runs again in each invocation. "
    "Return small results from steps, because a replay loads all of them."
)
PLATFORM = "Little to change: check authorizers, mappings, and the distance between caller and region."
MODULE = "Import less at module load, give the function more memory (CPU scales with memory), or keep "
SPAN = "Add a span around the code that runs there, or instrument the library that it calls."
NETWORK = "Compare with the time that {name} itself reports: the rest is the connection, a load balancer, or a "
MACHINE = "Look at the state {name}: waits, retries and queues are settings of its state machine."
CONSUMERS = "Look at the consumers of {name}: their concurrency, batch window, batch size and retries. The wait of a "
ENDING = "set the client's attempts and timeouts to end well before the "
CAPACITY = "Give {resource} more capacity (on-demand, or a higher provisioned rate), "
LAMBDA = "Little to change: check throttled concurrency, extensions, and the response size."
LAPTOP = (
    "Nothing to change in the app: on AWS this time is another. End what else runs on this machine, or judge requests "
    "that AWS has answered (report --xray)."
)
FEWER = (
    "Reduce the calls to {name}: request less per call, batch repeated calls, run independent calls in parallel, and "
)

ADVICE = {
    "cold start": Steps(
        MODULE + "environments warm with provisioned concurrency or SnapStart.",
        "Start {name} before it receives requests: a readiness check that passes after the start, and more instances "
        "at rest.",
        "Let the proxy send requests only to instances that are ready (health checks), and keep enough of them.",
        "Load less code before the first request: split the bundle, and cache it.",
    ),
    "own code": Steps(
        "Profile the handler, or move work out of the request.",
        "Profile {name}, give it more CPU, or move work out of the request.",
        "Look at the filters, authorization and buffering of the proxy {name}, its CPU limit and its worker threads.",
        "Profile the page: move work out of the main thread, or do it after the first paint.",
    ),
    "connect": Steps(
        "Reuse connections: create one client or session at module load, with keep-alive and a pool as large as the "
        "handler's concurrency.",
        "Reuse connections: share one client in the process, with keep-alive and a pool as large as its concurrency.",
        "Keep connections to the upstream open: raise the keep-alive of the cluster and its limit of idle connections.",
        "Connect early (preconnect), and serve from fewer hosts over HTTP/2 or HTTP/3.",
    ),
    "retries": Steps(
        "Call {name} less often or raise its quota, and " + ENDING + "function's timeout.",
        "Call {name} less often or raise its quota, and " + ENDING + "caller of this service gives up.",
        "Lower the proxy's number of retries and its timeout for each try (retry policy) for {name}, and add a retry "
        "budget.",
        "Retry {name} less often, with a growing delay, and show what is there without it.",
    ),
    "step": Steps(STEP, STEP, STEP, STEP),
    "wait": Steps(WAIT, WAIT, WAIT, WAIT),
    "replay": Steps(REPLAY, REPLAY, REPLAY, REPLAY),
    "telemetry": Steps(
        "Export spans after the response (the kit does by default), to a nearby collector.",
        "Export spans in batches, in the background (a batch processor), to a nearby collector.",
        "Let the proxy send its spans in batches, to a nearby collector.",
        "Send spans with a beacon, in batches, after the page has loaded.",
    ),
    "aws": Steps(
        FEWER + "set the client's timeouts below the function's.",
        FEWER + "set the client's timeouts below those of this service's callers.",
        "Set the proxy's timeout for {name} near its usual time, and keep connections to it open.",
        FEWER + "call it from a server near it instead of from the browser.",
    ),
    "external": Steps(
        "Set a timeout for the call to {name} below the function's, respond without its result when it is late, and "
        "move the call to a queue if the caller does not need the result. Ask its owner with a trace id.",
        "Set a timeout for the call to {name} below that of this service's callers, respond without its result when it "
        "is late, and move the call to a queue if the caller does not need the result. Ask its owner with a trace id.",
        "Set the proxy's route timeout for {name} near its usual time, eject slow hosts (outlier detection), and ask "
        "its owner with a trace id.",
        "Show the page without {name} when it is late, load it after the first paint, and ask its owner with a trace "
        "id.",
    ),
    "database": Steps(
        "Look at the slow queries of {name}, pool connections, and set a statement timeout below the function's.",
        "Look at the slow queries of {name} and at the locks that they wait for, and set a statement timeout below "
        "that of this service's callers.",
        "Look at the slow queries of {name}, and at the proxy's limit of connections to it.",
        "Look at the slow queries of {name}, and cache its answers in the page.",
    ),
    "messaging": Steps(
        "Send fewer, larger batches to {name}, wait once for all messages of a request, and set the client's timeouts "
        "below the function's.",
        "Send fewer, larger batches to {name} from the background, and set the acknowledgements and timeouts that a "
        "request needs.",
        "Set the proxy's timeout for {name} near its usual time, and keep connections to it open.",
        "Send fewer, larger messages to {name}, after what the user waits for.",
    ),
    "pool": Steps(
        "Make the pool of {name} as large as the handler's concurrency, return connections early (no other call while "
        "one is held), and set the wait's timeout below the function's.",
        "Make the pool of {name} as large as the concurrent requests of an instance (and the server's limit of "
        "connections allows), return connections early (no other call while one is held), and set a timeout for the "
        "wait.",
        "Raise the proxy's limits of connections and pending requests to {name} (circuit breaker), or add instances.",
        "Serve {name} over HTTP/2 or HTTP/3: browsers open few connections to a host.",
    ),
    "network": Steps(
        NETWORK + "queue in front of it. Keep connections open, and check its concurrency.",
        NETWORK + "queue in front of it. Keep connections open, and check its instances and their worker threads.",
        "Compare with the time that {name} itself reports: the rest is its queue of requests, or the way there. Check "
        "the proxy's connections to it, and its worker threads.",
        "Compare with the time that {name} itself reports: the rest is the user's network. Serve from a nearer place "
        "(a CDN), and send less.",
    ),
    "step functions": Steps(MACHINE, MACHINE, MACHINE, MACHINE),
    "queue": Steps(
        CONSUMERS + "long poll is a setting (WaitTimeSeconds of SQS).",
        CONSUMERS + "long poll is a setting (WaitTimeSeconds of SQS, fetch.max.wait.ms of Kafka).",
        CONSUMERS + "long poll is a setting of the consumer.",
        CONSUMERS + "long poll is a setting of the server.",
    ),
    "api gateway": Steps(PLATFORM, PLATFORM, PLATFORM, PLATFORM),
    "lambda": Steps(LAMBDA, LAMBDA, LAMBDA, LAMBDA),
    "laptop": Steps(LAPTOP, LAPTOP, LAPTOP, LAPTOP),
    "unknown": Steps(
        SPAN, SPAN, "Let the upstream of the proxy record spans too, with the proxy's trace context.", SPAN
    ),
}
# Advice for components that differ from the rest of their category.
SERVICE = "Profile {name}, give it more CPU (on Lambda: more memory), or move work out of the request."
UNNAMED = (
    "Set `peer.service` or `server.address` on the spans of these calls, so that the report can name their callee."
)
UNANSWERED = (
    "Find out why {name} did not record this call: it recorded others. Set a timeout for the call, and respond without "
    "its result when it is late."
)
TABLE = Steps(
    CAPACITY + "spread hot keys, and " + ENDING + "function's timeout.",
    CAPACITY + "spread hot keys, and " + ENDING + "caller of this service gives up.",
    CAPACITY + "and spread hot keys.",
    CAPACITY + "and spread hot keys.",
)
MANY_CALLS = (
    "Make fewer calls to {name}: fetch what a loop needs at once (a batch, a join, a list of keys), or keep what does "
    "not change."
)
NEW_CALL = (
    "Find out whether requests need the new call to {name}; if they do, make it beside other calls, or keep what it "
    "answers."
)
GONE_CALL = (
    "Find out why {name} returns before the call: look for an exception or a condition there, in its logs and its last "
    "change."
)
LOOKUP = (
    "Look at the resolver that answers slowly, cache its answers on the machine, and keep connections open: a kept one "
    "asks no resolver."
)
APART = "Find out what is different about {name}: the other calls of the request, at the same time, were fast."
OTHER_ANSWER = (
    "Find out what {name} answers now, in its logs and its last change: its caller calls it less often, as after a "
    "shorter or an empty answer."
)
SLOW_CALLER = (
    "Look at {name} itself, not at its callees: its CPU, threads or event loop, the resolution of names, and the "
    "connections that it shares."
)
NAMELESS = {"own code": "the code", "cold start": "the service"}
FIELDS: dict[Place, str] = {"lambda": "function", "server": "server", "proxy": "proxy", "browser": "browser"}


def advice(component: Component, place: Place | None = "lambda") -> str:
    """Return the next step for a part in one or two sentences; `place` is where the waiting code runs, if known."""
    category, name = component.category, component.name
    steps = TABLE if category == "retries" and name.startswith("DynamoDB ") else ADVICE[category]
    text = _special(component, place) or getattr(steps, FIELDS[place or "server"])
    return text.format(name=name or NAMELESS.get(category, category), resource=name.rpartition(" ")[2])


def _special(component: Component, place: Place | None) -> str:
    """Return the advice for a part that differs from the rest of its category; else nothing."""
    category, name = component.category, component.name
    if category == "own code" and name and place in (None, "lambda"):
        return SERVICE
    if category == "unknown" and name:
        return UNNAMED
    return UNANSWERED if category == "external" and component.owner == "ours" else ""
