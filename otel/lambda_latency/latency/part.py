"""A part of a request's time: the bucket it is charged to, the name inside the bucket, and whose it is."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "API_GATEWAY",
    "BUCKETS",
    "COLD_START",
    "OVERHEAD",
    "OWN_CODE",
    "SERVICE",
    "TELEMETRY",
    "UNKNOWN",
    "Part",
    "resource_of",
]

# Every bucket there is, and whose it is: ours to change, theirs to ask about, the platform's, or not to be told.
BUCKETS = {
    "cold start": "ours",
    "own code": "ours",
    "connect": "ours",
    "retries": "ours",  # they name the resource: capacity is ours to change
    "telemetry": "ours",
    "aws": "theirs",
    "external": "theirs",
    "database": "theirs",
    "messaging": "theirs",  # a broker that is no service of AWS's
    "pool": "ours",  # the wait for a connection of a pool that has none left
    "network": "ours",  # between two services that both record spans
    "step functions": "ours",
    "queue": "ours",  # from a sender to its consumer: how many there are, and how they poll, is ours to change
    "api gateway": "platform",
    "lambda": "platform",
    "unknown": "unknown",
}

PREFIXES = {
    "connect": "connect to ",
    "lambda": "Lambda ",
    "network": "network to ",
    "pool": "pool of ",
    "queue": "queue ",
    "retries": "retries ",
    "step functions": "Step Functions ",
}


class Part(NamedTuple):
    """Where a piece of time goes: `Part("aws", "DynamoDB PutItem orders")`.

    A tuple, because it is the key of every sum that is made: its hash takes a fifth of a dataclass's. `whose` is its
    owner, where that is another than its bucket's. Own code and cold starts have the name of their service; without a
    name they are those of the function that the request came to.
    """

    bucket: str
    name: str = ""
    whose: str = ""

    @property
    def owner(self) -> str:
        """`ours`, `theirs`, `platform`, or `unknown`."""
        return self.whose or BUCKETS[self.bucket]

    def plain(self) -> Part:
        """The same; the owner of its bucket is not said twice."""
        return self._replace(whose="") if self.whose == BUCKETS[self.bucket] else self

    @property
    def label(self) -> str:
        """The part as people call it."""
        if self.bucket == "api gateway":
            return "API Gateway"
        if self.bucket in ("own code", "cold start") and self.name:
            return f"{self.name}: {self.bucket}"
        prefix = PREFIXES.get(self.bucket, "")
        return f"{prefix}{self.name}" if self.name else self.bucket

    @property
    def phrase(self) -> str:
        """The part inside a sentence, behind "wait for"."""
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
            "unknown": "work that no span describes",
        }
        return words.get(self.bucket, self.label)


COLD_START = Part("cold start")
OWN_CODE = Part("own code")
TELEMETRY = Part("telemetry")
API_GATEWAY = Part("api gateway")
SERVICE = Part("lambda", "service")
OVERHEAD = Part("lambda", "overhead")
UNKNOWN = Part("unknown")


def resource_of(name: str) -> str:
    """The service and, where it is known, the resource of a call: capacity is a table's, not an operation's."""
    service, _, rest = name.partition(" ")
    _, _, resource = rest.partition(" ")
    return f"{service} {resource}" if resource else service
