"""The fault plan: the faults that are injected, where, and how often. The handlers are unchanged.

A plan is JSON: `{"seed": 1, "rules": [{"at": "provider", "kind": "delay", "share": 0.2, "ms": 900}]}`. Draws are
stratified: of n calls that a rule applies to, it hits share x n, within one. The seed decides which calls are hit.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

from lambda_latency.http import Handler, reset, wait_for_hangup
from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.spelling import did_you_mean
from lambda_latency.template import nearest

KINDS = {
    "provider": ("delay", "throttle", "status", "hang", "reset"),
    "table": ("delay", "throttle", "status", "hang", "reset"),
    "connect": ("delay", "hang", "reset"),  # when a connection to the provider is opened
    "function": ("delay", "cpu", "regex", "lock", "timeout"),
}
CREDENTIAL = re.compile(r"Credential=([^/]+)/")


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One fault. `ms` is the duration of timed kinds, `status` that of kind `status`; no `route` means all routes."""

    at: str
    kind: str
    share: float
    ms: int = 0
    route: str | None = None
    status: int = 503


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """All faults of a run, and the seed of their draws."""

    seed: int = 1
    rules: tuple[FaultRule, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> FaultPlan:
        """Reads a plan. Raises `UsageError` with the wrong rule, its value and the valid values."""
        try:
            plan = json.loads(text)
        except ValueError as error:
            raise _wrong(f"the fault plan is not JSON: {error}") from error
        if not isinstance(plan, dict) or not isinstance(plan.get("rules"), list):
            raise _wrong('a fault plan is an object with "rules", a list')
        _known(plan, ("seed", "rules"), "the fault plan")
        seed = plan.get("seed", 1)
        if type(seed) is not int:
            raise _wrong(f'"seed" must be a whole number, got {seed!r}')
        rules = [_rule(rule, f"rule {number}") for number, rule in enumerate(plan["rules"], start=1)]
        return cls(seed, tuple(rules))

    def check_routes(self, routes: Collection[str]) -> None:
        """Raises `LocalError` for a rule whose route does not exist, because it would never apply."""
        for number, rule in enumerate(self.rules, start=1):
            if rule.route is not None and rule.route not in routes:
                raise LocalError(
                    f"the fault plan's rule {number} is for the route {rule.route!r}, which the template does not have",
                    nearest(rule.route, routes),
                )

    def faults_at(self, *places: str) -> Faults:
        """Return the draws of the faults at these places."""
        return Faults(self, places)


class Faults:
    """Draws the fault of each call. Thread-safe."""

    def __init__(self, plan: FaultPlan, places: tuple[str, ...]) -> None:
        self._rules = [
            _Draw(rule, f"{plan.seed}/{index}") for index, rule in enumerate(plan.rules) if rule.at in places
        ]
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._rules)

    def next(self, routes: tuple[str, ...] = ()) -> FaultRule | None:
        """Return the fault of the next call for one of `routes`, by the first rule that hits it; None without a hit."""
        with self._lock:
            hits = [draw.rule for draw in self._rules if draw.rule.route in (None, *routes) and draw.hit()]
        return hits[0] if hits else None


@dataclass(slots=True)
class _Draw:
    rule: FaultRule
    seed: str
    calls: int = 0
    place: int = field(default=-1)

    def hit(self) -> bool:
        """Return whether the next call is hit: one call, at a random position, in each run of 1/share calls."""
        # The exact fraction (1/3, not the nearest float), so that rounding loses no hit.
        call, share = self.calls, Fraction(self.rule.share).limit_denominator(10**9)
        self.calls += 1
        if not share:
            return False
        run = int(call * share)
        if call == 0 or int((call - 1) * share) != run:  # a new run of calls begins
            end = ceil((run + 1) / share) - 1
            self.place = random.Random(f"{self.seed}/{run}").randint(call, end)  # noqa: S311 - a draw, not a secret
        return call == self.place


def read_plan(path: Path) -> FaultPlan:
    """Return the plan in a file. Raises `UsageError` that names the file and the rule."""
    try:
        return FaultPlan.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "--faults takes a JSON file") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text", "--faults takes a JSON file") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", error.todo) from error


def _rule(rule: Any, where: str) -> FaultRule:
    if not isinstance(rule, dict):
        raise _wrong(f"{where} must be an object, got {rule!r}")
    _known(rule, ("at", "kind", "share", "ms", "route", "status"), where)
    place, kind = rule.get("at"), rule.get("kind")
    if not isinstance(place, str) or place not in KINDS:
        raise _wrong(f'{where}: "at" must be one of {", ".join(KINDS)}, got {place!r}')
    if kind not in KINDS[place]:
        raise _wrong(f'{where}: "kind" at {place} must be one of {", ".join(KINDS[place])}, got {kind!r}')
    share = rule.get("share", 1)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise _wrong(f'{where}: "share" must be between 0 and 1, got {share!r}')
    ms = rule.get("ms", 0)
    if type(ms) is not int or ms < 0 or (kind in ("delay", "cpu", "regex", "lock") and ms == 0):
        raise _wrong(f'{where}: "ms" must be a whole number of milliseconds above 0, got {rule.get("ms")!r}')
    route = rule.get("route")
    if route is not None and (place == "connect" or not isinstance(route, str) or " /" not in route):
        raise _wrong(f'{where}: "route" must read like "POST /orders" (and none at connect), got {route!r}')
    status = rule.get("status", 503)
    if type(status) is not int or not 400 <= status <= 599:
        raise _wrong(f'{where}: "status" must be between 400 and 599, got {status!r}')
    return FaultRule(place, kind, float(share), ms, route, status)


def _known(fields: dict[str, Any], valid: tuple[str, ...], where: str) -> None:
    for key in fields:
        if key not in valid:
            hint = did_you_mean(str(key), valid, f"known are {', '.join(valid)}", quoted=True)
            raise _wrong(f"{where}: unknown key {key!r}; {hint}")


def _wrong(mistake: str) -> UsageError:
    return UsageError(mistake, 'for example {"rules": [{"at": "provider", "kind": "delay", "share": 0.2, "ms": 900}]}')


class TableFaults:
    """The faults that a plan has for tables. `routes` are the routes of each function."""

    def __init__(self, plan: FaultPlan, routes: Mapping[str, Iterable[str]]) -> None:
        self._faults: Faults = plan.faults_at("table")
        self._routes = {function: tuple(names) for function, names in routes.items()}

    def meet(self, call: Handler) -> bool:
        """Let a received call suffer its fault; True if that was its answer."""
        signed_by = CREDENTIAL.search(call.headers.get("Authorization", ""))
        function = signed_by[1] if signed_by else ""
        if function not in self._routes or not call.headers.get("X-Amz-Target", "").startswith("DynamoDB_"):
            return False
        fault = self._faults.next(self._routes[function])
        if fault is None:
            return False
        if fault.kind == "delay":
            time.sleep(fault.ms / 1000)
            return False
        if fault.kind == "throttle":
            _refuse(call, 400, "ProvisionedThroughputExceededException", "The level of throughput was exceeded.")
        elif fault.kind == "status":
            _refuse(call, fault.status, "InternalServerError", "The request could not be processed.")
        else:
            if fault.kind == "hang":
                wait_for_hangup(call.connection)
            reset(call.connection)
            call.close_connection = True
        return True


def _refuse(call: Handler, status: int, kind: str, message: str) -> None:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": message}).encode()
    call.answer(status, body, {"Content-Type": "application/x-amz-json-1.0"})
