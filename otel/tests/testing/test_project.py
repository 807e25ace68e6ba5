"""A small project that installs the kit and writes three tests, as a stranger does."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from lambda_latency.testing import snapshot_of, span
from lambda_latency.trace import Span
from tests.testing.printed import PRINTED, TRUE
from tests.testing.project import HERE, Outcome, run

ROOT = HERE.parents[2]
UV = Path(sys.executable).with_name("uv")

TREE = """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
  + ├─ price
    └─ store
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('price'),
    span('store'),
]"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing in it but the kit, its extra for tests and what they need."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    interpreter = folder / "bin" / "python"
    command = [str(UV), "pip", "install", "--quiet", "--python", str(interpreter), f"{ROOT}[testing]"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail(done.stderr)
        pytest.skip(f"the package index does not answer: {done.stderr.strip()[-200:]}")
    return interpreter


def test_three_tests_in_under_30_lines_and_one_fails_with_the_diff(python: Path, tmp_path: Path) -> None:
    """No conftest, no line of configuration: the fixtures are there since the kit is installed."""
    assert len((HERE / "shop" / "test_shop.py").read_text().splitlines()) < 30
    outcome = run(tmp_path, project="shop", plugins=(), python=python)
    assert outcome.text.splitlines()[-1].strip("= ").startswith("1 failed, 2 passed")
    assert outcome.tree("test_an_order_is_stored_once") == TREE


USES_NOTHING = """\
import sys

KIT = ("trace", "runtime", "template", "testing.recording")
HEAVY = ("opentelemetry", "yaml", *(f"lambda_latency.{name}" for name in KIT))


def test_nothing():
    pass


def test_what_is_loaded(request):
    assert "lambda_latency.testing.plugin" in sys.modules
    assert [name for name in HEAVY if name in sys.modules] == []
    assert sorted(name for name in sys.modules if name.startswith("lambda_latency")) == [
        "lambda_latency", "lambda_latency.testing", "lambda_latency.testing.plugin"
    ]
"""


def test_a_project_that_uses_nothing_of_it_loads_nothing(python: Path, tmp_path: Path) -> None:
    """Neither OpenTelemetry nor anything of the kit but the plugin's own file."""
    (tmp_path / "test_it.py").write_text(USES_NOTHING)
    outcome = run(tmp_path, plugins=(), python=python)
    assert (outcome.status, outcome.text.splitlines()[-1].strip("= ").partition(" in ")[0]) == (0, "2 passed")


ASYNCIO = ("-p", "no:pytest_opentelemetry", "-p", "no:inline_snapshot", "-p", "no:xdist")
OPENTELEMETRY = ("-p", "no:inline_snapshot", "-p", "no:xdist")
XDIST = ("-p", "no:pytest_opentelemetry", "-p", "no:inline_snapshot", "-p", "no:asyncio", "-n", "2")
INLINE_SNAPSHOT = ("-p", "no:pytest_opentelemetry", "-p", "no:asyncio", "-p", "no:xdist")

ASYNC_TREE = """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    work
    ├─ price
  + └─ stock
the trace as an expectation, to paste:
span('work')[
    span('price'),
    span('stock'),
]"""


def last(outcome: Outcome) -> str:
    """What pytest sums up."""
    return outcome.text.splitlines()[-1].strip("= ").partition(" in ")[0]


@pytest.mark.parametrize("plugins", [XDIST, OPENTELEMETRY], ids=["xdist", "opentelemetry"])
def test_the_lies_are_printed_the_same(tmp_path: Path, plugins: tuple[str, ...]) -> None:
    """In a worker's process, and below the spans that another plugin makes of each test."""
    outcome = run(tmp_path, "lies.py", "-W", "ignore", project="lies", plugins=plugins)
    printed = {test: outcome.tree(test) + "\n" for test in PRINTED}
    assert printed == PRINTED
    assert last(outcome) == f"{len(PRINTED)} failed, 3 passed"


@pytest.mark.parametrize("plugins", [ASYNCIO, OPENTELEMETRY], ids=["alone", "opentelemetry"])
def test_a_test_may_be_a_coroutine(tmp_path: Path, plugins: tuple[str, ...]) -> None:
    """By pytest-asyncio, with the fixture and with the block."""
    outcome = run(tmp_path, "test_async.py", "-W", "ignore", project="others", plugins=plugins)
    assert last(outcome) == "1 failed, 2 passed"
    assert outcome.tree("test_fails") == ASYNC_TREE


def test_inline_snapshot_writes_the_literal_and_dirty_equals_matches(tmp_path: Path) -> None:
    """Written once, it holds from then on."""
    written = run(tmp_path, "test_snapshot.py", "--inline-snapshot=create", project="others", plugins=INLINE_SNAPSHOT)
    assert "1 failed" in last(written)
    code = (tmp_path / "test_snapshot.py").read_text()
    assert "".join(code.split("snapshot(", 1)[1].split("\n\n\n")[0].split()).startswith(
        "span('POST/orders',SERVER)[span('POST',CLIENT)])"
    )
    repeated = run(tmp_path, "test_snapshot.py", "--inline-snapshot=disable", plugins=INLINE_SNAPSHOT)
    assert last(repeated) == "1 failed, 2 passed"
    assert "~ └─ POST  CLIENT    ← retries: 2, expected IsStr(max_length=3)" in repeated.tree("test_not_matched")


TESTS = HERE.parent
# An index or a slice behind recorded spans; or all of them unpacked. Protobuf's messages are no recorded spans.
BY_POSITION = re.compile(
    r"(?<!_)\bspans(?:\(\))?\[-?\d*:?\]|(?<!_)\bspans(?:\(\))?\[-?\d|\(span,\) = \w+\.spans|finished_spans\(\)\["
)


def files() -> list[Path]:
    """All that are ours."""
    return sorted(path for path in TESTS.rglob("*.py") if path != TESTS / "testing" / "test_project.py")


def test_no_test_takes_a_span_by_its_position() -> None:
    """Which one it is, is chance: a library may make one more."""
    places = [
        f"{path.relative_to(TESTS)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if BY_POSITION.search(line) and "scope_spans" not in line
    ]
    assert places == []


def test_one_of_several_is_refused() -> None:
    """With the tree, which says what to ask for instead."""
    spans = [
        Span(trace_id="1" * 32, span_id=f"{number:016x}", name="a", start_ns=number, end_ns=9) for number in (1, 2)
    ]
    with pytest.raises(AssertionError) as error:
        snapshot_of(spans).one("a")
    assert str(error.value) == "2 spans have the name 'a', expected one\n\n    a  (2 of them)"
    assert snapshot_of(spans) == [span("a"), span("a")]


@pytest.mark.parametrize("test", PRINTED)
def test_a_lie_is_caught_and_printed(lies: Outcome, test: str) -> None:
    """To the letter."""
    assert lies.tree(test) + "\n" == PRINTED[test]


def test_every_lie_is_printed_and_nothing_else_fails(lies: Outcome) -> None:
    """A provisional span and its final one are no duplicate, for one."""
    assert lies.status == 1
    assert sorted(re.findall(r"^_+ (test_\w+) _+$", lies.text, re.MULTILINE)) == sorted(PRINTED)
    assert f"{len(PRINTED)} failed, {len(TRUE)} passed" in lies.text


def test_the_whole_output_fits_100_columns_and_is_plain(lies: Outcome) -> None:
    """From the first failure on, the tests' own lines included; no colour where nobody looks, and nothing cut."""
    _, failures = lies.text.split("= FAILURES =")
    assert [line for line in failures.splitlines() if len(line) > 100] == []
    assert "\x1b" not in failures
    assert "truncated" not in failures
