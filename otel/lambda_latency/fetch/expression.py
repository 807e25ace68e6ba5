"""The options that select traces, as an X-Ray filter expression: only matching traces are transferred.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

ROUTE = re.compile(r"(?P<method>[A-Z]+) (?P<path>/\S*)\Z")
METHOD = re.compile(r"[A-Z]+\Z")
PARAMETER = re.compile(r"\{[^}]*\}")
PLAIN = re.compile(r"[A-Za-z0-9/_.~-]+\Z")  # characters that a URL contains unescaped


class Choice(NamedTuple):
    """The options that select traces, beside their time: `own` is in X-Ray's language, `slower_ns` in nanoseconds."""

    own: str | None = None
    slower_ns: int | None = None
    errors: bool = False
    route: str | None = None


EVERYTHING = Choice()


def filter_expression(
    own: str | None = None, *, slower_ns: int | None = None, errors: bool = False, route: str | None = None
) -> str | None:
    """The conjunction of all options; None without any.

    The expression of a route may match more than that route, because X-Ray does not know path parameters; the report
    filters again.
    """
    parts = [own.strip()] if own and own.strip() else []
    if slower_ns is not None:
        parts.append(f"responsetime > {slower_ns / 1e9:.9f}".rstrip("0").rstrip("."))
    if errors:
        parts.append("error = true OR fault = true")
    if route is not None:
        parts += _of_route(route)
    if len(parts) < 2:
        return parts[0] if parts else None
    return " AND ".join(f"({part})" if " OR " in part.upper() else part for part in parts)


def _of_route(route: str) -> list[str]:
    match = ROUTE.match(route)
    if match is None:  # traces without an HTTP route are named after their services
        method, _, name = route.rpartition(" ")
        by_method = [f"http.method = {_quoted(method)}"] if METHOD.match(method) else []
        return [*by_method, f"service({_quoted(name if by_method else route)})"]
    pieces = [piece for piece in PARAMETER.split(match["path"]) if PLAIN.match(piece) and piece != "/"]
    return [f"http.method = {_quoted(match['method'])}", *(f"http.url CONTAINS {_quoted(one)}" for one in pieces)]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
