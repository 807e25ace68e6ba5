"""Draws a comparison in at most 100 columns, with a sign and a reason per difference, and trees as source code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from lambda_latency.testing.comparison import Comparison, DiffLine
from lambda_latency.testing.expected import ANYTHING, Child, ExpectedSet, ExpectedSpan, equal
from lambda_latency.testing.node import Forest, Node, room_for
from lambda_latency.trace import Span, SpanKind, Status

WIDTH = 100
LEGEND = "the trace is not the one expected   (- missing   + unexpected   ~ different)"
ARROW = "    ← "
DEEPEST = 42  # columns of branches; longer ones are cut at the left
# Columns for a reason on the line of its span; with less space it is on the next line
NARROWEST = 34
LONGEST_NAME = 48
LONGEST_SUMMARY = WIDTH - len("E       AssertionError: assert ")
# lines; of a longer tree only the lines near differences are printed
LARGE = 100
LARGEST = 200  # spans up to which the code to paste is printed
INDENT = "    "
CODE_WIDTH = 88
NOTHING: Mapping[int, ExpectedSpan] = MappingProxyType({})
COMMENTS = 92  # columns of a comment


class DrawnLine(NamedTuple):
    """A line with the number of consecutive equal spans, or the number of expected `spans` that are not printed."""

    line: DiffLine | None
    times: int = 1
    spans: int = 0


def summary(comparison: Comparison) -> str:
    """One line: the first difference, and the number of the others."""
    sentences = [_sentence(line) for line in comparison.differing] + comparison.notes
    more = f", and {len(sentences) - 1:,} more" if len(sentences) > 1 else ""
    return textwrap.shorten(sentences[0], LONGEST_SUMMARY - len(more), placeholder=" ...") + more


def draw(comparison: Comparison) -> list[str]:
    """The text of a failed comparison."""
    nodes = comparison.recorded.nodes
    lines = [LEGEND, *_tree(comparison.roots, comparison.lines)]
    for note in comparison.notes:
        lines += draw_note(note)
    code = code_of_recorded(comparison.recorded, comparison.expected).splitlines() if 0 < len(nodes) <= LARGEST else []
    if code and max(map(len, code)) <= WIDTH:
        lines += ["the trace as an expectation, to paste:", *code]
    elif nodes:
        lines.append(f"the trace as an expectation is its repr: {len(nodes):,} spans, too large to print here")
    return lines


def draw_note(note: str) -> list[str]:
    """A note about the whole, in lines."""
    return textwrap.wrap(f"  ! {note}", WIDTH, subsequent_indent="    ")


def draw_recorded(recorded: Forest) -> list[str]:
    """The recorded tree without a comparison."""
    lines = [DiffLine(" ", node, list(node.faults)) for node in recorded.roots + recorded.orphans]
    roots = lines.copy()
    for line in lines:  # grows during iteration
        if isinstance(line.span, Node):
            line.below = [DiffLine(" ", child, list(child.faults)) for child in line.span.children]
            lines += line.below
    return _tree(roots, lines)


def _tree(roots: list[DiffLine], lines: list[DiffLine]) -> list[str]:
    if not roots:
        return ["    nothing was recorded"]
    brief = _without_details(lines)
    texts: list[str] = []
    # An explicit stack instead of recursion, for trees deeper than Python's limit; the next line is the last.
    waiting = [(drawn, "", "", "") for drawn in reversed(_drawn_lines(roots, brief))]
    while waiting:
        drawn, indent, branch, bar = waiting.pop()
        is_brief = id(drawn.line) in brief
        below = [] if drawn.line is None or is_brief else _drawn_lines(drawn.line.below, brief)
        texts += _texts(drawn, indent + branch, indent + bar + ("│  " if below else ""), hidden=is_brief)
        branches = [("└─ ", "   "), *[("├─ ", "│  ")] * len(below)]  # the last child's, and the others'
        waiting += [(child, indent + bar, *branch) for child, branch in zip(reversed(below), branches, strict=False)]
    return texts


def _without_details(lines: list[DiffLine]) -> set[int]:
    """The ids of the lines without a sign on them and below, in a large tree of which other lines have one."""
    calm: set[int] = set()
    for line in reversed(lines):
        if line.sign == " " and not line.notes and calm.issuperset(map(id, line.below)):
            calm.add(id(line))
    return calm if len(lines) > LARGE and len(calm) < len(lines) else set()


def _drawn_lines(lines: list[DiffLine], brief: set[int]) -> list[DrawnLine]:
    all_drawn: list[DrawnLine] = []
    for is_brief, run in groupby(_merged(lines), key=lambda drawn: id(drawn.line) in brief):
        drawn_lines = list(run)
        if not is_brief or len(drawn_lines) <= 3:
            all_drawn += drawn_lines
        else:
            between = drawn_lines[1:-1]
            spans = sum(drawn.times * drawn.line.span.size for drawn in between if drawn.line is not None)
            all_drawn += [drawn_lines[0], DrawnLine(None, spans=spans), drawn_lines[-1]]
    return all_drawn


def _merged(lines: list[DiffLine]) -> Iterator[DrawnLine]:
    """Merges consecutive equal leaves into one line."""

    def signature(line: DiffLine) -> object:
        return id(line) if line.below or line.unseen else (line.sign, _label(line), tuple(line.notes))

    for _, run in groupby(lines, key=signature):
        line, *repeated = run
        yield DrawnLine(line, 1 + len(repeated))


def _texts(drawn: DrawnLine, branches: str, bars: str, *, hidden: bool) -> Iterator[str]:
    """A span with its reasons: on the same line if they fit, otherwise on the next lines."""
    line = drawn.line
    if line is None:
        yield f"    {_cut(branches)}… {drawn.spans:,} spans as expected"
        return
    start = f"  {line.sign} {_cut(branches)}{_label(line)}{_remarks(line, drawn.times, hidden=hidden)}"
    pad = f"    {_cut(bars)}"
    room = WIDTH - len(start) - len(ARROW)
    if line.notes and room < NARROWEST and any(len(note) > room for note in line.notes):
        yield start
        room = WIDTH - len(pad) - len(ARROW)
        start = pad
    pad = pad.ljust(len(start))
    for note in line.notes:
        for number, text in enumerate(textwrap.wrap(note, room, break_on_hyphens=False)):
            yield start + (" " * len(ARROW) if number else ARROW) + text
            start = pad
    if not line.notes:
        yield start


def _remarks(line: DiffLine, times: int, *, hidden: bool) -> str:
    """How often the span was recorded, and how many spans below it are not shown."""
    repeated = f"  ({times:,} of them)" if times > 1 else ""
    unseen = line.unseen or (line.span.size - 1 if hidden else 0)
    if not unseen:
        return repeated
    return f"{repeated}  … {unseen:,} below" if hidden else f"{repeated}  ..."


def _sentence(line: DiffLine) -> str:
    """A sentence about one difference."""
    name = f"span {_printable(line.name)}"  # pytest puts AssertionError before a leading quote
    if line.sign == "~":
        return f"{name} differs: {line.notes[0]}"
    return f"{name} is {'missing' if line.sign == '-' else 'unexpected'}"


def _cut(branches: str) -> str:
    return branches if len(branches) <= DEEPEST else "…" + branches[-DEEPEST:]


def _label(line: DiffLine) -> str:
    span = line.span.span if isinstance(line.span, Node) else line.span
    parts = [_printable(line.name)]
    if span.kind is not SpanKind.INTERNAL:
        parts.append(span.kind.name)
    if span.status not in (None, Status.UNSET):
        parts.append(span.status.name)
    return "  ".join(parts)


def _printable(text: str) -> str:
    name = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


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
    roots = recorded.roots + recorded.orphans
    with room_for(roots, []):
        if len(roots) == 1 and not recorded.notes:
            return "\n".join(_recorded(roots[0], None, expected))
        return "\n".join(_comments(recorded.notes) + _brackets("", [_recorded(node, None, expected) for node in roots]))


def _expected(expected: Child) -> list[str]:
    if isinstance(expected, ExpectedSpan):
        head = f"span({', '.join(_arguments(expected))})"
        return _brackets(head, [_expected(child) for child in expected.children]) if expected.children else [head]
    if isinstance(expected, ExpectedSet):
        name = "concurrent" if expected.overlapping else "any_order"
        return _brackets(name, [_expected(child) for child in expected.members], "()")
    return ["..."]


def _arguments(expected: ExpectedSpan) -> list[str]:
    arguments = [repr(expected.name)]
    if expected.kind is not SpanKind.INTERNAL:
        arguments.append(expected.kind.name)
    if expected.attributes:
        arguments.append(f"attributes={dict(expected.attributes)!r}")
    arguments += _outcome(expected)
    for name in ("parent", "took", "service"):
        matcher = getattr(expected, name)
        if matcher is not ANYTHING:
            arguments.append(f"{name}={matcher!r}")
    for name in ("links", "events"):
        matchers = getattr(expected, name)
        if matchers is not None:
            arguments.append(f"{name}=[{', '.join('...' if m is ... else repr(m) for m in matchers)}]")
    return arguments


def _outcome(expected: ExpectedSpan) -> Iterator[str]:
    is_raised = expected.raised is not ANYTHING
    if expected.status is not None and not (is_raised and expected.status is Status.ERROR):
        yield f"status={expected.status.name}"
    if is_raised:
        yield f"raised={expected.raised.__qualname__ if isinstance(expected.raised, type) else repr(expected.raised)}"


def _recorded(node: Node, service: object, expected: Mapping[int, ExpectedSpan]) -> list[str]:
    span, expected_span = node.span, expected.get(id(node), ExpectedSpan(node.span.name))
    arguments = [repr(span.name)]
    if span.kind is not SpanKind.INTERNAL:
        arguments.append(span.kind.name)
    attributes = {key: span.attributes[key] for key in expected_span.attributes if key in span.attributes}
    if attributes:
        arguments.append(f"attributes={attributes!r}")
    if span.status is not Status.UNSET:
        arguments.append(f"status={span.status.name}")
    if _took_as(expected_span.took, span):
        arguments.append(f"took={expected_span.took!r}")
    own_service = span.resource.get("service.name")
    if span.parent_remote is not False and None not in (service, own_service) and own_service != service:
        arguments.append(f"service={own_service!r}")  # the call crosses into another process
    head = f"span({', '.join(arguments)})"
    lines = [_recorded(child, own_service or service, expected) for child in node.children]
    return _comments(node.faults) + (_brackets(head, lines) if lines else [head])


def _took_as(expected: object, span: Span) -> bool:
    return expected is not ANYTHING and span.end_ns is not None and equal(expected, span.end_ns - span.start_ns)


def _comments(reasons: list[str]) -> list[str]:
    return [line for reason in reasons for line in textwrap.wrap(f"# {reason}", COMMENTS, subsequent_indent="# ")]


def _brackets(head: str, members: list[list[str]], pair: str = "[]") -> list[str]:
    """The code of a node with members, on one line if it is short enough."""
    flat = f"{head}{pair[0]}{', '.join(lines[0] for lines in members)}{pair[1]}"
    if all(len(lines) == 1 for lines in members) and len(flat) <= CODE_WIDTH and (len(members) < 2 or pair == "()"):
        return [flat]
    below = []
    for lines in members:
        below += [INDENT + line for line in lines]
        below[-1] += ","
    return [head + pair[0], *below, pair[1]]
