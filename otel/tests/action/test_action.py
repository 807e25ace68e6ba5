"""A baseline, a comment, a gate: what a pull request gets to know."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from action.gate import NEWEST
from lab.apps import HOME
from lab.durable.__main__ import Planted, spans_of_set, write
from lab.durable.executions import Form
from lambda_latency.trace import dump_line
from tests.action.github import ACTION, ROOT, GitHub
from tests.diff.notes import APP, GET, SESSION, TWICE, write_notes
from tests.diff.test_commits import committed, git
from tests.latency.system import order
from tests.local.app.conftest import needs_packages

MARK, MARK_OF_DIFF = "<!-- lambda-latency -->", "<!-- lambda-latency diff -->"


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    """A repository without a baseline; jobs find settings and the folder `out` with traces in their workspace."""
    (tmp_path / "a job" / "out").mkdir(parents=True)
    (tmp_path / "a job" / "lambda-latency.toml").write_text('theirs = ["payments.example.com"]')
    return GitHub(tmp_path / "a job")


def load(github: GitHub, ms: int) -> None:
    """Sixty orders of their own, whose charge takes so long and a bit more."""
    first = 60 * github.runs
    lines = [dump_line(order(ms + number % 7, number=first + number).spans) for number in range(60)]
    (github.folder / "out" / "traces.jsonl").write_text("".join(lines))


def test_a_baseline_then_no_difference_then_100_ms_fail_the_gate(github: GitHub) -> None:
    """The first run on the branch makes the baseline; a pull request gets one comment, which a later run replaces."""
    load(github, 50)
    first = github.run("main", traces="out/traces.jsonl")
    assert (first.status, first.outputs["status"]) == (0, "0"), first.log
    assert first.summary.startswith(MARK)
    assert first.summary.endswith("This run makes the baseline.\n")
    assert github.comments == []
    assert (github.folder / "installed").read_text() == f"-m pip install --quiet {ROOT}\n"

    second = github.run("change", 7, traces="out/*.jsonl")
    assert (second.status, second.outputs["status"]) == (0, "0"), second.log
    (comment,) = github.comments
    assert comment.startswith(f"{MARK}\n### Where slow requests spend their time\n")
    assert "**No difference from the baseline (60 requests then, 60 now)**" in comment
    assert comment == second.summary

    load(github, 150)
    third = github.run("change", 7, traces="out")
    assert (third.status, third.outputs["status"]) == (3, "3"), third.log
    (comment,) = github.comments
    assert "Slower than the baseline (60 requests then, 60 now): payments.example.com takes **100 ms more" in comment
    assert (
        "- **fails**: Requests are slower than the baseline (on average, because of payments.example.com) by 18"
        in comment
    )
    assert json.loads((github.folder / "run 3" / "lambda-latency-gate" / "report.json").read_text())["requests"] == 60
    methods = ["PATCH" if "PATCH" in call else "POST" for call in github.asked() if "--field" in call]
    assert methods == ["POST", "PATCH"]


def test_a_comment_about_executions_names_the_step_its_attempts_and_the_function(github: GitHub) -> None:
    """As a condition names them; the first run has none that repeat a step."""
    path = github.folder / "out" / "traces.jsonl"
    write(spans_of_set(Planted(6, "", 100, Form(), as_xray=False)), path, as_xray=False)
    assert github.run("main", traces="out").status == 0
    write(spans_of_set(Planted(5, "retried step", 100, Form(), as_xray=False)), path, as_xray=False)
    ended = github.run("change", 7, **{"traces": "out", "fail-if": "p95(execution ProcessOrder) > 2s"})
    assert (ended.status, ended.outputs["status"]) == (3, "3"), ended.log
    (comment,) = github.comments
    assert (
        "12 of 100 executions of ProcessOrder (12 %): the step charge takes **4,264 ms more** than in a typical one; "
        "none did then."
    ) in comment
    assert "The 12 executions in which **the step charge** takes longer (3 attempts) have **97 %** of" in comment
    assert "- **fails**: The p95 of the wall clock of execution ProcessOrder is 4.93 s: more than 2 s." in comment


def test_a_run_that_met_its_condition_is_no_baseline(github: GitHub) -> None:
    """A slowdown that was merged fails until it is mended, or accepted; then later runs are compared with it alone."""
    load(github, 50)
    assert github.run("main", traces="out").status == 0
    load(github, 150)
    assert github.run("main", traces="out").status == 3
    assert github.run("main", traces="out").status == 3
    accepted = github.run("main", traces="out", accept="true")
    assert (accepted.status, accepted.outputs["status"]) == (0, "0")
    assert accepted.summary.endswith("\nAccepted: later runs are compared with this one.\n")
    after = github.run("change", 7, traces="out")
    assert (after.status, "The baseline is of run 4.\n" in after.log) == (0, True)


def test_what_becomes_slower_little_by_little_is_seen(github: GitHub) -> None:
    """Three per cent with each run are nothing beside the run before, and a difference beside the last five."""
    for number in range(7):
        load(github, 500 + 15 * number)
        beside_one = github.run("change", 7, traces="out", runs="1")
        assert beside_one.status == 0
        if github.run("main", traces="out").status == 3:
            break
    else:
        pytest.fail("it was never seen")


def test_packed_traces_get_the_extra_that_they_need(github: GitHub) -> None:
    """It is installed once the command says that a file needs it, and the command is run again."""
    load(github, 50)
    (github.folder / "bin" / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry.proto'] = None\n")
    (github.folder / "out" / "more.pb").write_bytes(b"\n\x05abcde")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(github.folder / "bin"))
        ended = github.run("change", 7, traces="out")
    installed = (github.folder / "installed").read_text().splitlines()
    wanted = [f" {ROOT}", f" {ROOT}[formats]"]
    assert [line[-len(end) :] for line, end in zip(installed, wanted, strict=True)] == wanted, ended.log


def test_a_pull_request_without_a_baseline_makes_none(github: GitHub) -> None:
    """It says which branch makes it; conditions that need none are judged."""
    load(github, 50)
    ended = github.run("change", 7, **{"traces": "out", "fail-if": "slower > 5%\np95 > 10ms\n"})
    assert (ended.status, (github.folder / "artifacts").exists()) == (3, False)
    assert "- **fails**: " in github.comments[0]
    assert github.comments[0].endswith("\nNo baseline: a run on `main` makes one.\n")


def test_a_condition_is_left_out_by_an_empty_text(github: GitHub) -> None:
    """Then the Action comments and never fails for what it has seen."""
    load(github, 50)
    github.run("main", traces="out")
    load(github, 150)
    ended = github.run("change", 7, **{"traces": "out", "fail-if": ""})
    assert (ended.status, "takes **100 ms more" in github.comments[0]) == (0, True)


@pytest.mark.parametrize(("on_unsure", "status"), [("fail", 5), ("warn", 0)])
def test_a_condition_that_cannot_be_decided_fails_or_warns(github: GitHub, on_unsure: str, status: int) -> None:
    """As the input `on-unsure` says; the output is the command's status."""
    load(github, 50)
    ended = github.run("change", 7, **{"traces": "out", "fail-if": "p95(GET /nothing) > 1ms", "on-unsure": on_unsure})
    assert (ended.status, ended.outputs["status"]) == (status, "5"), ended.log
    warning = "::warning::lambda-latency cannot decide a condition: give more requests"
    assert (warning in ended.log) == (on_unsure == "warn")
    assert "- **unsure**: No request of GET /nothing" in github.comments[0]


