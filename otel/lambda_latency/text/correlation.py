"""What slow requests depend on, and since when they are slow, as sentences and as queries of AWS's consoles."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lambda_latency.latency import ABSENT, Association, ChangeAssociation, Report, Since, Value, instant_of
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, fit, ms, number, percent, plural, wrap, wrap_pieces

WIDTH, MOST_LINES = 100, 2
# What a sentence shows of long names, as `Room`. The first that fits into `MOST_LINES` is taken.
FITS = ((48, 2, 96), (48, 1, 96), (48, 0, 96), (40, 0, 60), (30, 0, 40), (22, 0, 24), (16, 0, 16), (8, 0, 8), (8, 0, 0))
MOST_ROUTES = 2
SIZE = re.compile(r"memory|bytes|size|length", re.IGNORECASE)  # attributes whose values are bytes


def correlation_sentence(
    finding: Association, style: Style, routes: Sequence[str] = (), which: str = ""
) -> list[Piece]:
    """`It depends: all 31 have tenant.id = acme; 3 % of the other requests do.`

    `routes`: those of a finding about all their slow requests; without it, a finding about a class, or about `which`
    requests.
    """
    return _fitting(lambda room: _correlations(finding, style, _group(routes, which, room, style), room))


class Room(NamedTuple):
    """The room for long names: cells of a name or value, other values of the same requests, cells of routes."""

    name: int
    equivalent: int
    routes: int


def _fitting(sentence: Callable[[Room], list[Piece]]) -> list[Piece]:
    """Return the sentence that shows most and has two lines in a terminal of usual width."""
    pieces: list[Piece] = []
    for sizes in FITS:
        pieces = sentence(Room(*sizes))
        if len(wrap_pieces(pieces, WIDTH)) <= MOST_LINES:
            break
    return pieces


def _group(routes: Sequence[str], which: str, room: Room, style: Style) -> str:
    """Which requests have the values: the slow ones of these routes, or `which` requests; empty for a class."""
    if not routes:
        return f" {_short(which, room.name + 12, style)}" if which else ""
    shown = route_list(routes, room.routes, style) if room.routes else plural(len(routes), "route")
    return f" slow requests of {shown}"


def route_list(routes: Sequence[str], room: int, style: Style) -> str:
    """`GET /a, GET /b and 2 more`; the routes have `room` cells."""
    more = f" and {number(len(routes) - MOST_ROUTES)} more" if len(routes) > MOST_ROUTES else ""
    return _short(clean(", ".join(routes[:MOST_ROUTES]), style), room, style) + more


def _correlations(finding: Association, style: Style, group: str, room: Room) -> list[Piece]:
    slow, all_slow = finding.slow
    matching, all_others = finding.controls
    count = f"all {number(slow)}" if slow == all_slow else f"{number(slow)} of {number(all_slow)}"
    pieces = [Piece(f"It depends: {count}{group} have ")]
    for index, value in enumerate(finding.values):
        pieces += [Piece(" and ")] if index else []
        pieces.append(Piece(value_text(value, style, room.name), "bold"))
    share = percent(matching, all_others, style) if matching else "none"
    pieces.append(Piece(f"; {share} of the other requests do"))
    if finding.equivalent[: room.equivalent]:
        also = " and ".join(value_text(value, style, room.name) for value in finding.equivalent[: room.equivalent])
        pieces.append(Piece(f" (the same requests: {also})"))
    return [*pieces, Piece(".")]


def depending(report: Report, class_number: int, style: Style, *, bare: bool = True) -> list[list[Piece]]:
    """Return the sentences about a class, by its number. `bare`: also a time at which nothing else begins."""
    sentences = [correlation_sentence(finding, style) for finding in report.correlations.of_group(class_number)]
    since = report.correlations.since_of(class_number)
    return [*sentences, since_sentence(since, style)] if since is not None and (bare or since.values) else sentences


def change_correlation(change: ChangeAssociation, style: Style) -> list[Piece]:
    """`It depends: all 48 slower requests have tenant.id = acme; ...`, or `48 of 50 requests without mail have`."""
    callee = clean(change.callee, style)
    which = f"requests {'without' if change.lacks else 'with'} {callee}" if callee else "slower requests"
    return correlation_sentence(change.finding, style, which=which)


def depending_routes(report: Report, style: Style, *, bare: bool = True) -> list[list[Piece]]:
    """Return the sentences about all slow requests of some routes, and about routes that became slow."""
    sentences = [correlation_sentence(of.finding, style, of.routes) for of in report.correlations.of_routes]
    since_when = [since for since in report.correlations.since_routes if bare or since.values]
    return [*sentences, *(since_sentence(since, style) for since in since_when)]


def since_sentence(since: Since, style: Style) -> list[Piece]:
    """`Since 2026-11-29T14:02:11Z, with service.version = 37.`"""
    return _fitting(lambda room: _since(since, style, room))


def _since(since: Since, style: Style, room: Room) -> list[Piece]:
    begin = instant_of(since.start_ns)
    if since.kind == "drift":
        pieces = [Piece(_longer(since, style, room) if since.before_ns else "They take longer and longer")]
    else:
        end = f" to {instant_of(since.end_ns)}" if since.end_ns is not None else ""
        time = f"{'From' if end else 'Since'} {begin}{end}"
        pieces = [Piece(f"{time}: {_longer(since, style, room)}" if since.before_ns else time)]
    for index, value in enumerate(since.values):
        pieces += [Piece(" and " if index else ", with "), Piece(value_text(value, style, room.name), "bold")]
    return [*pieces, Piece(".")]


def _longer(since: Since, style: Style, room: Room) -> str:
    """`GET /a takes longer and longer, 120 ms at first and 260 ms at last, mostly ...`."""
    half = max(room.routes // 2, 4)
    routes = route_list(since.routes, half, style)
    old, new = ms(since.before_ns, style), ms(since.after_ns, style)
    component = f" ({_short(clean(since.edge.label, style), half, style)})" if since.edge is not None else ""
    if since.kind == "drift":
        return f"A typical {routes} takes longer and longer: {old} at first, {new} at last{component}"
    return f"a typical {routes} takes {new} instead of {old}{component}"


def value_text(value: Value, style: Style, longest: int = FITS[0][0]) -> str:
    """`tenant.id = acme`, `size >= 60000`, `points from 400 to below 490`, `no tenant.id`."""
    name = _short(clean(value.attribute, style), longest, style)
    if value.text == ABSENT:
        return f"no {name}"
    if value.text is not None:
        return f"{name} = {_short(clean(_readable(value.attribute, value.text), style), longest, style)}"
    low, high = (f"{bound:,.15g}" if bound is not None else "" for bound in (value.low, value.high))
    if low and high:
        return f"{name} from {low} to below {high}"
    return f"{name} >= {low}" if low else f"{name} < {high}"


def _readable(attribute: str, text: str) -> str:
    """Return a size in bytes that is a whole number of MB as such; other texts unchanged."""
    megabytes, remainder = divmod(int(text), 2**20) if text.isascii() and text.isdigit() else (0, 1)
    return f"{megabytes:,} MB" if megabytes and not remainder and SIZE.search(attribute) else text


def _short(text: str, longest: int, style: Style) -> str:
    """Return a text in at most this many cells; a text in quotes keeps them."""
    quote = text[-1:] if text[:1] == text[-1:] == '"' else ""
    return fit(text.removesuffix(quote) if quote else text, longest, style, quote)


# In the key of an annotation, the collector's exporter replaces it
UNKNOWN = re.compile(r"[^A-Za-z0-9_]")
TEXT = re.compile(r'["\\]')
# The first letter of parameters of routes and queries, which are parts of an attribute
DERIVED = ("{", "?")
MOST = 50


def query_lines(report: Report, style: Style) -> list[Line]:
    """Return the queries of the first finding, with a title; none without a finding."""
    findings = [finding for of_class in report.correlations.of_groups for finding in of_class]
    findings += [of.finding for of in report.correlations.of_routes]
    if not findings:
        return []
    values = findings[0].values
    expression = xray_filter(values)
    queries = [f"X-Ray, if they are annotations: {clean(expression, style)}"] if expression is not None else []
    queries.append(f"Transaction Search (Logs Insights, aws/spans): {clean(spans_query(values), style)}")
    return [[], [Piece("In the console", "bold")], *(line for query in queries for line in wrap(query, style.width))]


def xray_filter(values: Sequence[Value]) -> str | None:
    """`annotation[tenant_id] = "acme"`. The attributes must be annotations. None if no expression can filter by them.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
    """
    if any(value.text == ABSENT or value.attribute.startswith(DERIVED) for value in values):
        return None
    keys = [(f"annotation[{UNKNOWN.sub('_', value.attribute)}]", value) for value in values]
    return " AND ".join(key + test for key, value in keys for test in _tests(value))


def spans_query(values: Sequence[Value]) -> str:
    """Return a query of Logs Insights on `aws/spans`, which has the attributes of spans and of their resource.

    Several values may be on different spans of a request: the query looks for the first.
    """
    tests = _conditions(values[0])
    if values[0].service:
        tests.append(f"`resource.attributes.service.name` = {_quoted(values[0].service)}")
    condition = " and ".join(f"({test})" if " or " in test else test for test in tests)
    shown = "fields @timestamp, traceId, durationNano / 1000000 as ms"
    return f"{shown} | filter {condition} | sort durationNano desc | limit {MOST}"


def _conditions(value: Value) -> list[str]:
    """Return the conditions of Logs Insights on a value, on spans or their resource."""
    if value.attribute.startswith(DERIVED):
        return [f"name like {_quoted(value.text or '')}"]
    names = [f"`{place}.{value.attribute}`" for place in ("attributes", "resource.attributes")]
    if value.text == ABSENT:
        return [" and ".join(f"not ispresent({name})" for name in names)]
    return [" or ".join(name + test for name in names) for test in _tests(value)]


def _tests(value: Value) -> list[str]:
    if value.text is not None:
        return [f" = {value.text if value.text in ('true', 'false') else _quoted(value.text)}"]
    tests = [f" >= {value.low:.15g}"] if value.low is not None else []
    return [*tests, *([f" < {value.high:.15g}"] if value.high is not None else [])]


def _quoted(text: str) -> str:
    return '"' + TEXT.sub(lambda match: "\\" + match[0], text) + '"'
