"""A difference of counts in words: a sentence, a table, what was not compared, and what is never counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from lambda_latency.diff.compare import NOTICED, CountChange, CountsDifference
from lambda_latency.latency import Judged
from lambda_latency.text import Style, aligned, clean, escaped, markdown_table, plural

# Not in the counts, so that no sentence may claim it
UNCOUNTED = "Not counted: waiting, locks, work in C (json, re, zlib, numpy), memory, and what AWS does."
UNREACHED = (
    "Errors, or answers other than recorded: {}; what code does behind them is not counted, "
    "serve --record FILE records requests that reach it"
)
MOST_ROWS, MOST_NAMES = 20, 8
GRAVEST_FIRST = ("calls", "work", "cold", "facts", "bytes")  # kinds
HEAD = ("request", "calls", "executes", "bytes", "where")
STYLE = Style()


@dataclass(frozen=True)
class DiffReport:
    """A difference with its judged conditions. `versions` names base and head, `about` has notes on them."""

    difference: CountsDifference
    judged: Sequence[Judged]
    versions: tuple[str, str]
    about: Sequence[str]

    @property
    def failures(self) -> list[str]:
        return [judged.sentence for judged in self.judged if judged.failed]


def sentence(difference: CountsDifference) -> str:
    """Return the verdict: the gravest change with its line, and how many requests are the same."""
    count = len(difference.unchanged)
    changes = sorted(difference.changes, key=_gravity)
    if not changes and not count:
        return "Nothing was compared: no request reached a function in both versions."
    if not changes:
        return f"Nothing changed: {_are(count)} the same in calls and, to {100 * NOTICED:g} %, in what they execute."
    gravest = changes[0]
    place = f" ({gravest.place})" if any(gravest.place) else ""
    work = [change for change in changes[1:] if (change.subject, change.kind) == (gravest.subject, "work")]
    parts = [f"{gravest.subject} now {_predicate(gravest)}{place}", *map(_predicate, work)]
    further = len({change.subject for change in changes}) - 1
    changed = f", {plural(further, 'other')} changed" if further else ""
    return f"{' and '.join(parts)}{changed}; {_are(count)} the same."


def _gravity(change: CountChange) -> tuple[bool, int, float]:
    return change.gain < 0, GRAVEST_FIRST.index(change.kind), -abs(change.percent)


def _predicate(change: CountChange) -> str:
    """Return what a request does now."""
    if change.kind == "facts":
        return f"has {change.name} {change.head or 'none'} instead of {change.base or 'none'}"
    if change.kind == "calls":
        return f"makes {plural(int(change.head), 'call')} of {change.name} instead of {change.base:,}"
    if change.kind == "bytes":
        return f"moves {change.head:,} bytes instead of {change.base:,}"
    return f"executes {_share(change)}{_modules(change)}"


def _share(change: CountChange) -> str:
    if change.percent >= 200:
        return f"{int(change.head) / int(change.base):.1f} times as much"
    digits = 0 if abs(change.percent) >= 10 else 1
    return f"{abs(change.percent):.{digits}f} % {'more' if change.gain > 0 else 'less'}"


def _modules(change: CountChange) -> str:
    if not change.modules:
        return ""
    packages = list(dict.fromkeys(name.partition(".")[0] for name in change.modules))
    count = plural(len(change.modules), "module")
    return f", {count} {'more' if change.gain > 0 else 'fewer'} ({_names(packages)})"


def _are(count: int) -> str:
    return f"{plural(count, 'request')} {'is' if count == 1 else 'are'}"


def _names(names: Sequence[str]) -> str:
    further = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + further


def _rows(difference: CountsDifference) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the rows of what changed, one for each request, event and cold start, the gravest first; and the number of
    those that are cut.
    """
    ordered = sorted(difference.changes, key=_gravity)
    rows = [
        _row(subject, [change for change in ordered if change.subject == subject])
        for subject in dict.fromkeys(change.subject for change in ordered)
    ]
    return rows[:MOST_ROWS], [f"and {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else []


def _row(subject: str, changes: Sequence[CountChange]) -> tuple[str, ...]:
    calls, work, size = list[str](), list[str](), list[str]()
    for change in changes:
        if change.kind in ("calls", "facts"):
            calls.append(_predicate(change).partition(" ")[2])
        elif change.kind == "bytes":
            size.append(f"{change.base:,} -> {change.head:,}")
        else:
            library = f", most of it in {change.package}" if change.package else ""
            work.append(f"{change.base:,} -> {change.head:,}, {_share(change)}{_modules(change)}{library}")
    where = next((str(change.place) for change in changes if str(change.place)), "")
    return subject, *("; ".join(changed) or "same" for changed in (calls, work, size)), where


def notes(difference: CountsDifference) -> Iterator[str]:
    """Yield what was not compared, and what the requests do not reach."""
    for subject, why in difference.not_compared.items():
        yield f"{subject}: not compared: {why}"
    answers = [f"{subject} ({status})" for subject, status in difference.unanswered.items()]
    packages = [f"{name} {old or 'none'} -> {new or 'none'}" for name, (old, new) in difference.packages.items()]
    lists = {
        "New, so not compared: {}": difference.new,
        "Gone, so not compared: {}": difference.gone,
        "Not called by any request: {}": difference.not_called,
        "No function runs for: {}": difference.unreached,
        UNREACHED: answers,
        "Changed packages: {}": packages,
    }
    yield from (line.format(_names(names)) for line, names in lists.items() if names)


def text(report: DiffReport) -> str:
    """Return the difference for a terminal."""
    rows, cut = _rows(report.difference)
    table = [*aligned([HEAD, *rows]).splitlines(), *cut] if rows else []
    about = [*report.about, UNCOUNTED]
    blocks = [sentence(report.difference)], table, report.failures, [*notes(report.difference)], about
    return "\n\n".join("\n".join(clean(line, STYLE) for line in block) for block in blocks if block) + "\n"


def markdown(report: DiffReport) -> str:
    """Return the difference for a pull request."""
    rows, cut = _rows(report.difference)
    blocks = [f"**{escaped(sentence(report.difference))}**"]
    blocks += [markdown_table(HEAD, rows), *cut] if rows else []
    lines = [f"- **fails**: {escaped(line)}" for line in report.failures]
    lines += [f"- {escaped(line)}" for line in (*notes(report.difference), *report.about, UNCOUNTED)]
    return "\n\n".join([*blocks, "\n".join(lines)]) + "\n"


def document(report: DiffReport) -> str:
    """Return the difference as JSON: the fields of `CountsDifference`, with the sentence and the conditions."""
    difference = asdict(report.difference)
    for entry, change in zip(difference["changes"], report.difference.changes, strict=True):
        entry |= {"place": change.place._asdict(), "percent": round(change.percent, 3)}
    values = {
        "sentence": sentence(report.difference),
        "base": report.versions[0],
        "head": report.versions[1],
        **difference,
        "conditions": [asdict(judged) for judged in report.judged],
        "notes": [*report.about, UNCOUNTED],
    }
    return json.dumps(values, indent=1) + "\n"
