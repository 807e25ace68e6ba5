"""The answer of `check_tracing`: what is wrong with the tracing of an app's template, or with the traces of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.agent.brief import DATA, shell
from lambda_latency.agent.budget import BoundedAnswer
from lambda_latency.agent.quoting import MARK, QuotedNames, plain, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.agent.loading import Loader, ToolCall
    from lambda_latency.doctor import Finding
    from lambda_latency.trace import Trace

TEMPLATES = (".yaml", ".yml", ".template")
MOST_TRACES = 2_000
MOST_FINDINGS = 12
SEVERITIES = ("error", "warning", "note")  # the worst first
LINE = 300  # characters


def check_tracing(loader: Loader, call: ToolCall, path: str = ".") -> str:
    """Print the doctor's findings about a template (a file, or a folder that has one) or about traces."""
    subject = loader.roots.path(path)
    if (subject.is_dir() and not _has_traces(subject)) or subject.name.lower().endswith(TEMPLATES):
        from lambda_latency.doctor import Deployment, diagnose

        findings = [
            replace(
                finding,
                path=loader.roots.name(Path(finding.path)),
                what=quoted(finding.what, LINE),
                todo=quoted(finding.todo, LINE),
            )
            for finding in diagnose(subject, Deployment(), loader.ignored)
        ]
        return _text(findings, f"template {quoted(path)}", shell("doctor", "--template", path))
    from lambda_latency.doctor import diagnose_traces

    loaded = loader.load(path, call)
    accounts = loaded.breakdowns
    step = max(1, -(-len(accounts) // MOST_TRACES))
    traces = loaded.find({accounts.trace_id(index) for index in range(0, len(accounts), step)})
    findings = [
        replace(finding, what=quoted(_with_names(finding.what, traces), LINE))
        for finding in diagnose_traces(loaded.name, [traces[trace_id] for trace_id in sorted(traces)])
        if finding.rule not in loader.ignored
    ]
    about = f"{len(traces):,} of {len(accounts):,} traces of {quoted(path)}"
    return _text(findings, about, shell("report", path, "--problems"))


def _with_names(sentence: str, traces: Mapping[str, Trace]) -> str:
    """Replace each span name in a finding about a trace that reads like a sentence by its mark."""
    trace = next((trace for trace_id, trace in traces.items() if trace_id in sentence), None)
    if trace is None and len(traces) == 1:
        [trace] = traces.values()
    names = QuotedNames()
    for name in {span.name for span in trace.spans} if trace is not None else ():
        if name and names(name).startswith(MARK):
            sentence = sentence.replace(name, names(name).strip('"'))
    return sentence


def _has_traces(folder: Path) -> bool:
    return any(folder.glob("*.jsonl")) and not any((folder / f"template{suffix}").exists() for suffix in TEMPLATES)


def _text(findings: Sequence[Finding], about: str, command: str) -> str:
    answer = BoundedAnswer()
    errors = sum(f.severity == "error" for f in findings)
    answer.add(f"Findings: {len(findings)} about {about}, errors: {errors}. All of it: {command}")
    for finding in sorted(findings, key=lambda f: SEVERITIES.index(f.severity))[:MOST_FINDINGS]:
        answer.add(f"{finding.severity} {finding.rule}, {quoted(f'{finding.path}:{finding.line}', 120)}")
        answer.add(f"  observed: {finding.what}")
        answer.add(f"  effect: {plain(finding.effect, LINE)}")
        answer.add(f"  remedy: {finding.todo}")
    if len(findings) > MOST_FINDINGS:
        answer.add(f"{len(findings) - MOST_FINDINGS} more findings: the command prints them")
    return answer.text(DATA, more="the command prints all")
