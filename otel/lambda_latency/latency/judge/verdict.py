"""The verdict: the part that makes slow requests slow, the confidence, and the evidence against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lambda_latency.latency.accounts.columns import Accounts
from lambda_latency.latency.accounts.part import Part
from lambda_latency.latency.judge.classes import Confidence
from lambda_latency.latency.judge.cohorts import Cohorts, Compared, Slow
from lambda_latency.latency.judge.thresholds import (
    ENOUGH_REQUESTS,
    EVEN_NS,
    EVEN_WIDTHS,
    NEVER_EVEN_TIMES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency.accounts.account import Account
    from lambda_latency.latency.baseline.causes import Cause
    from lambda_latency.latency.judge.classes import Classes

__all__ = ["Confidence", "Kind", "Verdict", "share", "verdict"]

CANDIDATE_PERCENT = 10  # of the difference: smaller parts are not worth naming

Kind: TypeAlias = Literal["clear", "thin", "even", "alone", "one", "none"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict on `requests` requests.

    `clear` and `one` name a `part`: that of the first class. `thin` names `candidates` and no part. `even` and `none`
    claim nothing. `alone`: the slow requests are of routes with too few requests for a comparison. `proof` is a slow
    request that supports the verdict, `against` one that no class explains; `others` is the number of the latter.
    `suspects` of `thin` and `even` are ranked as causes are, and not blamed.
    """

    kind: Kind
    confidence: Confidence
    requests: int
    part: Part | None = None
    candidates: tuple[Compared, ...] = ()
    proof: Slow | None = None
    against: Slow | None = None
    others: int = 0
    suspects: tuple[Cause, ...] = ()


def verdict(accounts: Sequence[Account], compared: Cohorts, found: Classes) -> Verdict:
    """The verdict on these requests, from their classes; `compared` are their slow and typical requests."""
    if not accounts:
        return Verdict("none", "low", 0)
    if len(accounts) == 1:
        [one] = accounts
        part, ns = one.parts[0] if one.parts else (None, 0)
        return Verdict("one", "low", 1, part, proof=Slow(one, part, ns) if part is not None else None)
    every = Accounts.of(accounts)
    ended = len(every.ended())
    if found.found:
        return _clear(every, compared, found, ended)
    if compared.alone and not compared.slow:
        return Verdict("alone", "low", ended, proof=compared.alone[0])
    enough = ended >= ENOUGH_REQUESTS
    judged, slow = bool(found.slowness.judged), bool(found.slow)
    if (judged and not slow) or (not judged and _is_even(compared)):
        confidence: Confidence = "low" if not enough else "medium" if found.slowness.left_out else "high"
        return Verdict("even", confidence, ended, candidates=compared.parts[:1], suspects=_suspects(every, compared))
    first = compared.parts[0]
    agree = [one for one in compared.slow if one.part == first.part]
    differ = [one for one in compared.slow if one.part != first.part]
    return Verdict(
        kind="thin",
        confidence="low",
        requests=ended,
        candidates=(first, *(one for one in compared.parts[1:2] if share(one, compared) >= CANDIDATE_PERCENT)),
        proof=agree[len(agree) // 2] if agree else compared.slow[0],  # the median: the slowest may be an outlier
        against=differ[0] if differ else None,
        others=len(differ),
        suspects=_suspects(every, compared),
    )


def _clear(every: Accounts, compared: Cohorts, found: Classes, ended: int) -> Verdict:
    """The verdict of the first class."""
    first = found.found[0]
    by_id = {one.account.trace_id: one for one in compared.slow}
    part = first.cell.part
    unexplained = {every.trace_id(at) for at in (*found.mixed, *found.alike)}
    rest = [one for one in compared.slow if one.account.trace_id in unexplained]  # the slowest first
    return Verdict(
        kind="clear",
        confidence=first.confidence,
        requests=ended,
        part=part,
        candidates=tuple(one for one in compared.parts if one.part == part),
        proof=Slow(by_id[every.trace_id(first.example)].account, part, first.excess_ns),
        against=rest[0] if rest else None,
        others=len(rest),
    )


def _suspects(every: Accounts, compared: Cohorts) -> tuple[Cause, ...]:
    from lambda_latency.latency.baseline.causes import suspects  # most reports have a class, and need none

    return suspects(every, compared)


def _is_even(compared: Cohorts) -> bool:
    more = compared.difference_ns
    if not compared.slow or more < EVEN_NS:
        return True
    return more < EVEN_WIDTHS * compared.width_ns and more < NEVER_EVEN_TIMES * compared.typical_mean_ns


def share(one: Compared, compared: Cohorts) -> int:
    """The percentage of the difference that a part explains, rounded half up; 0 if there is no positive difference."""
    whole = compared.difference_ns
    return (200 * one.difference_ns + whole) // (2 * whole) if whole > 0 else 0
