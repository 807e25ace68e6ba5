"""A part of a request's time: its bucket, its name inside the bucket, and its owner. A cell adds who waits for it."""

from __future__ import annotations

from typing import NamedTuple

# All buckets and their owners. A team changes what is `ours`, and asks the owner of what is `theirs`.
BUCKETS = {
    "cold start": "ours",
    "own code": "ours",
    "connect": "ours",
    "retries": "ours",  # named after the resource: its capacity is ours to change
    "telemetry": "ours",
    "aws": "theirs",
    "external": "theirs",
    "database": "theirs",
    "messaging": "theirs",  # a broker outside AWS
    "pool": "ours",  # the wait for a connection of an exhausted pool
    "network": "ours",  # between two services that both record spans
    "step functions": "ours",
    "queue": "ours",  # from a sender to its consumer, or a poll: consumers and their polling are ours to change
    "api gateway": "platform",
    "lambda": "platform",
    "laptop": "ours",  # gateway, queue and sandbox of the machine that stands for AWS (serve, demo, invoke)
    "unknown": "unknown",
}

PREFIXES = {
    "connect": "connect to ",
    "lambda": "Lambda ",
    "laptop": "this machine's ",
    "network": "network to ",
    "pool": "pool of ",
    "queue": "queue ",
    "retries": "retries ",
    "step functions": "Step Functions ",
    "unknown": "unknown ",
}


class Part(NamedTuple):
    """A destination of time: `Part("aws", "DynamoDB PutItem orders")`.

    A tuple, because parts are the keys of all sums: hashing one takes a fifth of the time of a dataclass. `whose` is
    the owner if it is not that of the bucket. Own code and cold starts are named after their service; without a name
    they belong to the function that received the request first.
    """

    bucket: str
    name: str = ""
    whose: str = ""

    @property
    def owner(self) -> str:
        """`ours`, `theirs`, `platform`, or `unknown`."""
        return self.whose or BUCKETS[self.bucket]

    def plain(self) -> Part:
        """The part with an empty `whose` if that is the owner of its bucket."""
        return self._replace(whose="") if self.whose == BUCKETS[self.bucket] else self

    @property
    def label(self) -> str:
        """The name of the part for people."""
        if self.bucket == "api gateway":
            return "API Gateway"
        if self.bucket in ("own code", "cold start") and self.name:
            return f"{self.name}: {self.bucket}"
        prefix = PREFIXES.get(self.bucket, "")
        return f"{prefix}{self.name}" if self.name else self.bucket

    @property
    def phrase(self) -> str:
        """The part inside a sentence, after "wait for"."""
        if self.bucket == "lambda":
            return f"the Lambda {self.name}" if self.name == "service" else f"Lambda's {self.name}"
        words = {
            "cold start": f"a cold start of {self.name}" if self.name else "a cold start",
            "own code": f"the code of {self.name}" if self.name else "their own code",
            "queue": f"the queue {self.name}",
            "network": f"the network to {self.name}",
            "connect": f"connections to {self.name}",
            "pool": f"a connection of the pool of {self.name}",
            "retries": f"retries of {self.name}",
            "telemetry": "telemetry",
            "unknown": "calls that do not name their callee" if self.name else "work that no span describes",
        }
        return words.get(self.bucket, self.label)


COLD_START = Part("cold start")
OWN_CODE = Part("own code")
TELEMETRY = Part("telemetry")
API_GATEWAY = Part("api gateway")
SERVICE = Part("lambda", "service")
OVERHEAD = Part("lambda", "overhead")
LAPTOP_GATEWAY = Part("laptop", "gateway")
LAPTOP_QUEUE = Part("laptop", "queue")
LAPTOP_SANDBOX = Part("laptop", "sandbox")
UNKNOWN = Part("unknown")
UNKNOWN_CALLEE = Part("unknown", "callee")


def resource_of(name: str) -> str:
    """The service and, if known, the resource of a call: capacity belongs to a table, not to an operation."""
    service, _, rest = name.partition(" ")
    _, _, resource = rest.partition(" ")
    return f"{service} {resource}" if resource else service


OWN = (
    "own code",
    "cold start",
    "telemetry",
    "lambda",
    "api gateway",
    "laptop",
    "unknown",
)  # buckets that are no callee


class Cell(NamedTuple):
    """A part and the service whose span waits for it: `Cell("checkout", Part("network", "payments"))`.

    `caller` is empty for the function that received the request first.
    """

    caller: str
    part: Part

    @property
    def is_own(self) -> bool:
        """Whether the time is the caller's own; every other cell is an edge to a callee."""
        return self.part.bucket in OWN

    @property
    def of_all(self) -> Cell:
        """The cell for all callers: a call of a service without its caller."""
        return Cell("", self.part) if self.part.bucket == "network" else self

    @property
    def service(self) -> str:
        """The service that the time belongs to: the caller of its own time, else the callee."""
        return self.caller if self.is_own else self.part.name

    @property
    def label(self) -> str:
        """The cell for people: `checkout -> network to payments`; without the caller if that has no name."""
        return self.part.label if self.is_own or not self.caller else f"{self.caller} -> {self.part.label}"
