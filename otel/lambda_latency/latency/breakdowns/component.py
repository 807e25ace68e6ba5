"""A part of a request's time: its bucket, its name inside the bucket, and its owner. An edge adds who waits for it."""

from __future__ import annotations

from typing import NamedTuple

# All categories and their owners. A team changes what is `ours`, and asks the owner of what is `theirs`.
CATEGORIES = {
    "cold start": "ours",
    "own code": "ours",
    "connect": "ours",
    # Named after the resource: its capacity is ours to change
    "retries": "ours",
    "telemetry": "ours",
    # Of durable executions: operations by name, and what an invocation runs over again
    "step": "ours",
    "replay": "ours",
    "wait": "ours",  # by design: no part of the time that is judged
    "aws": "theirs",
    "external": "theirs",
    "database": "theirs",
    "messaging": "theirs",  # a broker outside AWS
    "pool": "ours",  # the wait for a connection of an exhausted pool
    "network": "ours",  # between two services that both record spans
    "step functions": "ours",
    # From a sender to its consumer, or a poll: consumers and their polling are ours to change
    "queue": "ours",
    "api gateway": "platform",
    "lambda": "platform",
    # gateway, queue and sandbox of the machine that stands for AWS (serve, demo, invoke)
    "laptop": "ours",
    "unknown": "unknown",
}

PREFIXES = {
    "connect": "connect to ",
    "lambda": "Lambda ",
    "laptop": "this machine's ",
    "network": "network to ",
    "pool": "pool of ",
    "queue": "queue ",
    "step": "step ",
    "retries": "retries ",
    "step functions": "Step Functions ",
    "unknown": "unknown ",
}


OF_A_SERVICE = ("own code", "cold start", "replay")  # named after their service


class Component(NamedTuple):
    """A destination of time: `Part("aws", "DynamoDB PutItem orders")`.

    A tuple, because components are the keys of all sums: hashing one takes a fifth of the time of a dataclass. `whose`
    is the owner if it is not that of the category. Own code and cold starts are named after their service; without a
    name they belong to the function that received the request first.
    """

    category: str
    name: str = ""
    whose: str = ""

    @property
    def owner(self) -> str:
        """`ours`, `theirs`, `platform`, or `unknown`."""
        return self.whose or CATEGORIES[self.category]

    def plain(self) -> Component:
        """Return the component with an empty `whose` if that is the owner of its category."""
        return self._replace(whose="") if self.whose == CATEGORIES[self.category] else self

    @property
    def label(self) -> str:
        """The name of the component for people."""
        if self.category == "api gateway":
            return "API Gateway"
        if self.category in OF_A_SERVICE and self.name:
            return f"{self.name}: {self.category}"
        prefix = PREFIXES.get(self.category, "")
        return f"{prefix}{self.name}" if self.name else self.category

    @property
    def phrase(self) -> str:
        """The component inside a sentence, after "wait for"."""
        if self.category == "lambda":
            return f"the Lambda {self.name}" if self.name == "service" else f"Lambda's {self.name}"
        words = {
            "cold start": f"a cold start of {self.name}" if self.name else "a cold start",
            "step": f"the step {self.name}",
            "replay": f"the replay of {self.name}" if self.name else "replay",
            "own code": f"the code of {self.name}" if self.name else "their own code",
            "queue": f"the queue {self.name}",
            "network": f"the network to {self.name}",
            "connect": f"connections to {self.name}",
            "pool": f"a connection of the pool of {self.name}",
            "retries": f"retries of {self.name}",
            "telemetry": "telemetry",
            "unknown": "calls that do not name their callee" if self.name else "work that no span describes",
        }
        return words.get(self.category, self.label)


COLD_START = Component("cold start")
OWN_CODE = Component("own code")
TELEMETRY = Component("telemetry")
API_GATEWAY = Component("api gateway")
SERVICE = Component("lambda", "service")
OVERHEAD = Component("lambda", "overhead")
LAPTOP_GATEWAY = Component("laptop", "gateway")
LAPTOP_QUEUE = Component("laptop", "queue")
LAPTOP_SANDBOX = Component("laptop", "sandbox")
UNKNOWN = Component("unknown")
UNKNOWN_CALLEE = Component("unknown", "callee")


def resource_of(name: str) -> str:
    """Return the service and, if known, the resource of a call: capacity belongs to a table, not to an operation."""
    service, _, operation = name.partition(" ")
    _, _, resource = operation.partition(" ")
    return f"{service} {resource}" if resource else service


OWN = (
    "own code",
    "cold start",
    "step",
    "replay",
    "wait",
    "telemetry",
    "lambda",
    "api gateway",
    "laptop",
    "unknown",
)  # categories that are no callee


class Edge(NamedTuple):
    """A component and the service whose span waits for it: `Cell("checkout", Part("network", "payments"))`.

    `caller` is empty for the function that received the request first.
    """

    caller: str
    component: Component

    @property
    def is_own(self) -> bool:
        """Whether the time is the caller's own; every other edge is an edge to a callee."""
        return self.component.category in OWN

    @property
    def merged(self) -> Edge:
        """The edge for all callers: a call of a service without its caller."""
        return Edge("", self.component) if self.component.category == "network" else self

    def is_other_kind(self, edge: Edge) -> bool:
        """Return whether both edges are calls of one caller to one callee, of which one lacks the callee's spans.

        A call that times out is external then: the host `stock.local` is the service `stock`.
        """
        if self.caller != edge.caller or {self.component.category, edge.component.category} != {"network", "external"}:
            return False
        service, host = self.component.name, edge.component.name
        if edge.component.category == "network":
            service, host = host, service
        return host == service or host.startswith((f"{service}.", f"{service}:"))

    @property
    def service(self) -> str:
        """The service that the time belongs to: the caller of its own time, else the callee."""
        return self.caller if self.is_own else self.component.name

    @property
    def label(self) -> str:
        """The edge for people: `network to payments (called by checkout)`; without the caller if that has no name."""
        return self._with_caller(self.component.label)

    @property
    def phrase(self) -> str:
        """The edge inside a sentence, after "wait for": `the network to payments (called by checkout)`."""
        return self._with_caller(self.component.phrase)

    def _with_caller(self, component: str) -> str:
        return component if self.is_own or not self.caller else f"{component} (called by {self.caller})"
