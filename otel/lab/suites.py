"""Do public tests that were written for OpenTelemetry's SDK pass with the kit's provider as with the SDK's?

The tests of the SDK's traces, of AWS's plugin for durable functions and of two instrumentations, from the source
distributions of the locked versions. Each runs twice, with the SDK's provider and with the kit's. What passes with the
first one alone is a difference. A function with that plugin runs with both, too, for the parents of its spans. The
kit's own tests of whole executions run here as well, whatever is chosen: no other environment has AWS's packages.
Status 1 if a difference is not among those that `REASONS` explains, a parent exists nowhere, or such a test fails.

Usual time: 3 minutes.
"""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from lab.locks import ROOT, environment, packages
from lab.pythons import find

LOCK = ROOT / "requirements" / "suites.txt"
OWN_TESTS = "otel/tests/testing/test_durable.py"


class Suite(NamedTuple):
    """A package, and which files of its tests run."""

    package: str
    files: tuple[str, ...] = ("tests",)


DURABLE = "aws-durable-execution-sdk-python-otel"
SUITES = (
    Suite("opentelemetry-sdk", ("tests/trace", "tests/context")),
    Suite(DURABLE),
    Suite("opentelemetry-instrumentation-requests"),
    Suite("opentelemetry-instrumentation-botocore"),
)
# By pattern of a test's name, why it does not pass with the kit's provider.
REASONS = {
    "test_span_processor_with_on_ending": "`_on_ending` of a processor is private, and no lean span calls it",
    "test_start_span_returns_invalid_span_if_not_enabled": "the tracers' configuration is private to the SDK",
    "test_tracer_provider_accepts_concurrent_multi_span_processor": "it reads a private field",
}


def main(parser: ArgumentParser) -> int:
    """Run each suite with both providers; print the differences and a line of sums for each."""
    parser.add_argument("--only", default="", metavar="PATTERN", help="only packages whose name has this in it")
    options = parser.parse_args()
    interpreter = find("3.13") or sys.executable
    python = environment(ROOT / "build" / "suites", LOCK, interpreter)
    unexplained = 0
    for suite in SUITES:
        if re.search(options.only, suite.package):
            with tempfile.TemporaryDirectory(prefix="suites-") as folder:
                unexplained += compared(suite, python, Path(folder))
    if re.search(options.only, DURABLE):
        variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "otel")}
        code = "from lab.suites_durable import main; raise SystemExit(main())"
        unexplained += subprocess.run([python, "-c", code], env=variables, check=False).returncode
    return int(unexplained > 0 or not own_tests_pass(python))


def own_tests_pass(python: Path) -> bool:
    """Run the kit's tests of durable executions; whether all pass and none is skipped."""
    options = ("--noconftest", "-c", os.devnull, "--rootdir", str(ROOT), "-p", "no:cacheprovider", "-q", "-rs")
    command: list[str | Path] = [python, "-m", "pytest", *options, "-p", "lambda_latency.testing.plugin"]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "otel")}
    done = subprocess.run([*command, ROOT / OWN_TESTS], env=variables, capture_output=True, text=True, check=False)
    is_passed = done.returncode == 0 and "skipped" not in done.stdout
    print(f"{OWN_TESTS}: {done.stdout.strip().splitlines()[-1]}" if is_passed else done.stdout, flush=True)
    return is_passed


def compared(suite: Suite, python: Path, folder: Path) -> int:
    """Run a suite with both providers; returns how many differences have no reason."""
    source = unpacked(suite.package, folder)
    with_sdk, with_kit = (outcomes(python, source, suite, provider) for provider in ("sdk", "kit"))
    different = [name for name, outcome in with_sdk.items() if outcome == "passed" != with_kit.get(name)]
    explained = {name: why for name in different for pattern, why in REASONS.items() if re.search(pattern, name)}
    for name in different:
        print(f"{suite.package}: {name}: {explained.get(name, 'NOT EXPLAINED')}")
    passed = sum(outcome == "passed" for outcome in with_sdk.values())
    print(
        f"{suite.package}: {len(with_sdk)} tests, {passed} pass with the SDK's provider, "
        f"{len(different)} of them not with the kit's, {len(explained)} explained",
        flush=True,
    )
    return len(different) - len(explained) + (not passed)


def unpacked(package: str, folder: Path) -> Path:
    """Download the source distribution of the locked version, and return its folder."""
    [pinned] = [line for line in packages(LOCK.read_text("utf-8")) if line.startswith(f"{package}==")]
    (folder / "one.txt").write_text(pinned)
    temporary = folder / "temporary"
    temporary.mkdir()
    for name in ("LICENSE", "NOTICE"):  # a package of a larger repository looks for them two folders above its own
        (temporary / name).touch()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:", "--require-hashes"]
    subprocess.run(
        [*command, "-r", folder / "one.txt", "-d", folder], env={**os.environ, "TMPDIR": str(temporary)}, check=True
    )
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)  # noqa: S202 - filtered
    return next(path for path in folder.iterdir() if (path / "PKG-INFO").exists())


def outcomes(python: Path, source: Path, suite: Suite, provider: str) -> dict[str, str]:
    """Run the tests with a provider; returns `passed`, `skipped` or `failed` by the name of the test."""
    report = source / f"{provider}.xml"
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "otel"), "SUITES_PROVIDER": provider,
                 "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    plugins = ("-p", "no:cacheprovider", "-p", "lab.suites_provider")
    command: list[str | Path] = [python, "-m", "pytest", "-q", *plugins, f"--junitxml={report}", *suite.files]
    done = subprocess.run(command, cwd=source, env=variables, capture_output=True, text=True, check=False)
    if not report.exists():
        raise SystemExit(f"{suite.package} with the {provider}'s provider:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    results: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest has written it
        name = f"{case.get('classname')}.{case.get('name')}"
        state = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        worse = results.get(name, "passed") == "passed"  # a subtest has the name of its test
        results[name] = state if worse else results[name]
    return results
