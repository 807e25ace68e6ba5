"""What the example of a cause shows, as sentences and steps: spans, attempts, timeouts of clients, and log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import GONE_CALL, MANY_CALLS, NEW_CALL, SLOW_CALLER, Part, advice
from lambda_latency.text.own_code import own_code_step
from lambda_latency.text.style import Piece
from lambda_latency.text.words import clean, ms, number, plural

if TYPE_CHECKING:
    from lambda_latency.latency import Cause, Cell, Diagnosis, Place, Report, Shapes
    from lambda_latency.text.style import Style

MOST_STATUSES = 4


def finding_pieces(one: Diagnosis | None, style: Style, *, alone: bool = False) -> list[Piece]:
    """What the example shows beyond its part; each sentence begins with a space. `alone`: it is the only request."""
    if one is None:
        return []
    pieces: list[Piece] = []
    if one.span:
        what, where = ("the own code", "") if alone else ("it", " in the example")
        pieces += [Piece(f" Most of {what} is in the span "), Piece(clean(one.span, style), "bold")]
        pieces += [Piece(f" ({ms(one.span_ns, style)}{where}")]
        pieces += [Piece("): a wait for a connection of a pool." if one.waits_for_a_pool else ").")]
    if one.beside is not None:
        name, ns = one.beside
        waited = clean(one.span, style)
        pieces.append(Piece(f" While {waited} waited, {clean(name, style)} ran for {ms(ns, style)}."))
    if one.attempts is not None and not (one.attempts.calls == 1 and one.gave_up):  # that call is told below
        calls, failed, callee, again = one.attempts
        statuses = ", ".join(clean(status, style) for status in failed[:MOST_STATUSES])
        more = ", ..." if len(failed) > MOST_STATUSES else ""
        who, its = ("It", "Its call") if alone else ("The example", "The call of the example")
        to = f" to {clean(callee, style)}" if callee else ""
        if callee:
            pieces.append(Piece(f" Most of {'the own code' if alone else 'it'} is a wait between attempts."))
        many = f" {who} made {plural(calls, 'call')}{to}, of which {number(len(failed))} failed ({statuses}{more})"
        many += ": retries." if again else "."
        pieces.append(Piece(many if calls > 1 else f" {its}{to} failed ({statuses})."))
    if one.gave_up:
        what = clean(one.gave_up, style)
        pieces.append(Piece(f" Its client gave up after {ms(one.gave_up_ns, style)} ({what})."))
    return pieces


def cell_steps(cell: Cell, report: Report, calls: bool = False) -> list[str]:
    """The next steps for a cell: by what its example shows, and by where its code runs."""
    one, part = report.diagnoses.get(cell), cell.part
    place = place_in(cell, report)
    steps = []
    if calls:
        steps.append(MANY_CALLS.format(name=part.name or "it"))
    elif one is not None and one.beside is not None:
        steps.append(f"Look at {one.beside[0]}: {one.span} only waited for it, or kept the books.")
    elif one is not None and one.waits_for_a_pool:
        steps.append(advice(Part("pool", part.name or report_name(report)), place))
    elif one is not None and one.gave_up and part.bucket == "external":
        pass  # it has a timeout, as the last step says
    elif one is None or one.attempts is None or not one.attempts.callee:
        steps.append(own_code_step(report.own_code.get(cell)) or advice(part, place))
    if one is not None and one.attempts is not None and one.attempts.again and part.bucket != "retries":
        callee = one.attempts.callee
        adds = "waits first" if callee else "adds its own time"
        steps.append(
            f"Find out why {callee or part.name or 'it'} fails, and limit the attempts of its client: each {adds}."
        )
    if one is not None and one.gave_up:
        steps.append("Set the client's timeout near the usual time of the call, and respond without its result then.")
        if part.bucket == "external":
            ask = (
                f"Find out why {part.name} did not answer."
                if part.owner == "ours"
                else "Ask its owner with a trace id."
            )
            steps.append(ask)
    return steps


def cause_steps(cause: Cause, changed: Shapes, report: Report) -> tuple[Part, list[str]]:
    """The part that the cause of a change blames, and the next steps: by what changed, its time or its calls."""
    cell, who = cause.cells[0], cause.service or report_name(report)
    if cause.origin == "caller":
        return cell.part, [SLOW_CALLER.format(name=who)]
    if cause.origin == "shape":
        operation = next((one for one in changed.operations if one.service == cause.service), None)
        call = next((one for one in changed.calls if one.cell.caller == cause.service), None)
        is_less = operation is not None and operation.gone
        if not is_less and call is not None and call.kind in ("more", "new"):
            words = MANY_CALLS if call.kind == "more" else NEW_CALL
            return call.cell.part, [words.format(name=call.cell.part.name or "it")]
        if operation is not None and operation.most[2] > operation.most[1]:
            words = NEW_CALL if operation.new else MANY_CALLS
            return cell.part, [words.format(name=operation.most[0])]
        return cell.part, [GONE_CALL.format(name=f"{operation.operation} of {who}" if operation is not None else who)]
    many = any(one.makes_more_calls and one.cell.of_all == cell.of_all for one in report.classes.found)
    return cell.part, cell_steps(cell, report, calls=many)


def report_name(report: Report) -> str:
    """The function that most requests entered, or `the service`."""
    names = [kind.function for kind in report.accounts.kinds if kind.function]
    return names[0] if names else "the service"


def place_in(cell: Cell, report: Report) -> Place | None:
    """Where the code that waits for a cell runs; without an example a function is known by its name.

    An example that does not tell is of no function: the spans of one name it.
    """
    one = report.diagnoses.get(cell)
    if one is not None:
        return one.place
    if not cell.caller:
        return "lambda"
    return "lambda" if cell.caller in {kind.function for kind in report.accounts.kinds if kind.function} else None


def log_lines(report: Report, style: Style) -> list[tuple[str, ...]]:
    """For the example of each class: a head with its log group, a query for its lines, and its address, if known."""
    found = []
    for cell, one in report.diagnoses.items():
        log = one.log
        if log is not None:
            head = f"Log lines of the example ({clean(cell.part.label, style)}), in {clean(log.group, style)}:"
            found.append((head, clean(log.query, style), *([clean(log.link, style)] if log.link else [])))
    return found
