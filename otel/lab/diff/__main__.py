"""Runs `lambda-latency diff` on identical versions: each run of an app is compared with every other one of its Python.

None may fail a condition. With --changes, runs the changes of changes.txt instead: each must be told, with its line.

Usual time: half a minute for each run, a minute beside busy loops.
"""

import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from lab.diff.changes import run_changes
from lab.diff.record import run_recorded
from lab.diff.runs import failed, listed, run
from lambda_latency.diff.compare import CountsDifference, compare
from lambda_latency.diff.counts import SideCounts
from lambda_latency.diff.lines import ChangedLines
from lambda_latency.pythons import pythons

BUSY = 4  # processes beside every second run


def pairs_of(runs: list[SideCounts], source: Path) -> Iterator[CountsDifference]:
    """Each pair of runs, compared as `diff` does: another pair is the second run."""
    lines = ChangedLines(source, source)
    for left, right in combinations(range(len(runs)), 2):
        difference = compare(runs[left], runs[right], lines)
        if difference.unsteady:
            second = runs[(left + 1) % len(runs)], runs[(right + 1) % len(runs)]
            difference = compare(runs[left], runs[right], lines, second)
        yield difference


def main(parser: ArgumentParser) -> int:
    """Run the apps; status 1 if an identical pair fails."""
    parser.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="the clones of the public apps")
    parser.add_argument("--only", action="append", metavar="NAME", help="an app of the list; may be repeated")
    parser.add_argument("--python", action="append", metavar="3.X", help="a version; default: all that answer")
    parser.add_argument("--runs", type=int, default=4, metavar="N", help="of each app and Python (default: 4)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the counts, and use those that are there")
    parser.add_argument("--changes", action="store_true", help="run the changes instead")
    parser.add_argument("--record", action="store_true", help="record the requests, and compare two commits, instead")
    options = parser.parse_args()
    apps = [app for app in listed(options.folder) if not options.only or app.name in options.only]
    if options.record:
        for app in apps:
            with tempfile.TemporaryDirectory() as temporary:
                run_recorded(app, Path(temporary))
        return 0
    if options.changes:
        with tempfile.TemporaryDirectory() as temporary:
            return run_changes(apps, options.keep or Path(temporary))
    versions = options.python or [".".join(map(str, version)) for version in pythons()]
    total = failures = different = made = 0
    print("| app | Python | runs | pairs | fail | differ at all | why |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        kept = options.keep or Path(temporary, "kept")
        for app in apps:
            for version in versions:
                source = app.copied(Path(temporary, version), version)
                paths = [kept / f"{app.name}-{version}-{number}.json" for number in range(options.runs)]
                runs = [run(app, source, path, BUSY * (number % 2)) for number, path in enumerate(paths)]
                results = list(pairs_of(runs, source))
                bad = [failed(difference) for difference in results if failed(difference)]
                unequal = [_causes(difference) for difference in results if _causes(difference)]
                causes = "; ".join(sorted({cause for causes in (*bad, *unequal) for cause in causes}))
                row = (app.name, version, len(runs), len(results), len(bad), len(unequal), causes)
                print(f"| {' | '.join(map(str, row))} |", flush=True)
                made, total = made + len(runs), total + len(results)
                failures, different = failures + len(bad), different + len(unequal)
    print(f"\n{made} runs, {total} pairs: {failures} fail, {different} differ at all")
    return int(failures > 0)


def _causes(difference: CountsDifference) -> list[str]:
    changes = [f"{change.subject}: {change.kind} {change.name} {change.gain:+}" for change in difference.changes]
    return changes + [f"{subject}: {why}" for subject, why in difference.not_compared.items()]
