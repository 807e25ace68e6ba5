"""Own code by its lines, as words: the clause of a sentence, and the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, fit, ms, number, plural, right

if TYPE_CHECKING:
    from lambda_latency.latency import OwnCode, PlaceTime

WAITS_FOR = {
    "lock": "waiting for a lock",
    "sleep": "waiting in a sleep",
    "file": "waiting for a file",
    "network": "waiting for the network",
    "process": "waiting for another process",
    "DNS": "waiting for DNS",
}
LEAST_SHARE = 20  # a place with less than this fraction (1/20) of the excess is not named
MOST_NAMED, MOST_PLACES = 2, 5
TIME = 10


def of_which(code: OwnCode | None, excess_ns: int, style: Style) -> list[Piece]:
    """` (of which 1,096 ms in functions/orders.py:14 price(), computing)`; nothing without samples."""
    if code is None:
        return []
    named = [one for one in code.places if one.place.file and one.requests and one.excess_ns * LEAST_SHARE >= excess_ns]
    pieces: list[Piece] = []
    for one in named[:MOST_NAMED]:
        state = f", {doing(one)}" if doing(one) else ""
        count = f", in {number(one.requests)} of them" if one.requests < code.requests else ""
        pieces.append(Piece(f"{' and ' if pieces else ' (of which '}{'about ' if one.about else ''}"))
        pieces.append(Piece(f"{ms(min(one.excess_ns, excess_ns), style)} in {clean(one.place.label, style)}", "bold"))
        pieces.append(Piece(f"{state}{count}"))
    return [*pieces, Piece(")")] if pieces else []


def own_code_step(code: OwnCode | None) -> str:
    """The next step for the first line; empty without samples. Memory is advised only where the line computes."""
    first = code.places[0] if code is not None and code.places else None
    if first is None or not first.place.file:
        return ""
    step = {
        "computing": "Let it compute less, move it out of the request, or give the function more memory (CPU scales "
        "with memory).",
        "lock": "Hold the lock for a shorter time, or do not share what it guards: memory does not shorten a wait.",
        "waiting": "Wait for less, or for several things at once: memory does not shorten a wait.",
    }
    return f"Look at {first.place.label}. {step.get(first.waits_for) or step.get(first.state, '')}".strip()


def doing(one: PlaceTime) -> str:
    """`computing`, `waiting for a lock`; empty if the samples do not tell."""
    return WAITS_FOR.get(one.waits_for, one.state) if one.state == "waiting" else one.state


def own_code_lines(code: OwnCode | None, style: Style, heading: str) -> list[Line]:
    """The places with the most time, and the time without samples, each a line; nothing without samples."""
    if code is None:
        return []
    alone = code.requests == 1
    lines: list[Line] = [[], [Piece(fit(heading, style.width, style), "bold")]]
    places = [one for one in code.places if alone or one.excess_ns > 0]
    for one in places[:MOST_PLACES]:
        below = f" > {one.place.below}" if one.place.file and one.place.below else ""
        told = ", ".join(text for text in (doing(one), one.source) if text)
        text = clean(f"{one.place.label}{below}" + (f"  {told}" if told else ""), style)
        ns = one.slow_ns if alone else one.excess_ns
        lines.append([Piece(right(ms(ns, style), TIME), "bold"), Piece(fit(f"  {text}", style.width - TIME, style))])
    rest = places[MOST_PLACES:]
    if rest:
        ns = sum(one.slow_ns if alone else one.excess_ns for one in rest)
        lines.append([Piece(right(ms(ns, style), TIME)), Piece(f"  {plural(len(rest), 'more place')}", "dim")])
    if code.unsampled_ns > 0:
        lines.append([Piece(right(ms(code.unsampled_ns, style), TIME)), Piece("  before sampling", "dim")])
    return lines


def own_code_values(code: OwnCode | None) -> dict[str, object] | None:
    """The same as JSON values; None without samples."""
    if code is None:
        return None
    return {
        "requests": code.requests,
        "typical_requests": code.typical,
        "before_sampling_ns": code.unsampled_ns,
        "places": [
            {
                "file": one.place.file,
                "line": one.place.line,
                "function": one.place.function,
                "called": one.place.below or None,
                "source": one.source or None,
                "excess_ns": one.excess_ns,
                "slow_ns": one.slow_ns,
                "requests": one.requests,
                "cpu_share": None if one.cpu is None else round(one.cpu, 3),
                "state": one.state or None,
                "waits_for": one.waits_for or None,
                "about": one.about,
            }
            for one in code.places
        ],
    }
