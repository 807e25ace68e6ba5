"""The sentences of a report: verdict, confidence, counter-evidence, timeouts, and the next steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import DOMINANT_PERCENT, ENOUGH_REQUESTS, ENOUGH_SLOW, FLOW, RUNS_ON, advice, share
from lambda_latency.text.cautions import failed_first
from lambda_latency.text.classes import OWNED, class_sentence
from lambda_latency.text.findings import cell_steps, finding_pieces
from lambda_latency.text.style import Piece, Style
from lambda_latency.text.words import clean, explained, ms, number, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency import Part, Report, Timeout

__all__ = ["MOST_GROUPS", "OWNED", "evidence", "flat", "next_steps", "sentence", "timeout_groups", "timeout_sentence"]

MOST_GROUPS = 3  # calls that were running at deadlines: one step each
MOST_OF_ONE = 3  # parts of a single request
MOST_ROUTES = 6  # that are named


def flat(pieces: Sequence[Piece]) -> str:
    """The plain text of a sentence, with ordinary spaces in numbers, as in the JSON report."""
    return "".join(piece.text for piece in pieces).replace("\u202f", " ")


def sentence(report: Report, style: Style) -> list[Piece]:
    """The verdict, the named part and its numbers in bold."""
    if report.verdict.kind == "none":
        return [Piece("No requests: no trace was read.")]
    return {"clear": _clear, "thin": _thin, "even": _even, "alone": _alone, "one": _one}[report.verdict.kind](
        report, style
    )


def evidence(report: Report, style: Style) -> list[Piece]:
    """The confidence and its reason, the counter-evidence, and the number of requests that a verdict needs."""
    found, slow = report.verdict, len(report.cohorts.slow)
    if found.kind == "none":
        return []
    if found.kind == "one":
        return [Piece("One request cannot tell slow from typical: no cause is named. Give more traces for a verdict.")]
    if found.kind == "alone":
        return [Piece(f"For a verdict: {20 * ENOUGH_SLOW} requests or more of few routes.")]
    if found.kind == "even":
        return [Piece(_most_of_it(report, style))]
    if found.kind == "clear":
        return [Piece(f"{found.confidence.capitalize()} confidence: {_sure(report)}")]
    first = found.candidates[0]
    text = f"{found.confidence.capitalize()} confidence: "
    text += f"{plural(found.requests, 'request')}, {number(slow)} slow; "
    text += f"{clean(first.part.label, style)} is the largest part in {_of_slow(first.largest_in_slow, slow)}."
    if share(first, report.cohorts) >= DOMINANT_PERCENT > report.cohorts.least_share:
        text += f" Without one of them it explains {report.cohorts.least_share} %."
    if found.requests < ENOUGH_REQUESTS or first.largest_in_slow < ENOUGH_SLOW:
        text += f" Too few to tell: {ENOUGH_SLOW} slow requests with one cause are needed."
    return [Piece(text)]


def next_steps(report: Report) -> list[str]:
    """Advice about the parts that a report blames, and about timeouts: each kind of part once; none about one request.

    A part whose owner is unknown has a step that settles it.
    """
    blamed = [(one.cell, one.makes_more_calls) for one in report.classes.found]
    timed_out = [group[0].part for group in timeout_groups(report)[:MOST_GROUPS] if group[0].part is not None]
    first: dict[str, list[str]] = {}
    for cell, calls in blamed:
        first.setdefault(cell.part.bucket, cell_steps(cell, report, calls=calls))
    for part in timed_out:
        first.setdefault(part.bucket, [advice(part)])
    steps = [step for every in first.values() for step in every]
    return list(dict.fromkeys(steps)) + settling_steps(report, [*(cell.part for cell, _ in blamed), *timed_out])


def settling_steps(report: Report, parts: Sequence[Part]) -> list[str]:
    """For each of these parts whose owner is unknown: the options that settle it, ready to type."""
    every = {part: report.owners.settling(part) for part in parts}
    return [f"Say whose {part.name} is: {options}." for part, options in every.items() if options]


def timeout_groups(report: Report) -> list[list[Timeout]]:
    """The timeouts by the call that was running, the most frequent first."""
    groups: dict[tuple[str, int], list[Timeout]] = {}
    for one in report.timeouts:
        groups.setdefault((one.running, one.limit_ns), []).append(one)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].running, group[0].limit_ns))


def timeout_sentence(group: Sequence[Timeout], report: Report, style: Style) -> list[Piece]:
    """The number of timeouts, the call that was running, its time and its owner."""
    first = group[0]
    what = f"{number(len(group))} of {plural(report.totals.requests, 'request')} timed out"
    what += f" at {ms(first.limit_ns, style)}. " if first.limit_ns else ". "
    if first.part is None:
        return [
            Piece(what, "bold"),
            Piece("The running call is unknown: the function's own spans were lost with it."),
        ]
    middle = sorted(one.elapsed_ns for one in group)[len(group) // 2]
    for_long = f"for {ms(middle, style)}" + (" (median)" if len(group) > 1 else "")
    whose = {
        "theirs": "The call is external, the limit is internal.",
        "ours": "Call and limit are internal.",
        "platform": "The call is the platform's, the limit is internal.",
        "unknown": "The owner of the call is unknown, the limit is internal.",
    }[first.part.owner]
    running = clean(first.running, style)
    at = f", at {clean(first.line.file, style)}:{first.line.line}" if first.line is not None else ""
    return [Piece(what, "bold"), Piece(running, "bold"), Piece(f" was still running, {for_long}{at}. {whose}")]


def _clear(report: Report, style: Style) -> list[Piece]:
    return class_sentence(report.classes.found[0], report, style)


def _sure(report: Report) -> str:
    first, slow = report.classes.found[0], len(report.classes.slow)
    text = f"it is the largest excess in {_of_slow(len(first.members), slow)} slow requests."
    if report.verdict.against is not None:
        count = report.verdict.others
        text += f" Against it: {plural(count, 'slow request')} without one dominant part."
    return text


def _thin(report: Report, style: Style) -> list[Piece]:
    compared, found = report.cohorts, report.verdict
    slow = compared.slow
    text = f"Thin evidence: {number(len(slow))} of {plural(found.requests, 'request')} "
    limited = report.classes.slowness.limit_ns is not None or not report.classes.slow
    text += f"took over {ms(compared.over_ns, style)}" if limited else "are slow" if len(slow) > 1 else "is slow"
    if len(slow) > 1 and len({one.part for one in slow}) == len(slow):
        text += ", and each for another reason"
    text += ". "
    pieces = [Piece(text)]
    for at, one in enumerate(found.candidates):
        name, explains = clean(one.part.label, style), explained(one, compared.difference_ns, style)
        more = f" ({ms(one.difference_ns, style)})"
        pieces += [Piece(", " if at else ""), Piece(name, "bold"), Piece(" " if at else " explains ")]
        pieces += [Piece(explains, "bold"), Piece(more if at else f" of the difference{more}")]
    dominant = bool(found.candidates) and compared.least_share >= DOMINANT_PERCENT
    return [*pieces, Piece("." if dominant else ". No one part stands out.")]


def _even(report: Report, style: Style) -> list[Piece]:
    compared, requests = report.cohorts, report.verdict.requests
    else_ = " else" if report.totals.timeouts or failed_first(report, style) else ""
    nothing = f"Nothing{else_} stands out."
    if not compared.slow:
        same = f" No request took over {ms(compared.over_ns, style)}." if report.verdict.requests else ""
        return [Piece(nothing + same)]
    if _is_usual(report):
        slow = len(compared.slow)
        count = f"All {number(slow)} requests" if slow == requests else f"{number(slow)} of {number(requests)} requests"
        return [Piece(f"{nothing} {count} took over {ms(compared.over_ns, style)}, which is usual on their routes.")]
    more = compared.difference_ns
    take = f"take {ms(more, style)} more than" if more > 0 else "take no longer than"
    which = percent(len(compared.slow), report.verdict.requests, style)
    return [
        Piece(f"{nothing} The slowest {which} ({_which(report, style)}) {take} typical requests of the same route.")
    ]


def _alone(report: Report, style: Style) -> list[Piece]:
    one = report.cohorts.alone[0]
    route = clean(one.account.route, style)
    pieces = [Piece(f"The slowest request is the only one of its route: {route} took ")]
    pieces += [Piece(ms(one.account.wall_ns, style), "bold")]
    if not one.more_ns:
        return [*pieces, Piece(".")]
    its = clean(one.part.phrase, style).replace("their own", "its own")
    return [
        *pieces,
        Piece("; it waited "),
        Piece(ms(one.more_ns, style), "bold"),
        Piece(" for "),
        Piece(its, "bold"),
        Piece(f", {percent(one.more_ns, one.account.wall_ns, style)} of its time."),
    ]


def _is_usual(report: Report) -> bool:
    """Whether requests over the given limit are usual on some route: they are compared with each other."""
    return report.classes.slowness.limit_ns is not None and bool(report.classes.slowness.whole)


def _most_of_it(report: Report, style: Style) -> str:
    compared, slowness = report.cohorts, report.classes.slowness
    routes = slowness.judged
    shown = clean(", ".join(routes[:MOST_ROUTES]), style)
    more = f", and {number(len(routes) - MOST_ROUTES)} more" if len(routes) > MOST_ROUTES else ""
    judged = f" Judged: {shown}{more}." if routes else ""
    whole = slowness.limit_ns is not None and slowness.whole
    if whole or not compared.slow or compared.difference_ns <= 0:
        return f"Every request was compared with those of its own route.{judged}"
    first = report.verdict.candidates[0]
    name = clean(first.part.label, style)
    width = ms(compared.width_ns, style)
    if _is_usual(report):
        return (
            f"Typical requests differ by {width}.{_suspected(report, first.part, style)}{_usual(report, style)}{judged}"
        )
    most = f"Most of that is {name} ({ms(first.difference_ns, style)}); typical requests differ by {width} themselves."
    return most + _suspected(report, first.part, style) + _usual(report, style) + judged


def _usual(report: Report, style: Style) -> str:
    """What a typical request takes, and the part that has most of it; empty if a route's own sentence tells that."""
    compared = report.cohorts
    most = max(compared.parts, key=lambda one: one.typical_ns)
    if report.classes.slowness.whole or 2 * most.typical_ns <= compared.typical_mean_ns:
        return ""
    share = percent(most.typical_ns, compared.typical_mean_ns, style)
    took, its = ms(compared.typical_mean_ns, style), ms(most.typical_ns, style)
    return f" A typical request takes {took}, {its} of it ({share}) {clean(most.part.label, style)}."


