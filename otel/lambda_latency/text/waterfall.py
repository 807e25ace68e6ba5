"""The waterfall of one request, with the time on the critical path and off it, and the flame graph of many."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from itertools import groupby

from lambda_latency.latency import NOBODY, Bar, Owners, Stack, Waterfall, trace_name, waterfall_of
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, fit, left, ms, plural, right, wrap
from lambda_latency.trace import Trace

WAITED, TOOK = 9, 11
NAME, SHORTEST_NAME = 37, 25
NARROWEST_BAR = 12
MOST_ROWS = 40
MOST_DETACHED = 5


def waterfall(
    trace: Trace, style: Style, *, title: str = "The request", owners: Owners = NOBODY, everything: bool = True
) -> list[Line]:
    """Return a head, and a row for each span; the sum of `waited` is exactly the request's time.

    Of more spans than `MOST_ROWS`, those with the longest waits are shown. Without `everything`, spans off the critical
    path are one row.
    """
    drawn = waterfall_of(trace, owners)
    on_path = [bar for bar in drawn.bars if bar.on_path]
    is_folded = not everything and len(drawn.bars) - len(on_path) > 1
    shown = _longest(on_path if is_folded else drawn.bars)
    waits = [ms(bar.waited_ns, style) if bar.owned else "-" for bar in shown]
    lengths = [ms(bar.end_ns - bar.start_ns, style) for bar in shown]
    waited, took = max(WAITED, *map(len, waits)), max(TOOK, *(len(text) + 1 for text in lengths))
    width = style.width - 1 - NAME - waited - took - 2
    name = NAME if width >= NARROWEST_BAR else max(SHORTEST_NAME, NAME + width - NARROWEST_BAR)
    width = max(1, style.width - 1 - name - waited - took - 2)
    wall = ms(drawn.wall_ns, style)
    head = f"{title}: {clean(trace.route, style)}, {wall}, {trace_name(trace.trace_id, drawn.start_ns)}"
    end = right(wall, width - 1) if len(wall) < width else ""  # the head has it too
    axis = f"{'':<{name}}{'waited':>{waited}}{'took':>{took}}  0{end}"
    lines = [*wrap(head, style.width, "bold"), [Piece(axis, "dim")]]
    for bar, wait, length in zip(shown, waits, lengths, strict=True):
        lines.append([_name(bar, name, style), Piece(right(wait, waited)), Piece(right(length, took))])
        lines[-1] += [Piece("  "), *_drawn(bar, drawn, width, style)]
    if len(drawn.bars) > len(shown):
        hidden_ns = sum(bar.waited_ns for bar in drawn.bars) - sum(bar.waited_ns for bar in shown)
        off_path = " off the path" if is_folded and len(shown) == len(on_path) else ""
        more = plural(len(drawn.bars) - len(shown), "more span") + off_path
        lines.append([Piece(left(f"  {more}", name) + right(ms(hidden_ns, style), waited), "dim")])
    return lines + _outside(drawn, style)


def _name(bar: Bar, width: int, style: Style) -> Piece:
    suffix = f" ({bar.mark})" if bar.mark else ""
    text = fit("  " * bar.depth + clean(bar.name, style), width - 1, style, suffix)
    ink = "" if bar.on_path else "dim"
    return Piece(left(text, width), "red" if bar.mark else ink)


def _longest(bars: list[Bar]) -> list[Bar]:
    """Return the bars with the longest waits, in the order of the tree."""
    # A bar waits at least as long as its children, so that each bar is shown with its parent.
    waited_ns = [bar.waited_ns + bar.waited_below_ns for bar in bars]
    order = sorted(range(len(bars)), key=lambda index: (-waited_ns[index], index))
    return [bars[index] for index in sorted(order[:MOST_ROWS])]


def _drawn(bar: Bar, waterfall: Waterfall, width: int, style: Style) -> list[Piece]:
    zero, wall = waterfall.start_ns, max(waterfall.wall_ns, 1)

    def edge(ns: int) -> int:
        return max(0, min(width - 1, (ns - zero) * width // wall))

    def edges_of(start_ns: int, end_ns: int) -> range:
        """Return the cells of a window, at least one."""
        end = min(width, (2 * (end_ns - zero) * width + wall) // (2 * wall))
        return range(edge(start_ns), max(edge(start_ns) + 1, end))

    edges, marks = [" "] * width, style.marks
    for index in edges_of(bar.start_ns, bar.end_ns):
        edges[index] = marks.waiting if bar.on_path else marks.off_path
    for start, end in bar.owned:
        # Shorter than a third of a cell: a filled cell would exaggerate it
        if 3 * (end - start) * width > wall:
            for index in edges_of(start, end):
                edges[index] = marks.waited
    if bar.owned and not bar.waited_below_ns and marks.waited not in edges:
        return [Piece(" " * edge(bar.start_ns) + marks.tick)]
    plain = (marks.waited, " ")
    groups = groupby("".join(edges).rstrip(" "), key=lambda letter: "" if letter in plain else "dim")
    return [Piece("".join(letters), ink) for ink, letters in groups]


def _outside(waterfall: Waterfall, style: Style) -> list[Line]:
    """Return the spans of the trace that are not in the tree of the request."""
    texts: list[str] = []
    orphans, roots, detached = waterfall.orphans, waterfall.other_roots, waterfall.detached
    if orphans:
        names = ", ".join(clean(span.name, style) for span in orphans[:3])
        more = style.marks.ellipsis if len(orphans) > 3 else ""
        texts.append(f"{plural(len(orphans), 'orphan')} (the parent was never recorded): {names}{more}")
    if roots:
        texts.append(f"{plural(len(roots), 'more root')} in this trace: {clean(roots[0].name, style)}")
    for span in detached[:MOST_DETACHED]:
        took = ms(max(0, (span.end_ns or span.start_ns) - span.start_ns), style)
        texts.append(f"Continued off the critical path: {clean(span.name, style)}, {took}")
    if len(detached) > MOST_DETACHED:
        texts.append(f"{plural(len(detached) - MOST_DETACHED, 'more')} continued off the critical path")
    return [line for text in texts for line in wrap(text, style.width, "dim")]


STYLE = Style()
NS_PER_US = 1_000
TITLE = "critical paths of all requests"


def render_flame(stacks: Mapping[Stack, int], name: str) -> str:
    """Return the text of a file `name`: `*.speedscope.json` and any other `*.json` (Perfetto), else folded stacks.

    Times are microseconds, summed over all requests.
    """
    counts: Counter[Stack] = Counter()
    for stack, ns in stacks.items():
        counts[tuple(map(_frame, stack))] += ns
    ordered = sorted((stack, us) for stack, ns in counts.items() if (us := (ns + NS_PER_US // 2) // NS_PER_US))
    if name.endswith(".speedscope.json"):
        return json.dumps(_speedscope(ordered)) + "\n"
    if name.endswith(".json"):
        return json.dumps({"traceEvents": _slices(ordered), "displayTimeUnit": "ms"}) + "\n"
    return "".join(f"{';'.join(stack)} {us}\n" for stack, us in ordered)


def _frame(name: str) -> str:
    """Return a name without separators of frames and lines."""
    return clean(name, STYLE).replace(";", ",")


def _speedscope(ordered: list[tuple[Stack, int]]) -> dict[str, object]:
    frames: dict[str, int] = {}
    samples = [[frames.setdefault(name, len(frames)) for name in stack] for stack, _ in ordered]
    weights = [us for _, us in ordered]
    profile = {
        "type": "sampled",
        "name": TITLE,
        "unit": "microseconds",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": "lambda-latency",
        "name": TITLE,
        "shared": {"frames": [{"name": name} for name in frames]},
        "profiles": [profile],
    }


def _slices(ordered: list[tuple[Stack, int]]) -> list[dict[str, object]]:
    """Stacks side by side, as slices on one track; neighbours share the slices of their common frames."""
    slices: list[tuple[int, int, str]] = []
    open_frames: list[tuple[str, int]] = []
    end = 0
    for stack, us in [*ordered, ((), 0)]:
        shared = 0
        while shared < min(len(stack), len(open_frames)) and open_frames[shared][0] == stack[shared]:
            shared += 1
        while len(open_frames) > shared:
            name, begin = open_frames.pop()
            slices.append((begin, end - begin, name))
        open_frames += [(name, end) for name in stack[shared:]]
        end += us
    slices.sort(key=lambda frame: (frame[0], -frame[1]))
    return [{"name": name, "ph": "X", "ts": begin, "dur": us, "pid": 1, "tid": 1} for begin, us, name in slices]
