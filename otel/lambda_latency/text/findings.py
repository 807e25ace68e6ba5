"""What the example of a cause shows, as sentences and steps: spans, lines of own code, attempts, log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import (
    APART,
    GONE_CALL,
    LOOKUP,
    MANY_CALLS,
    NEW_CALL,
    OTHER_ANSWER,
    SLOW_CALLER,
    Component,
    Concurrent,
    Diagnosis,
    Edge,
    OwnCode,
    Place,
    PlaceTime,
    Report,
    advice,
)
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, fit, ms, number, plural, right

if TYPE_CHECKING:
    from lambda_latency.latency import CallGraphChanges, Cause, OperationChange

WAITS_FOR = {
    "lock": "waiting for a lock",
    "sleep": "waiting in a sleep",
    "file": "waiting for a file",
    "network": "waiting for the network",
    "process": "waiting for another process",
    "DNS": "waiting for DNS",
}
# A place with less than this fraction (1/20) of the excess is not named
LEAST_SHARE = 20
MOST_NAMED, MOST_PLACES = 2, 5
MOST_STATUSES = 4
TIME = 10
MORE_CALLS = {"more": MANY_CALLS, "new": NEW_CALL}  # the step by the kind of changed calls


def of_which(code: OwnCode | None, excess_ns: int, style: Style) -> list[Piece]:
    """` (of which 1,096 ms in functions/orders.py:14 price(), computing)`; nothing without samples."""
    if code is None:
        return []
    pieces: list[Piece] = []
    placed = [timed for timed in code.places if timed.place.file and timed.requests]
    for timed in [timed for timed in placed if timed.excess_ns * LEAST_SHARE >= excess_ns][:MOST_NAMED]:
        pieces.append(Piece(" and " if pieces else " (of which "))
        pieces += _place_pieces(timed, code.requests, excess_ns, style)
    return [*pieces, Piece(")")] if pieces else []


def _place_pieces(timed: PlaceTime, requests: int, excess_ns: int, style: Style) -> list[Piece]:
    """`about 1,096 ms in functions/orders.py:14 price(), computing, in 12 of them`."""
    time = ms(min(timed.excess_ns, excess_ns), style)
    state = f", {doing(timed)}" if doing(timed) else ""
    count = f", in {number(timed.requests)} of them" if timed.requests < requests else ""
    pieces = [Piece(f"{time} in {clean(timed.place.label, style)}", "bold"), Piece(f"{state}{count}")]
    return [Piece("about "), *pieces] if timed.about else pieces


def own_code_step(code: OwnCode | None) -> str:
    """Return the next step for the largest place; empty without samples. Advise memory only where code computes."""
    if code is None or not code.places or not code.places[0].place.file:
        return ""
    largest = code.places[0]
    steps = {
        "computing": "Let it compute less, move it out of the request, or give the function more memory (CPU scales "
        "with memory).",
        "lock": "Hold the lock for a shorter time, or do not share what it guards: memory does not shorten a wait.",
        "waiting": "Wait for less, or for several things at once: memory does not shorten a wait.",
    }
    step = steps.get(largest.waits_for) or steps.get(largest.state, "")
    return f"Look at {largest.place.label}. {step}".strip()


def doing(timed: PlaceTime) -> str:
    """`computing`, `waiting for a lock`; empty if the samples do not show it."""
    return WAITS_FOR.get(timed.waits_for, timed.state) if timed.state == "waiting" else timed.state


def own_code_lines(code: OwnCode | None, style: Style, heading: str) -> list[Line]:
    """Return the places with the most time, and the time without samples, each a line; nothing without samples."""
    if code is None:
        return []
    if code.requests == 1:  # there is no other request to compare it with
        times = [(timed, timed.slow_ns) for timed in code.places]
    else:
        times = [(timed, timed.excess_ns) for timed in code.places if timed.excess_ns > 0]
    lines: list[Line] = [[], [Piece(fit(heading, style.width, style), "bold")]]
    lines += [_place_line(timed, ns, style) for timed, ns in times[:MOST_PLACES]]
    folded = times[MOST_PLACES:]
    if folded:
        time = right(ms(sum(ns for _, ns in folded), style), TIME)
        lines.append([Piece(time), Piece(f"  {plural(len(folded), 'more place')}", "dim")])
    if code.unsampled_ns > 0:
        lines.append([Piece(right(ms(code.unsampled_ns, style), TIME)), Piece("  before sampling", "dim")])
    return lines


def _place_line(timed: PlaceTime, ns: int, style: Style) -> Line:
    below = f" > {timed.place.below}" if timed.place.file and timed.place.below else ""
    remarks = ", ".join(text for text in (doing(timed), timed.source) if text)
    text = clean(f"{timed.place.label}{below}" + (f"  {remarks}" if remarks else ""), style)
    return [Piece(right(ms(ns, style), TIME), "bold"), Piece(fit(f"  {text}", style.width - TIME, style))]


def own_code_values(code: OwnCode | None) -> dict[str, object] | None:
    """Return own code by place as JSON values; None without samples."""
    if code is None:
        return None
    return {
        "requests": code.requests,
        "typical_requests": code.typical,
        "before_sampling_ns": code.unsampled_ns,
        "places": [
            {
                "file": timed.place.file,
                "line": timed.place.line,
                "function": timed.place.function,
                "called": timed.place.below or None,
                "source": timed.source or None,
                "excess_ns": timed.excess_ns,
                "slow_ns": timed.slow_ns,
                "requests": timed.requests,
                "cpu_share": None if timed.cpu is None else round(timed.cpu, 3),
                "state": timed.state or None,
                "waits_for": timed.waits_for or None,
                "about": timed.about,
            }
            for timed in code.places
        ],
    }


def finding_pieces(diagnosis: Diagnosis | None, style: Style, *, alone: bool = False) -> list[Piece]:
    """Say what the example shows beyond its part; each sentence begins with a space. `alone`: the only request."""
    if diagnosis is None:
        return []
    pieces = _span_pieces(diagnosis, style, alone) if diagnosis.span else []
    pieces += _filling_pieces(diagnosis, style, alone)
    attempts, error = diagnosis.attempts, diagnosis.gave_up
    if attempts is not None and not (attempts.calls == 1 and error):  # the next sentence covers that call
        pieces += _attempts_pieces(diagnosis, style, alone)
    if error:
        time = ms(diagnosis.gave_up_ns, style)
        pieces.append(Piece(f" Its client gave up after {time} ({clean(error, style)})."))
    if diagnosis.line:
        pieces.append(Piece(f" It is waited for at {clean(diagnosis.line, style)}."))
    return pieces


def _filling_pieces(diagnosis: Diagnosis, style: Style, alone: bool) -> list[Piece]:
    """Say what filled the time of an edge: work of others, a cold start, the slow one of parallel calls."""
    pieces: list[Piece] = []
    if diagnosis.concurrent is not None:
        name, ns, service = diagnosis.concurrent
        name, service = clean(name, style), clean(service, style)
        did = f"{service} worked {ms(ns, style)} ({name})" if service else f"{name} ran for {ms(ns, style)}"
        pieces.append(Piece(f" While {clean(diagnosis.waiting, style)} waited, {did}."))
    if diagnosis.cold_start is not None:
        name, ns = diagnosis.cold_start
        pieces += [Piece(" Most of it is the "), Piece(f"cold start of {clean(name, style)}", "bold")]
        pieces.append(Piece(f" ({ms(ns, style)}{'' if alone else ' in the example'})."))
    if diagnosis.slow_call is not None:
        calls, ns, others_ns, attributes = diagnosis.slow_call
        which = f" ({clean(', '.join(attributes), style)})" if attributes else ""
        which += "" if alone else " in the example"
        fast_calls = "the other" if calls == 2 else "the others at most"
        text = (
            f" One of {number(calls)} parallel calls took {ms(ns, style)}{which}, {fast_calls} {ms(others_ns, style)}."
        )
        pieces.append(Piece(text))
    return pieces


def _span_pieces(diagnosis: Diagnosis, style: Style, alone: bool) -> list[Piece]:
    """Name the span with most of the time."""
    whole, where = ("the own code", "") if alone else ("it", " in the example")
    return [
        Piece(f" Most of {whole} is in the span "),
        Piece(clean(diagnosis.span, style), "bold"),
        Piece(f" ({ms(diagnosis.span_ns, style)}{where}"),
        Piece(f"){_reason(diagnosis)}."),
    ]


def _reason(diagnosis: Diagnosis) -> str:
    if diagnosis.connects:
        return f": the {'look-up of the host' if diagnosis.connects == 'dns' else 'connection'}, not an answer"
    return ": a wait for a connection of a pool" if diagnosis.waits_for_a_pool else ""


def _attempts_pieces(diagnosis: Diagnosis, style: Style, alone: bool) -> list[Piece]:
    """Describe the calls that failed, and the wait between them."""
    attempts = diagnosis.attempts
    assert attempts is not None
    statuses = ", ".join(clean(status, style) for status in attempts.failed[:MOST_STATUSES])
    statuses += ", ..." if len(attempts.failed) > MOST_STATUSES else ""
    to, pieces = "", []
    if attempts.callee:
        to = f" to {clean(attempts.callee, style)}"
        pieces.append(Piece(f" Most of {'the own code' if alone else 'it'} is a wait between attempts."))
    if attempts.calls > 1:
        calls = f"{'It' if alone else 'The example'} made {plural(attempts.calls, 'call')}{to}"
        end = ": retries." if attempts.was_retried else "."
        pieces.append(Piece(f" {calls}, of which {number(len(attempts.failed))} failed ({statuses}){end}"))
    else:
        pieces.append(Piece(f" {'Its call' if alone else 'The call of the example'}{to} failed ({statuses})."))
    return pieces


def edge_steps(edge: Edge, report: Report, calls: bool = False) -> list[str]:
    """Return the next steps for a cell: by what its example shows, and by where its code runs; none if another
    run must tell whether it is the cause.
    """
    if report.is_undecided:
        return []
    diagnosis, component = report.diagnosis(edge), edge.component
    steps = [MANY_CALLS.format(name=component.name or "it")] if calls else _wait_steps(edge, diagnosis, report)
    if diagnosis is not None and diagnosis.attempts is not None and diagnosis.attempts.was_retried:
        steps += _retry_steps(component, diagnosis.attempts.callee)
    if diagnosis is not None and diagnosis.gave_up:
        steps += _timeout_steps(component)
    return steps


def _wait_steps(edge: Edge, diagnosis: Diagnosis | None, report: Report) -> list[str]:
    """Return the step against what the example waited for; none if only its failed calls explain the wait."""
    component, place = edge.component, place_in(edge, report)
    if _starts_cold(edge, report):
        return [advice(Component("cold start", component.name), place)]
    filling = _filling_steps(edge, diagnosis, report) if diagnosis is not None else None
    if filling is not None:
        return filling
    apart = diagnosis.slow_call.attributes if diagnosis is not None and diagnosis.slow_call is not None else ()
    steps = [APART.format(name=" and ".join(apart))] if apart else []
    if apart and component.category == "own code":
        return steps
    return [*steps, own_code_step(report.own_code.get(edge)) or advice(component, place)]


def _starts_cold(edge: Edge, report: Report) -> bool:
    return any(group.starts_cold for group in report.groups.groups if group.edge == edge)


def _filling_steps(edge: Edge, diagnosis: Diagnosis, report: Report) -> list[str] | None:
    """Return the step against what filled the time of an edge; None if nothing else did than the edge itself."""
    component, place = edge.component, diagnosis.place
    if diagnosis.concurrent is not None:
        return [_concurrent_step(diagnosis.waiting, diagnosis.concurrent)]
    if diagnosis.waits_between_attempts:
        return []
    if diagnosis.cold_start is not None:
        return [advice(Component("cold start", diagnosis.cold_start[0]))]
    if diagnosis.connects:
        return [LOOKUP if diagnosis.connects == "dns" else advice(Component("connect", component.name), place)]
    if diagnosis.waits_for_a_pool:
        return [advice(Component("pool", component.name or report_name(report)), place)]
    # A client that gave up has a timeout, as the last step says
    return [] if diagnosis.gave_up and component.category == "external" else None


def _concurrent_step(waiting: str, concurrent: Concurrent) -> str:
    end = "." if concurrent.service else ", or kept the books."
    return f"Look at {concurrent.service or concurrent.span}: {waiting} only waited for it{end}"


def _retry_steps(component: Component, callee: str) -> list[str]:
    if component.category == "retries":
        return []
    adds = "adds a wait" if callee else "adds its own time"
    name = callee or component.name or "it"
    by = "retry strategy" if component.category == "step" else "client"
    return [f"Find out why {name} fails, and limit the attempts of its {by}: each {adds}."]


def _timeout_steps(component: Component) -> list[str]:
    steps = ["Set the client's timeout near the usual time of the call, and respond without its result then."]
    if component.category == "external":
        is_ours = component.owner == "ours"
        steps.append(f"Find out why {component.name} did not answer." if is_ours else "Ask its owner with a trace id.")
    return steps


def cause_steps(cause: Cause, shapes: CallGraphChanges, report: Report) -> tuple[Component, list[str]]:
    """Return the part that the cause of a change blames, and the next steps: by what changed, its time or its calls."""
    edge, service = cause.edges[0], cause.service or report_name(report)
    if cause.origin == "caller":
        return edge.component, [SLOW_CALLER.format(name=service)]
    if cause.origin == "shape":
        return _call_graph_steps(cause, shapes, service)
    groups = [group for group in report.groups.groups if group.edge.merged == edge.merged]
    return edge.component, edge_steps(edge, report, calls=any(group.makes_more_calls for group in groups))


def _call_graph_steps(cause: Cause, shapes: CallGraphChanges, service: str) -> tuple[Component, list[str]]:
    operation = next((operation for operation in shapes.operations if operation.service == cause.service), None)
    call = next((call for call in shapes.calls if call.edge.caller == cause.service), None)
    is_less = operation is not None and operation.gone
    if not is_less and call is not None and call.kind in MORE_CALLS:
        component = call.edge.component
        return component, [MORE_CALLS[call.kind].format(name=component.name or "it")]
    is_callee = cause.service in shapes.callees_of_answers
    return cause.edges[0].component, [_operation_step(operation, service, is_callee=is_callee)]


def _operation_step(operation: OperationChange | None, service: str, *, is_callee: bool) -> str:
    if operation is None:
        return (OTHER_ANSWER if is_callee else GONE_CALL).format(name=service)
    callee, baseline_share, current_share = operation.largest
    if current_share > baseline_share:
        return (NEW_CALL if operation.new else MANY_CALLS).format(name=callee)
    return GONE_CALL.format(name=f"{operation.operation} of {service}")


def report_name(report: Report) -> str:
    """Return the function that most requests entered, or `the service`."""
    names = [kind.function for kind in report.breakdowns.kinds if kind.function]
    return names[0] if names else "the service"


def place_in(edge: Edge, report: Report) -> Place | None:
    """Where the code that waits for a cell runs; without an example a function is known by its name.

    An example without a place is of no function: spans of a function would name it.
    """
    diagnosis = report.diagnosis(edge)
    if diagnosis is not None:
        return diagnosis.place
    functions = {kind.function for kind in report.breakdowns.kinds if kind.function}
    return "lambda" if not edge.caller or edge.caller in functions else None


def log_lines(report: Report, style: Style) -> list[tuple[str, ...]]:
    """For the example of each class: a head with its log group, a query for its lines, and its address, if known."""
    groups = []
    for edge, diagnosis in report.diagnoses.items():
        log = diagnosis.log
        if log is not None:
            head = f"Log lines of the example ({clean(edge.component.label, style)}), in {clean(log.group, style)}:"
            groups.append((head, clean(log.query, style), *([clean(log.link, style)] if log.link else [])))
    return groups
