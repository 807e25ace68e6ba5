"""The verdict: which part makes slow requests slow, how sure that is, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lambda_latency.latency.accounts import Accounts
from lambda_latency.latency.cohorts import Cohorts, Compared, Slow
from lambda_latency.latency.part import Part
from lambda_latency.latency.thresholds import (
    DOMINANT_PERCENT,
    ENOUGH_REQUESTS,
    ENOUGH_SLOW,
    EVEN_NS,
    EVEN_WIDTHS,
    NEVER_EVEN_TIMES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency.account import Account

__all__ = ["Confidence", "Kind", "Verdict", "share", "verdict"]

CANDIDATE_PERCENT = 10  # of the difference: a part with less is no reason that anybody would look for

Kind: TypeAlias = Literal["clear", "thin", "even", "alone", "one", "none"]
Confidence: TypeAlias = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`clear` and `one` name a `part`; `thin` names `candidates` and owns none; `even` and `none` claim nothing;
    `alone`: the slow requests have no others of their route beside them.

    `proof` is a slow request that shows it, `against` one that was slow for something else, `others` how many of
    those there are.
    """

    kind: Kind
    confidence: Confidence
    requests: int
    part: Part | None = None
    candidates: tuple[Compared, ...] = ()
    proof: Slow | None = None
    against: Slow | None = None
    others: int = 0


def verdict(accounts: Sequence[Account], compared: Cohorts) -> Verdict:
    """The verdict about some requests and the cohorts that were made of them."""
    if not accounts:
        return Verdict("none", "low", 0)
    if len(accounts) == 1:
        [one] = accounts
        part, ns = one.parts[0] if one.parts else (None, 0)
        return Verdict("one", "low", 1, part, proof=Slow(one, part, ns) if part is not None else None)
    ended = len(Accounts.of(accounts).ended())
    enough = [ended >= ENOUGH_REQUESTS, len(compared.slow) >= ENOUGH_SLOW]
    if compared.alone and not compared.slow:
        return Verdict("alone", "low", ended, proof=compared.alone[0])
    if _is_even(compared):
        confidence: Confidence = "high" if all(enough) else "medium" if enough[0] else "low"
        return Verdict("even", confidence, ended, candidates=compared.parts[:1])
    first = compared.parts[0]
    # Of one request that waited very long the mean is a witness too: the share has to hold without any one of them,
    # and half of them have to say the same.
    dominant = compared.least_share >= DOMINANT_PERCENT and 2 * first.largest_in_slow >= len(compared.slow)
    held = sum([*enough, dominant])
    confidence = "high" if held == 3 else "medium" if held == 2 else "low"
    agree = [one for one in compared.slow if one.part == first.part]
    differ = [one for one in compared.slow if one.part != first.part]
    return Verdict(
        kind="clear" if held == 3 else "thin",
        confidence=confidence,
        requests=ended,
        part=first.part if held == 3 else None,
        candidates=(first, *(one for one in compared.parts[1:2] if share(one, compared) >= CANDIDATE_PERCENT)),
        proof=agree[len(agree) // 2] if agree else compared.slow[0],  # one of the middle: the longest may be an outlier
        against=differ[0] if differ else None,
        others=len(differ),
    )


def _is_even(compared: Cohorts) -> bool:
    more = compared.difference_ns
    if not compared.slow or more < EVEN_NS:
        return True
    return more < EVEN_WIDTHS * compared.width_ns and more < NEVER_EVEN_TIMES * compared.typical_mean_ns


def share(one: Compared, compared: Cohorts) -> int:
    """How many percent of the difference a part explains, rounded half up."""
    whole = compared.difference_ns
    return (200 * one.difference_ns + whole) // (2 * whole) if whole > 0 else 0
