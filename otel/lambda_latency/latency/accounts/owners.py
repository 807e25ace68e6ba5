"""Owners of services and callees: patterns of the user override what the spans say."""

from __future__ import annotations

import shlex
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.hosts import Ground, bare_host, is_located, is_private, told_by_name
from lambda_latency.latency.accounts.part import BUCKETS, Part
from lambda_latency.trace import PLAIN, View

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.columns import Accounts

NAMED = ("aws", "database", "external", "messaging", "network")  # buckets whose names are those of callees
LOCATED = ("external", "database", "messaging")  # buckets whose names may be hosts
SERVICES = ("cold start", "network", "own code")  # buckets whose names are those of services that recorded spans

# The evidence for the owner of a bucket.
EVIDENCE = {
    "cold start": "the start of a function that records spans in these traces",
    "own code": "code that records spans in these traces",
    "connect": "a connection that this code opens",
    "retries": "attempts of this code's own client",
    "telemetry": "the export of this code's own spans",
    "aws": "a service of AWS",
    "external": "a call that leaves these traces",
    "database": "a database, which records no spans",
    "messaging": "a broker, which records no spans",
    "pool": "a pool of this code's own client",
    "network": "the way to a service that records spans in these traces",
    "step functions": "a state machine that records segments in these traces",
    "queue": "a queue between services of these traces",
    "api gateway": "a part of AWS's platform",
    "lambda": "a part of AWS's platform",
    "laptop": "a part of the machine that stands for AWS, as its spans say",
    "unknown": "no span names what ran there",
}


class Owners(NamedTuple):
    """Patterns (`*`, `?`, `[abc]`, case-insensitive) of services, hosts and parts that are `ours` or `theirs`.

    `seen` are the services that recorded spans anywhere in the input: a call to one is ours, even without spans of its
    own.
    """

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()

    def whose(self, name: str) -> str:
        """`ours`, `theirs`, or an empty string if no pattern matches; `theirs` is tried first."""
        return self._matched(name)[0]

    def of(self, part: Part) -> Part:
        """The part with its owner: by the user's patterns, else by the services seen, else by its name or bucket."""
        if part.bucket not in NAMED:
            return part
        if part.bucket in LOCATED or self.ours or self.theirs:
            return part._replace(whose=self.ground(part).owner).plain()
        return part if not part.whose else part._replace(whose="")

    def ground(self, part: Part) -> Ground:
        """The owner of a part and the evidence for it. The name may be in quotes, as in a report for assistants."""
        part = part._replace(name=part.name.strip('"'))
        whose, pattern = self._matched(part.name) if part.bucket in NAMED else ("", "")
        if whose:
            return Ground(whose, f"matched by --{whose} '{pattern}'")
        if part.bucket in LOCATED and part.name:
            return self._located(part)
        return Ground(BUCKETS[part.bucket], EVIDENCE[part.bucket])

    def settling(self, part: Part) -> str:
        """The options that settle an unknown owner, ready to type; empty if the owner is known or has no name."""
        if part.bucket not in LOCATED or not part.name or self.ground(part).owner != "unknown":
            return ""
        pattern = shlex.quote(part.name.replace("[", "[[]"))
        return f"--ours {pattern} or --theirs {pattern}"

    def _located(self, part: Part) -> Ground:
        """The owner of a callee that a host or a name tells: the last word of the name of a database."""
        callee = part.name if part.bucket == "external" else part.name.rpartition(" ")[2]
        service = self._seen_as(callee)
        if service and part.bucket == "external":
            return Ground("ours", f"the service {service}, which records spans in these traces")
        told = told_by_name(callee)
        if part.bucket == "external" or (told.owner == "unknown" and is_located(callee)):
            return told
        return Ground(BUCKETS[part.bucket], EVIDENCE[part.bucket])

    def _seen_as(self, callee: str) -> str:
        """The service seen that a callee names: by its whole name, or a private host by the label that it begins with.

        `reviews.internal` and `reviews.prod.svc.cluster.local` are the service `reviews`; `reviews.example.com` is not.
        """
        if callee in self.seen:
            return callee
        host = bare_host(callee)
        names = {host}
        if is_private(callee):
            names.add(host.partition(".")[0])
        return next((one for one in sorted(self.seen) if one.lower() in names), "")

    def _matched(self, name: str) -> tuple[str, str]:
        for owner, patterns in (("theirs", self.theirs), ("ours", self.ours)):
            for pattern in patterns:
                if fnmatchcase(name.lower(), pattern.lower()):
                    return owner, pattern
        return "", ""

    def settle(self, *every: Accounts) -> Owners:
        """The owners with the services seen in these accounts; the parts of the accounts get their owners in place."""
        parts = {part.name for accounts in every for part in accounts.parts if part.bucket in SERVICES}
        functions = {kind.function for accounts in every for kind in accounts.kinds}
        found = self._replace(seen=(self.seen | parts | functions) - {""})
        for accounts in every:
            accounts.rename(found.of)
        return found


class Terms(NamedTuple):
    """The user's options for judging: the view of traces, and the owners of services."""

    view: View = PLAIN
    owners: Owners = Owners()


NOBODY = Owners()
USUAL = Terms()