def test_traces_that_are_not_there_fail_and_make_no_baseline(github: GitHub) -> None:
    """The comment names the status, the log has the reason."""
    ended = github.run("main", traces="out/nothing.jsonl")
    assert (ended.status, ended.outputs["status"], (github.folder / "artifacts").exists()) == (1, "1", False)
    assert "nothing.jsonl" in ended.log


def test_a_token_that_may_only_read_costs_the_comment(github: GitHub) -> None:
    """As a fork's; a warning says so, and the gate still judges."""
    load(github, 50)
    (github.folder / "refuses").touch()
    ended = github.run("change", 7, traces="out")
    assert (ended.status, github.comments) == (0, [])
    assert "::warning::lambda-latency could not comment on the pull request" in ended.log


def test_no_input_is_put_into_a_script() -> None:
    """They arrive as variables: a branch's name is no command. And every input that is named is declared."""
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert [script for script in scripts if "${{" in script] == []
    named = set(re.findall(r"inputs\.([a-z-]+)", (ROOT / "action.yml").read_text()))
    assert named == set(ACTION["inputs"])


@pytest.mark.parametrize(
    ("artifacts", "runs"),
    [
        ([], []),
        ([(1, "main", 5, "01", False), (3, "main", 5, "03", False), (2, "main", 5, "02", False)], ["3", "2"]),
        ([(1, "main", 5, "01", False), (2, "main", 5, "02", True)], ["1"]),
        ([(1, "main", 5, "01", False), (2, "change", 5, "02", False)], ["1"]),
        ([(1, "main", 6, "01", False)], []),
    ],
    ids=["none", "the newest", "expired", "of another branch", "of a fork"],
)
def test_the_baseline_is_of_the_branchs_newest(
    artifacts: list[tuple[int, str, int, str, bool]], runs: list[str]
) -> None:
    """A fork may have a branch of the same name: what it leaves is no baseline. gh chooses by jq."""
    jq = shutil.which("jq")
    if jq is None:
        assert not os.environ.get("CI"), "jq is not here"
        pytest.skip("jq is not here")
    answer = {
        "artifacts": [
            {
                "expired": expired,
                "created_at": f"2026-11-{day}T00:00:00Z",
                "workflow_run": {
                    "id": run_id,
                    "head_branch": branch,
                    "repository_id": 5,
                    "head_repository_id": repository,
                },
            }
            for run_id, branch, repository, day, expired in artifacts
        ]
    }
    env = {**os.environ, "BRANCH": "main", "RUNS": "2"}
    chosen = subprocess.run([jq, NEWEST], input=json.dumps(answer), env=env, capture_output=True, text=True, check=True)
    assert chosen.stdout.split() == runs


