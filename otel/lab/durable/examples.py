"""AWS's own examples of durable functions: does a report name the step of an example that is made slow?

AWS's tests run them by its testing package, traced by each of the plugin's classes: with a provider of the SDK's, and
with the kit's. Of 24 executions of a test 4 have a slow step; the others alone have no cause: no step and no wait may
be named. They run in real time, so one that the machine has disturbed may be said to be slow in its own code.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path

from lab.locks import ROOT, environment
from lab.pythons import find
from lab.suites import LOCK
from lambda_latency.latency import Report, load, report_of
from lambda_latency.text import Style
from lambda_latency.text.prose import flat, sentence
from lambda_latency.trace import LineIndex, Source, find_traces, read_traces
from tests.xray.platform import xray_documents

WAYS = (("sdk", "otel-execution"), ("kit", "otel-execution"), ("sdk", "otel-invocation"), ("kit", "otel-invocation"))
AS_XRAY = WAYS[0]  # whose spans are reported as X-Ray's segment documents too
OF_ATTEMPT = re.compile(r" attempt (\d+)$")
OF_EXAMPLE = ("step ", "wait ", "timer ", "callback ", "Lambda Invoke ")  # labels of what an example has
FEWEST = 19  # executions of a test, without those with the slow step


def examples_are_right(package: Path, only: str, named_first: Callable[[Report], str]) -> bool:
    """Run the examples of a folder in each way; whether each report names the slow step, and blames nothing else.

    `package` is `packages/aws-durable-execution-sdk-python-examples` of AWS's repository. `only` is a part of the
    names of the tests to run, by pytest's `-k`.
    """
    sums: list[bool] = []
    empty = 0  # ways that recorded nothing
    for provider, plugin in WAYS:
        earlier = len(sums)
        with tempfile.TemporaryDirectory(prefix="examples-") as folder:
            steps = record(package, Path(folder), provider, plugin, only)
            documents = ("OTLP", "X-Ray") if (provider, plugin) == AS_XRAY else ("OTLP",)
            for document, test in product(documents, sorted(steps)):
                files = executions_of(Path(folder), test, as_xray=document == "X-Ray")
                for is_right, line in judged(*files, steps[test], named_first):
                    print(
                        f"{'ok ' if is_right else 'NOT'} {test}, {provider}, {plugin}, {document}, {line}", flush=True
                    )
                    sums.append(is_right)
        empty += len(sums) == earlier
    print(f"{sum(sums)} of {len(sums)} sets of AWS's examples: the slow step is named, or nothing is blamed")
    return not empty and all(sums)


def record(package: Path, folder: Path, provider: str, plugin: str, only: str) -> dict[str, str | None]:
    """Run the tests; returns the slow step of each that ran in all executions, or None if no step has a name."""
    python = environment(ROOT / "build" / "suites", LOCK, find("3.13") or "3.13")
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'otel'}:{package}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DURABLE_EXECUTION_PLUGINS": plugin,
        "RECORDER_FOLDER": str(folder),
        "RECORDER_PROVIDER": provider,
    }
    options = ("-q", "-p", "no:cacheprovider", "-p", "lab.durable.recorder", "-W", "ignore", "-k", only)
    command: list[str | Path] = [python, "-m", "pytest", *options, "test"]
    done = subprocess.run(command, cwd=package, env=variables, capture_output=True, text=True, check=False)
    path = folder / "steps.json"
    if not path.exists():
        raise SystemExit(f"AWS's tests do not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    steps, unusable = json.loads(path.read_text("utf-8"))
    print(f"{provider}, {plugin}: {len(unusable)} tests left out, which fail or take long: {', '.join(unusable)}")
    return dict(steps)


def executions_of(folder: Path, test: str, *, as_xray: bool) -> tuple[list[Path], list[Path]]:
    """Return the files of a test's executions: typical ones, and those with the slow step."""
    both = [sorted(folder.glob(f"{test}.*.{name}.pb")) for name in ("usual", "slow")]
    typical, slow = ([path for path in paths if path.stat().st_size] for paths in both)
    if as_xray:
        return [*map(as_documents, typical)], [*map(as_documents, slow)]
    return typical, slow


def as_documents(path: Path) -> Path:
    """Write the spans of a file as X-Ray's segment documents; returns the file."""
    spans = [span for trace in read_traces(path).traces for span in trace.spans]
    written = path.with_suffix(".jsonl")
    written.write_text("".join(json.dumps(document) + "\n" for document in xray_documents(spans)), "utf-8")
    return written


def judged(
    typical: Sequence[Path], slow: Sequence[Path], step: str | None, named_first: Callable[[Report], str]
) -> Iterator[tuple[bool, str]]:
    """Yield whether the report on a test's executions is right, with its sentence: with a slow step, and without."""
    if len(typical) < FEWEST:
        return  # a test without an execution
    if step is not None:
        report = reported([*typical, *slow])
        text = flat(sentence(report, Style(unicode=False)))
        attempts = attempts_of(slow[0], step)
        is_told = attempts == 1 or f"{attempts} attempts" in text
        yield named_first(report) == f"step {step}" and is_told, text
    report = reported(typical)
    yield not named_first(report).startswith(OF_EXAMPLE), flat(sentence(report, Style(unicode=False)))


def reported(paths: Sequence[Path]) -> Report:
    """Return the report on the executions of these files."""
    index = LineIndex()
    sources = [Source(path.name, path) for path in paths]
    return report_of(load(sources, [], index=index), partial(find_traces, sources, index=index))


def attempts_of(path: Path, step: str) -> int:
    """Return the number of attempts of a step that were recorded."""
    numbers = [1]
    for trace in read_traces(path).traces:
        matches = [OF_ATTEMPT.search(span.name) for span in trace.spans if span.name.startswith(step)]
        numbers += [int(match[1]) for match in matches if match]
    return max(numbers)
