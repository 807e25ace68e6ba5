"""The answer of `check_tracing`: what is wrong with the tracing of an app's template, or with the traces of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.agent.brief import DATA
from lambda_latency.agent.budget import Answer
from lambda_latency.agent.commands import shell
from lambda_latency.agent.quoting import MARK, Names, plain, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.agent.loading import Call, Loader
    from lambda_latency.doctor import Finding
    from lambda_latency.trace import Trace

TEMPLATES = (".yaml", ".yml", ".template")
MOST_TRACES = 2_000
MOST_FINDINGS = 12
LINE = 300  # characters


def check_tracing(loader: Loader, call: Call, path: str = ".") -> str:
    """The doctor's findings about a template (a file, or a folder that has one) or about traces."""
    found = loader.roots.path(path)
    if (found.is_dir() and not _has_traces(found)) or found.name.lower().endswith(TEMPLATES):
        from lambda_latency.doctor import Where, diagnose

        findings = [
            replace(
                one,
                path=loader.roots.name(Path(one.path)),
                what=quoted(one.what, LINE),
                todo=quoted(one.todo, LINE),
            )
            for one in diagnose(found, Where(), loader.ignored)
        ]
        return _text(findings, f"template {quoted(path)}", shell("doctor", path))
    from lambda_latency.doctor import diagnose_traces

    loaded = loader.load(path, call)
    every = loaded.accounts
    step = max(1, -(-len(every) // MOST_TRACES))
    traces = loaded.find({every.trace_id(at) for at in range(0, len(every), step)})
    findings = [
        replace(one, what=quoted(_with_names(one.what, traces), LINE))
        for one in diagnose_traces(loaded.name, [traces[one] for one in sorted(traces)])
        if one.rule not in loader.ignored
    ]
    about = f"{len(traces):,} of {len(every):,} traces of {quoted(path)}"
    return _text(findings, about, shell("doctor", "--trace", path))


def _with_names(what: str, traces: Mapping[str, Trace]) -> str:
    """A finding about a trace, with a mark for each name of its spans that reads like a sentence."""
    about = next((trace for trace_id, trace in traces.items() if trace_id in what), None)
    if about is None and len(traces) == 1:
        [about] = traces.values()
    names = Names()
    for name in {span.name for span in about.spans} if about is not None else ():
        if name and names(name).startswith(MARK):
            what = what.replace(name, names(name).strip('"'))
    return what


def _has_traces(folder: Path) -> bool:
    return any(folder.glob("*.jsonl")) and not any((folder / f"template{one}").exists() for one in TEMPLATES)


def _text(findings: Sequence[Finding], about: str, command: str) -> str:
    answer = Answer()
    errors = sum(one.severity == "error" for one in findings)
    answer.add(f"Findings: {len(findings)} about {about}, errors: {errors}. All of it: {command}")
    for one in sorted(findings, key=lambda one: ("error", "warning", "note").index(one.severity))[:MOST_FINDINGS]:
        answer.add(f"{one.severity} {one.rule}, {quoted(f'{one.path}:{one.line}', 120)}")
        answer.add(f"  observed: {one.what}")
        answer.add(f"  effect: {plain(one.effect, LINE)}")
        answer.add(f"  remedy: {one.todo}")
    if len(findings) > MOST_FINDINGS:
        answer.add(f"{len(findings) - MOST_FINDINGS} more findings: the command prints them")
    return answer.text(DATA, more="the command prints all")
