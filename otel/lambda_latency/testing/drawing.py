"""Draws a comparison in at most 100 columns: the tree with signs in the margin, and a reason per sign."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.testing.code import code_of_recorded
from lambda_latency.testing.comparison import Comparison, Line
from lambda_latency.testing.node import Node
from lambda_latency.trace import SpanKind, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.testing.node import Forest

WIDTH = 100
LEGEND = "the trace is not the one expected   (- missing   + unexpected   ~ different)"
ARROW = "    ← "
DEEPEST = 42  # columns of branches; longer ones are cut at the left
NARROWEST = 34  # columns for a reason beside its span; with less space it is on the next line
LONGEST_NAME = 48
LONGEST_SUMMARY = WIDTH - len("E       AssertionError: assert ")
LARGE = 100  # lines; of a longer tree only the lines near differences are printed
LARGEST = 200  # spans up to which the code to paste is printed


class Entry(NamedTuple):
    """A line with the number of consecutive equal spans, or the number of expected `spans` that are not printed."""

    line: Line | None
    times: int = 1
    spans: int = 0


def summary(comparison: Comparison) -> str:
    """One line: the first difference, and the number of the others."""
    found = [_said(line) for line in comparison.differing] + comparison.notes
    rest = f", and {len(found) - 1:,} more" if len(found) > 1 else ""
    return textwrap.shorten(found[0], LONGEST_SUMMARY - len(rest), placeholder=" ...") + rest


def draw(comparison: Comparison) -> list[str]:
    """The text of a failed comparison."""
    nodes = comparison.recorded.nodes
    lines = [LEGEND, *_tree(comparison.tops)] if comparison.tops else [LEGEND, "    nothing was recorded"]
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
    lines = [Line(" ", node, list(node.faults)) for node in recorded.tops + recorded.orphans]
    tops = lines.copy()
    for line in lines:  # grows during iteration
        if isinstance(line.span, Node):
            line.below = [Line(" ", child, list(child.faults)) for child in line.span.children]
            lines += line.below
    return _tree(tops) if tops else ["    nothing was recorded"]


def _tree(tops: list[Line]) -> list[str]:
    lines = tops.copy()
    for line in lines:  # grows during iteration
        lines += line.below
    calm = set()  # lines without a sign, on them and below
    for line in reversed(lines):
        if line.sign == " " and not line.notes and all(id(one) in calm for one in line.below):
            calm.add(id(line))
    brief = calm if len(lines) > LARGE and len(calm) < len(lines) else set()
    drawn: list[str] = []
    # An explicit stack instead of recursion, for trees deeper than Python's limit; the next item is the last.
    waiting = [(entry, "", "", "") for entry in reversed(_entries(tops, brief))]
    while waiting:
        entry, before, branch, bar = waiting.pop()
        below = _entries(entry.line.below, brief) if entry.line is not None and id(entry.line) not in brief else []
        drawn += _drawn(entry, before + branch, before + bar + ("│  " if below else ""), hidden=id(entry.line) in brief)
        for number, child in enumerate(reversed(below)):
            last = number == 0
            waiting.append((child, before + bar, "└─ " if last else "├─ ", "   " if last else "│  "))
    return drawn


def _entries(lines: list[Line], brief: set[int]) -> list[Entry]:
    found: list[Entry] = []
    for calm, run in groupby(_merged(lines), key=lambda entry: id(entry.line) in brief):
        entries = list(run)
        if not calm or len(entries) <= 3:
            found += entries
        else:
            between = entries[1:-1]
            spans = sum(entry.times * _size(entry.line) for entry in between if entry.line is not None)
            found += [entries[0], Entry(None, spans=spans), entries[-1]]
    return found


def _merged(lines: list[Line]) -> Iterator[Entry]:
    """Merges consecutive equal leaves into one line."""

    def same(line: Line) -> object:
        return id(line) if line.below or line.unseen else (line.sign, _label(line), tuple(line.notes))

    for _, run in groupby(lines, key=same):
        first, *others = run
        yield Entry(first, 1 + len(others))


def _size(line: Line) -> int:
    return line.span.size


def _drawn(entry: Entry, branches: str, bars: str, *, hidden: bool) -> Iterator[str]:
    """A span with its reasons: beside it if they fit, otherwise on the next lines."""
    line = entry.line
    if line is None:
        yield f"    {_cut(branches)}… {entry.spans:,} spans as expected"
        return
    start = f"  {line.sign} {_cut(branches)}{_label(line)}"
    if entry.times > 1:
        start += f"  ({entry.times:,} of them)"
    unseen = line.unseen or (_size(line) - 1 if hidden else 0)
    if unseen:
        start += f"  … {unseen:,} below" if hidden else "  ..."
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


def _said(line: Line) -> str:
    """A sentence about one difference."""
    name = f"span {_printable(line.name)}"  # pytest puts AssertionError before a leading quote
    if line.sign == "~":
        return f"{name} differs: {line.notes[0]}"
    return f"{name} is {'missing' if line.sign == '-' else 'unexpected'}"


def _cut(branches: str) -> str:
    return branches if len(branches) <= DEEPEST else "…" + branches[-DEEPEST:]


def _label(line: Line) -> str:
    span = line.span.span if isinstance(line.span, Node) else line.span
    parts = [_printable(line.name)]
    if span.kind is not SpanKind.INTERNAL:
        parts.append(span.kind.name)
    if span.status not in (None, Status.UNSET):
        parts.append(span.status.name)
    return "  ".join(parts)


def _printable(text: str) -> str:
    name = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
