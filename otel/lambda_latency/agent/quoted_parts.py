"""The parts of a report that are read from spans, with their names quoted: timeouts, examples, attribute values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_latency.agent.quoting import MARK, quoted, quoted_value, short
from lambda_latency.latency import ABSENT, diagnose, own_code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import TypeAlias

    from lambda_latency.agent.quoting import Names
    from lambda_latency.latency import (
        Accounts,
        Cell,
        Depends,
        Diagnosis,
        Finding,
        Frame,
        OwnCode,
        PlaceTime,
        Since,
        Timeout,
        Value,
    )
    from lambda_latency.latency import Report as Told
    from lambda_latency.trace import Trace

    Find: TypeAlias = Callable[[Collection[str]], Mapping[str, Trace]]

PATH = 50  # characters of the end of a file's path
VALUE = 80  # characters of a value, which is shown if it is shorter than the columns of the report


def quote_parts(report: Told, names: Names, raw: Accounts, find: Find) -> Told:
    """The report with these parts quoted. `raw` has the same requests as the report, with their own names."""
    own = dict(zip(report.accounts.cells, raw.cells, strict=True))
    return replace(
        report,
        timeouts=tuple(_timeout(one, names) for one in report.timeouts),
        diagnoses=_diagnoses(report, names, own),
        own_code=_own_code(report, names, raw, own, find),
        own_code_against=None,
        depends=_depends(report.depends),
    )


def _timeout(one: Timeout, names: Names) -> Timeout:
    def frames(of: Iterable[Frame]) -> tuple[Frame, ...]:
        return tuple(replace(frame, file=_file(frame.file, names), function="", text="") for frame in of)

    threads = tuple(replace(thread, name=names(thread.name), frames=frames(thread.frames)) for thread in one.threads)
    part = names.part(one.part) if one.part is not None else None
    route, running = names(one.route), names(one.running)
    return replace(one, route=route, running=running, part=part, frames=frames(one.frames), threads=threads)


def _diagnoses(report: Told, names: Names, own: Mapping[Cell, Cell]) -> dict[Cell, Diagnosis]:
    """What the examples show, made anew: a cell is found among spans by its own name."""
    found = {}
    for cell, one in report.diagnoses.items():
        told = diagnose(report.traces[one.trace_id], own[cell], report.owners)
        attempts = told.attempts
        found[cell] = replace(
            told,
            span=names(told.span),
            beside=(names(told.beside[0]), told.beside[1]) if told.beside is not None else None,
            attempts=attempts._replace(failed=tuple(map(names, attempts.failed)), callee=names(attempts.callee))
            if attempts is not None
            else None,
            gave_up=names(told.gave_up),
            log=None,
        )
    return found


def _own_code(report: Told, names: Names, raw: Accounts, own: Mapping[Cell, Cell], find: Find) -> dict[Cell, OwnCode]:
    """The lines of own code, made anew for the same reason."""
    found = {}
    for one in report.classes.found:
        if one.cell.part.bucket == "own code":
            routes = tuple(map(names.raw, one.routes))
            told = own_code_of(raw, replace(one, cell=own[one.cell], routes=routes), find, report.owners)
            if told is not None:
                found[one.cell] = replace(told, places=tuple(_place_time(each, names) for each in told.places))
    return found


def _place_time(one: PlaceTime, names: Names) -> PlaceTime:
    place = one.place
    file = _file(place.file, names)
    return replace(
        one, place=replace(place, file=file, function=names(place.function), below=names(place.below)), source=""
    )


def _file(path: str, names: Names) -> str:
    """A path of source code; of a long one its end, and nothing of one with words."""
    told = names(path)
    return quoted(f"../{path[-PATH:]}") if told.startswith(MARK) and not path.split()[1:] else told


def _depends(one: Depends) -> Depends:
    return replace(
        one,
        of_classes=tuple(tuple(map(_finding, findings)) for findings in one.of_classes),
        of_routes=tuple(replace(each, finding=_finding(each.finding)) for each in one.of_routes),
        of_changes=tuple(replace(each, finding=_finding(each.finding)) for each in one.of_changes),
        since=tuple(_since(each) if each is not None else None for each in one.since),
        since_routes=tuple(map(_since, one.since_routes)),
    )


def _finding(one: Finding) -> Finding:
    return replace(one, values=_values(one.values), same=_values(one.same))


def _since(one: Since) -> Since:
    return replace(one, values=_values(one.values))


def _values(values: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(
        replace(
            one,
            attribute=short(quoted(one.attribute)),
            text=one.text if one.text in (None, ABSENT) else short(quoted_value(one.attribute, one.text, VALUE)),
        )
        for one in values
    )
