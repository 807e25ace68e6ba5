"""Whose a service or a callee is, where the user says otherwise than its spans do."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.part import Part
from lambda_latency.trace import PLAIN, View

if TYPE_CHECKING:
    from lambda_latency.latency.accounts import Accounts

__all__ = ["NOBODY", "USUAL", "Owners", "Terms"]

NAMED = ("aws", "database", "external", "messaging", "network", "service")  # buckets whose names are those of others
SERVICES = ("cold start", "network", "own code")  # and those whose names are of services that recorded spans


class Owners(NamedTuple):
    """Patterns (`*`, `?`, `[abc]`, of any case) of services, hosts and parts that are `ours`, and that are `theirs`.

    `seen` are services that recorded spans anywhere in the input: a call to one is ours, answered or not.
    """

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()

    def whose(self, name: str) -> str:
        """`ours`, `theirs`, or nothing where no pattern fits."""
        for owner, patterns in (("theirs", self.theirs), ("ours", self.ours)):
            if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns):
                return owner
        return ""

    def of(self, part: Part) -> Part:
        """The same part, owned by whom the user says, else by those whose spans were seen."""
        if not (self.ours or self.theirs or self.seen) or part.bucket not in NAMED:
            return part
        whose = self.whose(part.name)
        if not whose and part.bucket == "external" and part.name in self.seen:
            whose = "ours"
        return part._replace(whose=whose).plain()

    def settle(self, *every: Accounts) -> Owners:
        """The same with the services that are seen in some accounts, whose parts get their owners by that."""
        parts = {part.name for accounts in every for part in accounts.parts if part.bucket in SERVICES}
        functions = {kind.function for accounts in every for kind in accounts.kinds}
        found = self._replace(seen=(self.seen | parts | functions) - {""})
        for accounts in every:
            accounts.rename(found.of)
        return found


class Terms(NamedTuple):
    """What a user decides about judging: how traces are looked at, and whose services are."""

    view: View = PLAIN
    owners: Owners = Owners()


NOBODY = Owners()
USUAL = Terms()
