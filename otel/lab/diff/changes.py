"""Changes of apps: each must be told, with its line; refactorings without effect must not fail.

They stand in changes.txt, each below a line with its app, batch, kind, file and the request that must be named. Like in
a patch, `-` marks the lines that go, `+` those that come, a space those between; `>` marks one that comes and must be
named. Changes of one batch are made together, because each concerns a request of its own.
"""

import tempfile
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from lab.diff.runs import HERE, App, counted, failed, run
from lambda_latency.diff.compare import CountsDifference, compare
from lambda_latency.diff.counts import SideCounts
from lambda_latency.diff.lines import ChangedLines


class Change(NamedTuple):
    """A change of changes.txt. Without a `subject`, nothing may be told; `line` is one that must be."""

    app: str
    batch: str
    kind: str
    file: str
    subject: str
    old: str
    new: str
    line: str

    def made(self, folder: Path) -> None:
        """Change the file. Raises `ValueError` if it has another text."""
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.kind}: {self.file} has {text.count(self.old)} of the lines to change")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


def changes() -> list[Change]:
    """Those of changes.txt."""
    text = (HERE / "changes.txt").read_text(encoding="utf-8").removeprefix("@ ")
    return [_change(*part.splitlines()) for part in text.split("\n@ ")]


def _change(head: str, *lines: str) -> Change:
    app, batch, kind, file, *subject = head.split(" | ")
    old, new = ("".join(f"\n{line[1:]}" for line in lines if line[:1] in kinds) for kinds in ("- ", "+> "))
    named = [line[1:].strip() for line in lines if line.startswith(">")]
    return Change(app, batch, kind, file, "".join(subject), old, new, "".join(named))


def run_changes(apps: Iterable[App], kept: Path) -> int:
    """Make and count the changes of some apps; status 1 if less than 85 % are told, 80 % with the line, or one that has
    no effect fails.
    """
    results: list[tuple[Change, str]] = []
    print("| app | change | told |\n|---|---|---|")
    for app in apps:
        with tempfile.TemporaryDirectory() as temporary:
            base = app.copied(Path(temporary, "base"), "")
            for batch, group in groupby((c for c in changes() if c.app == app.name), key=lambda change: change.batch):
                made = list(group)
                head = app.copied(Path(temporary, str(batch)), "")
                for change in made:
                    change.made(head)
                difference = compared(app, base, head, kept)
                for change in made:
                    results.append((change, told(change, difference, head)))
                    print(f"| {app.name} | {change.kind} | {results[-1][1]} |", flush=True)
    effective = [verdict for change, verdict in results if change.line]
    lines, missed = effective.count("with its line"), effective.count("not told")
    harmful = sum(verdict != "nothing fails" for change, verdict in results if not change.line)
    count = len(effective)
    print(f"\n{count} changes: {count - missed} told, {lines} with their line; {harmful} refactorings fail")
    return int(missed > 0.15 * count or lines < 0.8 * count or harmful > 0)


def compared(app: App, base: Path, head: Path, kept: Path) -> CountsDifference:
    """Compare a changed version with the base, as the command does: where rounds differ, by a second run of both."""

    def measure(number: int) -> tuple[SideCounts, SideCounts]:
        return run(app, base, kept / f"{app.name}-base-{number}.json", 0), counted(app, head, head.parent)

    lines, sides = ChangedLines(base, head), measure(1)
    difference = compare(*sides, lines)
    return compare(*sides, lines, measure(2)) if difference.unsteady else difference


def told(change: Change, difference: CountsDifference, head: Path) -> str:
    """How a change was told: by the row of its request, and by the line there."""
    if not change.line:
        return "; ".join(failed(difference)) or "nothing fails"
    places = [found.place for found in difference.changes if found.subject == change.subject]
    if not places:
        return "not told"
    named = {text_of(head, place) for found in places for place in (found.line, found.cause) if place}
    return "with its line" if any(change.line in text for text in named) else f"with {sorted(named)}"


def text_of(folder: Path, place: str) -> str:
    """The text of a line `file.py:12`."""
    file, _, number = place.rpartition(":")
    return (folder / file).read_text(encoding="utf-8").splitlines()[int(number) - 1].strip()
