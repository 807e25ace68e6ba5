"""Whose a service or a callee is, where the user says otherwise than its spans do."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from lambda_latency.latency.part import Part
from lambda_latency.trace import PLAIN, View

__all__ = ["NOBODY", "USUAL", "Owners", "Terms"]

NAMED = ("aws", "database", "external", "messaging", "network", "service")  # buckets whose names are those of others


class Owners(NamedTuple):
    """Patterns (`*`, `?`, `[abc]`, of any case) of services, hosts and parts that are `ours`, and that are `theirs`."""

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()

    def whose(self, name: str) -> str:
        """`ours`, `theirs`, or nothing where no pattern fits."""
        for owner, patterns in (("theirs", self.theirs), ("ours", self.ours)):
            if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns):
                return owner
        return ""

    def of(self, part: Part) -> Part:
        """The same part, owned by whom the user says."""
        if not (self.ours or self.theirs) or part.bucket not in NAMED:
            return part
        return part._replace(whose=self.whose(part.name)).plain()


class Terms(NamedTuple):
    """What a user decides about judging: how traces are looked at, and whose services are."""

    view: View = PLAIN
    owners: Owners = Owners()


NOBODY = Owners()
USUAL = Terms()