@needs_packages
def test_a_pull_request_is_compared_by_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `diff`, the base is fetched, the comment is that of the command, and no artifact is read or written."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(HOME))
    origin = tmp_path / "origin"
    write_notes(origin / "api")
    (origin / "session.json").write_text(json.dumps(SESSION))
    git(origin, "init", "--quiet")
    base = committed(origin)
    (origin / "api" / "src" / "app.py").write_text(APP.replace(GET, TWICE))
    committed(origin)
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{origin}", "notes")
    github = GitHub(tmp_path / "notes", base=base)
    done = github.run("change", 7, diff="true", template="api/template.yaml", **{"fail-if": "calls > 0\nslower > 5%"})
    assert (done.status, done.outputs["status"]) == (3, "3"), done.log
    (comment,) = github.comments
    assert comment == done.summary
    assert comment.startswith(
        f"{MARK_OF_DIFF}\n### What requests do, compared with the base\n\n"
        "**GET /notes/\\{id\\} now makes 2 calls of DynamoDB GetItem Notes instead of 1 (api/src/app.py:17"
    )
    assert [line for line in comment.splitlines() if "fails" in line] == [
        "- **fails**: The calls of GET /notes/\\{id\\} grew by 1: more than 0."
    ]
    assert (github.folder / "installed").read_text() == f"-m pip install --quiet {ROOT}[local]\n"
    assert not (github.folder / "artifacts").exists()


def test_counts_need_a_pull_request(github: GitHub) -> None:
    """A push has no base."""
    done = github.run("main", diff="true")
    assert done.status == 2
    assert "::error::diff compares a pull request with its base: run it on pull_request" in done.log
