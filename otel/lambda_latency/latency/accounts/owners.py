"""Owners of services and callees: patterns of the user override what the spans say."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.part import Part
from lambda_latency.trace import PLAIN, View

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.columns import Accounts

__all__ = ["NOBODY", "USUAL", "Owners", "Terms"]

NAMED = ("aws", "database", "external", "messaging", "network")  # buckets whose names are those of callees
SERVICES = ("cold start", "network", "own code")  # buckets whose names are those of services that recorded spans


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
        for owner, patterns in (("theirs", self.theirs), ("ours", self.ours)):
            if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns):
                return owner
        return ""

    def of(self, part: Part) -> Part:
        """The part with its owner: by the user's patterns, else by the services seen, else by its bucket."""
        if not (self.ours or self.theirs or self.seen) or part.bucket not in NAMED:
            return part
        whose = self.whose(part.name)
        if not whose and part.bucket == "external" and part.name in self.seen:
            whose = "ours"
        return part._replace(whose=whose).plain()

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