def _suspected(report: Report, named: Part, style: Style) -> str:
    """The candidates by the time a call, unless `named`, that by the time a request, is the only one."""
    cells = [one.cells[0] for one in report.verdict.suspects]
    if {cell.part for cell in cells} <= {named}:
        return ""
    found = [
        f"{clean(one.cells[0].label, style)} ({ms(round(one.score_ns), style)} more a call)"
        for one in report.verdict.suspects
    ]
    return f" Candidates by the call, none of them sure: {', '.join(found)}."


def _one(report: Report, style: Style) -> list[Piece]:
    """`One request, 45 ms: here is where it went. 36 ms (81 %) for payments.example.com, 9 ms for its own code.`"""
    [one] = report.accounts
    if not one.wall_ns:
        text = "This request has no length: it is in progress, or its spans have no end"
        return [Piece(f"{text}, or end before they start.")]
    whole = Piece(f"One request, {ms(one.wall_ns, style)}")
    pieces = [whole, Piece(_head(report))]
    for at, (part, ns) in enumerate(one.parts[:MOST_OF_ONE]):
        name = clean(part.phrase, style).replace("their own", "its own")
        share = f" ({percent(ns, one.wall_ns, style)})" if not at else ""
        pieces += [Piece(", " if at else ""), Piece(ms(ns, style), "bold"), Piece(f"{share} for "), Piece(name, "bold")]
    pieces.append(Piece("."))
    return [
        *pieces,
        *(piece for found in report.diagnoses.values() for piece in finding_pieces(found, style, alone=True)),
    ]


def _head(report: Report) -> str:
    """What one request is, where it is less than a whole one."""
    [one] = report.accounts
    skipped = sum(problem.effect == "skipped" for problem in report.problems)
    read = sum(len(trace.spans) for trace in report.traces.values())
    if skipped >= read > 0:
        return f", of which {number(read)} of {plural(read + skipped, 'span')} could be read: a remnant. What is left: "
    if one.flaws & FLOW:
        return " without the consumers of its messages: here is where it went. "
    if one.flaws & RUNS_ON:
        return ", after which its work ran on for longer. Here is where it went: "
    return ": here is where it went. "


def _which(report: Report, style: Style) -> str:
    compared = report.cohorts
    return f"{number(len(compared.slow))} of {number(report.verdict.requests)}, over {ms(compared.over_ns, style)}"


def _of_slow(count: int, slow: int) -> str:
    if slow == 1:
        return "the only one" if count else "none"
    return f"all {number(slow)}" if count == slow else f"{number(count)} of the {number(slow)}"
