"""What a counted function executes: bytecodes by line, the same in each run, by both of Python's ways."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awslambdaric
import pytest

from lambda_latency.local.sandbox.function import Function
from lambda_latency.local.sandbox.variables import Counts
from lambda_latency.pythons import pythons
from tests.sandbox.conftest import UNSAMPLED, MakeBox

CODE = Path(__file__).parent / "counted"
SOURCE = (CODE / "app.py").read_text(encoding="utf-8").splitlines()
CURRENT = (sys.version_info.major, sys.version_info.minor)
NEWEST = max(pythons())
VERSIONS = sorted({CURRENT, NEWEST}) if NEWEST >= (3, 12) else [CURRENT]
PACKAGES = Path(awslambdaric.__file__).parents[1]  # pure Python as far as the sandbox needs it
Run = Callable[..., list[dict[str, Any]]]


def line(text: str) -> str:
    """The place of the line of app.py with a text."""
    (number,) = [number for number, source in enumerate(SOURCE, start=1) if source.strip() == text]
    return f"app.py:{number}"


def by_line(record: dict[str, Any]) -> Counter[str]:
    """The bytecodes by the innermost line of own code."""
    total: Counter[str] = Counter()
    for lines, count in record["work"]:
        total["{}:{}".format(*lines[-1])] += count
    return total


def stacks(record: dict[str, Any]) -> set[tuple[str, ...]]:
    """The lines on the stack, the outermost first, each once."""
    places = ([f"{file}:{number}" for file, number in lines] for lines, _ in record["work"])
    return {tuple(dict.fromkeys(stack)) for stack in places}


@pytest.fixture(params=VERSIONS, ids=lambda version: "{}.{}".format(*version))
def run(request: pytest.FixtureRequest, make_box: MakeBox, tmp_path: Path) -> Run:
    """Invoke a handler with events, counted; returns the record of the import and those of the invocations."""
    version: tuple[int, int] = request.param
    other: dict[str, Any] = {}
    if version != CURRENT:
        other = {"python": pythons()[version], "runtime": "python{}.{}".format(*version), "paths": (PACKAGES,)}

    def invoked(handler: str, *events: Any, name: str = "Counted") -> list[dict[str, Any]]:
        path = tmp_path / f"{name}.jsonl"
        path.unlink(missing_ok=True)
        function = Function(name, f"app.{handler}", code=CODE, **other)
        box = make_box(function, counts=Counts(path, CODE))
        for event in events:
            outcome = box.sandbox.invoke(name, json.dumps(event).encode(), UNSAMPLED)
            answers.append(outcome)
            assert box.sandbox.wait_until_idle(20)
        assert path.exists(), box.lines
        return [{**json.loads(record), "trace": ""} for record in path.read_text().splitlines()]

    answers: list[Any] = []
    invoked.answers = answers  # type: ignore[attr-defined]
    return invoked


def test_a_loop_is_counted_at_its_lines(run: Run) -> None:
    """Each turn adds as many bytecodes, all of them at the two lines of the loop."""
    _, *records = run("loop", {"times": 10}, {"times": 20}, {"times": 30})
    ten, twenty, thirty = map(by_line, records)
    gained = {place for place in thirty if thirty[place] != ten[place]}
    assert gained == {line('for number in range(event["times"]):'), line("total += number")}
    assert twenty.total() - ten.total() == thirty.total() - twenty.total() > 40
    assert all(record["packages"][""] == sum(by_line(record).values()) for record in records)


def test_a_librarys_bytecodes_belong_to_the_line_that_called_it(run: Run) -> None:
    """`textwrap` is the standard library's; the line of the call has them."""
    _, record = run("calls_library", {"text": "one two three " * 20})
    assert by_line(record).most_common(1)[0][0] == line('return textwrap.fill(event["text"])')
    assert record["packages"]["python"] > 10 * record["packages"][""]


def test_two_runs_execute_the_same(run: Run) -> None:
    """Random numbers, ids and hashes are drawn alike, and garbage is not collected at any line."""
    first, second = (run("draws", {}, {}) for _ in range(2))
    assert first == second
    answers = [outcome.payload for outcome in run.answers]  # type: ignore[attr-defined]
    assert answers[:2] == answers[2:]
    assert answers[0] != answers[1]
    garbage, repeated = (run("garbage", {}, {}) for _ in range(2))
    assert garbage == repeated
    assert garbage[1]["work"] == garbage[2]["work"]
    assert not any("range(50)" in SOURCE[number - 1] for lines, _ in garbage[2]["work"] for _, number in lines)


def test_waiting_executes_nothing(run: Run) -> None:
    """How long a lock is awaited does not change a count."""
    _, short, long = run("waits", {"seconds": 0.01}, {"seconds": 0.2})
    assert short["work"] == long["work"]


def test_a_thread_works_for_the_line_that_started_it(run: Run) -> None:
    """The stack begins with the lines of the thread that started it."""
    _, record = run("threads", {})
    assert (line("thread.start()"), line("return sum(number for number in range(200))")) in stacks(record)


def test_a_thread_of_an_earlier_request_is_counted(run: Run) -> None:
    """The pool of a module keeps its thread; both requests execute the same on it."""
    _, first, second = run("lasting", {}, {})
    work = line("return sum(number for number in range(200))")
    assert by_line(first)[work] == by_line(second)[work] > 500


def test_a_generator_returns_to_its_caller(run: Run) -> None:
    """Its lines are on the stack while it runs, and not while its caller does."""
    _, record = run("generates", {})
    caller = line("return [number + 1 for number in generator()]")
    assert {(caller,), (caller, line("yield number + 1"))} <= stacks(record)
    assert all(len(stack) <= 2 for stack in stacks(record))


def test_an_import_has_its_modules(run: Run) -> None:
    """The import of the handler is a record of its own, with what it imported; an error is recorded as an answer is."""
    imported, failed = run("fails", {})
    assert [bool(record["installed"]) for record in (imported, failed)] == [True, False]
    assert "app" in imported["modules"]
    assert imported["installed"]["awslambdaric"] == version_of_client()
    assert by_line(failed).most_common(1)[0][0] == line('json.loads("{")')


def version_of_client() -> str:
    """The installed version of AWS's runtime client."""
    from importlib.metadata import version

    return version("awslambdaric")
