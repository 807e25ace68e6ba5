"""Prints trees as the source code of their expectation, to paste into a test."""

from __future__ import annotations

import textwrap
from types import MappingProxyType
from typing import TYPE_CHECKING

from lambda_latency.testing.depth import room_for
from lambda_latency.testing.expected import ExpectedSet, ExpectedSpan
from lambda_latency.testing.matchers import ANYTHING, equal
from lambda_latency.trace import SpanKind, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_latency.testing.expected import Child
    from lambda_latency.testing.node import Forest, Node

INDENT = "    "
WIDTH = 88
NOTHING: Mapping[int, ExpectedSpan] = MappingProxyType({})
COMMENTS = 92  # columns of a comment


def code_of(expected: Child) -> str:
    """An expectation as its source code."""
    with room_for([], [expected]):
        return "\n".join(_expected(expected))


def code_of_recorded(recorded: Forest, expected: Mapping[int, ExpectedSpan] = NOTHING) -> str:
    """The recorded spans as the expectation that they meet: names, kinds, statuses, services and order.

    `expected`: the expectation that each node was compared with, by the node's id(). Its attributes are written with
    the recorded values, and its duration if it holds. A span that breaks a guarantee meets no expectation: the reason
    is written as a comment.
    """
    tops = recorded.tops + recorded.orphans
    with room_for(tops, []):
        if len(tops) == 1 and not recorded.notes:
            return "\n".join(_recorded(tops[0], None, expected))
        return "\n".join(_comments(recorded.notes) + _brackets("", [_recorded(node, None, expected) for node in tops]))


def _expected(expected: Child) -> list[str]:
    if isinstance(expected, ExpectedSpan):
        head = f"span({', '.join(_arguments(expected))})"
        return _brackets(head, [_expected(one) for one in expected.children]) if expected.children else [head]
    if isinstance(expected, ExpectedSet):
        name = "concurrent" if expected.overlapping else "any_order"
        return _brackets(name, [_expected(one) for one in expected.members], "()")
    return ["..."]


def _arguments(expected: ExpectedSpan) -> list[str]:
    found = [repr(expected.name)]
    if expected.kind is not SpanKind.INTERNAL:
        found.append(expected.kind.name)
    if expected.attributes:
        found.append(f"attributes={dict(expected.attributes)!r}")
    raised = expected.raised is not ANYTHING
    if expected.status is not None and not (raised and expected.status is Status.ERROR):
        found.append(f"status={expected.status.name}")
    if raised:
        named = isinstance(expected.raised, type)
        found.append(f"raised={expected.raised.__qualname__ if named else repr(expected.raised)}")  # type: ignore[attr-defined]
    for name in ("parent", "took", "service"):
        value = getattr(expected, name)
        if value is not ANYTHING:
            found.append(f"{name}={value!r}")
    for name in ("links", "events"):
        values = getattr(expected, name)
        if values is not None:
            found.append(f"{name}=[{', '.join('...' if one is ... else repr(one) for one in values)}]")
    return found


def _recorded(node: Node, service: object, expected: Mapping[int, ExpectedSpan]) -> list[str]:
    span, asked = node.span, expected.get(id(node))
    found = [repr(span.name)]
    if span.kind is not SpanKind.INTERNAL:
        found.append(span.kind.name)
    if asked is not None and (
        kept := {key: span.attributes[key] for key in asked.attributes if key in span.attributes}
    ):
        found.append(f"attributes={kept!r}")
    if span.status is not Status.UNSET:
        found.append(f"status={span.status.name}")
    took = ANYTHING if asked is None else asked.took
    if took is not ANYTHING and span.end_ns is not None and equal(took, span.end_ns - span.start_ns):
        found.append(f"took={took!r}")
    own = span.resource.get("service.name")
    if span.parent_remote is not False and None not in (service, own) and own != service:
        found.append(f"service={own!r}")  # the call crosses into another process
    head = f"span({', '.join(found)})"
    lines = [_recorded(child, own or service, expected) for child in node.children]
    return _comments(node.faults) + (_brackets(head, lines) if lines else [head])


def _comments(reasons: list[str]) -> list[str]:
    return [line for one in reasons for line in textwrap.wrap(f"# {one}", COMMENTS, subsequent_indent="# ")]


def _brackets(head: str, members: list[list[str]], pair: str = "[]") -> list[str]:
    """The code of a node with members, on one line if it is short enough."""
    flat = f"{head}{pair[0]}{', '.join(lines[0] for lines in members)}{pair[1]}"
    if all(len(lines) == 1 for lines in members) and len(flat) <= WIDTH and (len(members) < 2 or pair == "()"):
        return [flat]
    below = []
    for lines in members:
        below += [INDENT + line for line in lines]
        below[-1] += ","
    return [head + pair[0], *below, pair[1]]
