"""The report as text: verdict, evidence, tables and waterfall, and the stack at a function's deadline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lambda_latency.latency import NOBODY, Frame, Owners, Report, Timeout, own_code_in, trace_name
from lambda_latency.text.correlation import query_lines
from lambda_latency.text.facts import cold_cost, distribution, facts, sampling, what_if_lines
from lambda_latency.text.findings import log_lines, own_code_lines
from lambda_latency.text.prose import MOST_GROUPS, paragraphs, sentence, timeout_groups
from lambda_latency.text.style import Line, Piece, Style, paint
from lambda_latency.text.table import by_lines, where
from lambda_latency.text.waterfall import waterfall
from lambda_latency.text.words import clean, fit, number, plural, wrap, wrap_pieces
from lambda_latency.trace import Trace

MOST_REASONS = 5


def render_report(
    report: Report, style: Style, *, everything: bool = False, what_if: bool = False, queries: bool = False
) -> str:
    """Return the report as text; `everything` draws the table and a waterfall even if nothing stands out.

    `what_if` adds the possible saving of each of the largest parts, `queries` those that find slow requests in AWS's
    consoles.
    """
    if report.verdict.kind == "none":
        return paint([*wrap_pieces(sentence(report, style), style.width), *_unread(report, style)], style)
    lines: list[Line] = []
    for paragraph in paragraphs(report, style):
        lines += wrap_pieces(paragraph, style.width)
    if report.verdict.kind != "one":
        lines += [[], *facts(report.totals, style, traffic=report.traffic)]
        lines += cold_cost(report.totals, style)
        lines += distribution(report.totals.walls_ns, report.comparison.border_ns, style)
    lines += _timed_out(report, style, everything=everything)
    lines += _changes(report, style, everything=everything)
    lines += [[], *where(report.totals, style)] if everything or report.verdict.kind == "one" else []
    lines += [[], *by_lines(report.by, style)] if report.by is not None else []
    for edge in report.groups.edges:
        lines += own_code_lines(
            report.own_code.get(edge), style, f"More {clean(edge.component.label, style)}, by line:"
        )
    lines += [[], *what_if_lines(report, style)] if what_if else []
    lines += query_lines(report, style) if queries else []
    lines += _example(report, style, everything=everything)
    lines += _queries_of_logs(report, style)
    return paint([*lines, [], *_missing(report, style)], style)


def _timed_out(report: Report, style: Style, *, everything: bool) -> list[Line]:
    """Draw a request of each group that timed out, and list its own code by line and its stack."""
    lines: list[Line] = []
    for timeout, *_ in timeout_groups(report)[:MOST_GROUPS]:
        trace = report.traces[timeout.trace_id]
        lines += [[], *waterfall(trace, style, title="Timed out", owners=report.owners)]
        lines += own_code_lines(own_code_in(trace, report.owners), style, "Until the deadline, own code by line:")
        lines += stack(timeout, style, everything=everything)
    return lines


def _changes(report: Report, style: Style, *, everything: bool) -> list[Line]:
    """Return the table of what changed since a baseline, and the own code that takes longer."""
    if report.against is None:
        return []
    from lambda_latency.text.against_table import against_lines

    table = against_lines(report.against, style, everything=everything)
    own_code = own_code_lines(report.own_code_against, style, "More own code than in the baseline, by line:")
    return [[], *table, *own_code] if table else own_code


def _queries_of_logs(report: Report, style: Style) -> list[Line]:
    lines: list[Line] = []
    for head, *texts in log_lines(report, style):
        lines += [[], *wrap(head, style.width, "bold")]
        lines += [line for text in texts for line in wrap(text, style.width)]
    return lines


def render_waterfall(trace: Trace, style: Style, *, owners: Owners = NOBODY) -> str:
    """Return the waterfall of one request as text."""
    lines = waterfall(trace, style, title="The request", owners=owners)
    return paint([*lines, *own_code_lines(own_code_in(trace, owners), style, "Own code, by line:")], style)


def _example(report: Report, style: Style, *, everything: bool) -> list[Line]:
    """Draw a request of each cause; for thin evidence, list the commands that show one per reason."""
    if report.verdict.kind == "thin":
        return _reasons(report, style)
    drawn = {group[0].trace_id for group in timeout_groups(report)[:MOST_GROUPS]}
    lines: list[Line] = []
    for trace_id, title in _examples(report, style, everything=everything):
        if trace_id not in drawn and trace_id in report.traces:
            trace = report.traces[trace_id]
            is_whole = everything or report.verdict.kind == "one"
            lines += [[], *waterfall(trace, style, title=title, owners=report.owners, everything=is_whole)]
    return lines


def _examples(report: Report, style: Style, *, everything: bool) -> Iterator[tuple[str, str]]:
    """Yield the trace id of each request to draw, and what it is."""
    proof, groups = report.verdict.proof, report.groups.groups
    if len(groups) > 1 and report.verdict.kind == "clear":
        for group in groups[:MOST_GROUPS]:
            label = clean(" and ".join([edge.component.label for edge, _ in group.edges]), style)
            yield report.breakdowns.trace_id(group.example), f"One that waits for {label}"
    elif proof is not None:
        yield proof.breakdown.trace_id, "The request" if report.verdict.kind == "one" else "One of them"
    elif everything:
        yield report.breakdowns.trace_id(report.breakdowns.slowest(1)[0]), "The slowest"


def _reasons(report: Report, style: Style) -> list[Line]:
    head = "One for each reason:" if len(report.verdict.candidates) > 1 else "One of them:"
    lines: list[Line] = [[], [Piece(head, "bold")]]
    for component in (candidate.component for candidate in report.verdict.candidates):
        breakdown = next((slow.breakdown for slow in report.comparison.slow if slow.component == component), None)
        if breakdown is not None:
            name = trace_name(breakdown.trace_id, breakdown.start_ns)
            lines += wrap(f"--trace {name}  {clean(component.label, style)}", style.width)
    return lines if len(lines) > 2 else []


def _unread(report: Report, style: Style) -> list[Line]:
    """Return the first reasons why the report has no requests."""
    reasons = [clean(str(problem), style) for problem in report.problems[:MOST_REASONS]]
    lines = [line for reason in reasons for line in wrap(reason, style.width)]
    more = len(report.problems) - MOST_REASONS
    return [*lines, [Piece(f"{number(more)} more: --problems shows them.", "dim")]] if more > 0 else lines


def _missing(report: Report, style: Style) -> list[Line]:
    """Name the data that the report does not contain: unsampled traffic, and input that could not be read."""
    text = sampling(report, style)
    skipped, counted = report.skipped, len(report.problems) - report.skipped
    shows = f"--problems shows {'it' if (skipped or counted) == 1 else 'them'}."
    if skipped:
        text += f" {plural(skipped, 'thing')} skipped while reading: {shows}"
    elif counted:
        text += f" Every span was read. {plural(counted, 'inconsistency', 'inconsistencies')}: {shows}"
    elif report.totals.requests:
        text += " Every span was read."
    return [line for note in (text, *report.notes) for line in wrap(clean(note, style), style.width, "dim")]


def stack(timeout: Timeout, style: Style, *, everything: bool) -> list[Line]:
    """Return the frames from caller to callee, then those of other threads; empty if no stack was recorded.

    Library frames are folded into one line, except the last, which was running. With `everything`, or without frames
    of the function, all are listed.
    """
    lines = _frames("Running at the deadline:", timeout.frames, style, everything=everything)
    for thread in timeout.threads:
        lines += _frames(f"In thread {clean(thread.name, style)}:", thread.frames, style, everything=everything)
    return lines


def _frames(heading: str, frames: Sequence[Frame], style: Style, *, everything: bool) -> list[Line]:
    if not frames:
        return []
    lines: list[Line] = [[], [Piece(fit(heading, style.width, style), "bold")]]
    folded = 0
    whole = everything or not any(frame.own for frame in frames)
    for index, frame in enumerate(frames, 1):
        if not (whole or frame.own or index == len(frames)):
            folded += 1
            continue
        if folded:
            lines.append([Piece(f"  {style.marks.ellipsis} {plural(folded, 'frame')} of libraries (--all)", "dim")])
            folded = 0
        lines += _frame_lines(frame, style)
    return lines


def _frame_lines(frame: Frame, style: Style) -> list[Line]:
    place = f"{'>' if frame.own else ' '} {clean(frame.file, style)}:{frame.line} {clean(frame.function, style)}"
    lines = [[Piece(fit(place, style.width, style), "bold" if frame.own else "dim")]]
    if frame.own and frame.text:
        lines.append([Piece(fit(f"      {clean(frame.text, style)}", style.width, style))])
    return lines
