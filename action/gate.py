"""What action.yml does in a job: get the baseline, compare traces with it, comment on the pull request.

The standard library alone. Reads the variables that GitHub sets for every step; leaves its files in RUNNER_TEMP.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

# The first line of a title finds the comment again.
TITLE = "<!-- lambda-latency -->\n### Where slow requests spend their time\n\n"
DIFF_TITLE = "<!-- lambda-latency diff -->\n### What requests do, compared with the base\n\n"
# The newest artifacts of the branch, one of each run; a fork's branch may have the same name.
NEWEST = (
    "[.artifacts[] | select(.expired | not)"
    " | select(.workflow_run.head_branch == env.BRANCH)"
    " | select(.workflow_run.head_repository_id == .workflow_run.repository_id)]"
    " | sort_by(.created_at) | reverse | .[:(env.RUNS | tonumber)] | .[].workflow_run.id"
)
FETCH_OF_GIT = "fetch"
ACCEPTED = "accepted"  # a file in an artifact: earlier ones count no more
NEEDED = "needs the extra formats"


def main() -> int:
    """Run one step; returns its exit status."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    steps = parser.add_subparsers(dest="step", required=True)
    baseline_step = steps.add_parser("baseline")
    baseline_step.add_argument("--artifact", required=True)
    baseline_step.add_argument("--branch", required=True)
    baseline_step.add_argument("--runs", required=True)
    compare_step = steps.add_parser("compare")
    compare_step.add_argument("--traces", required=True)
    compare_step.add_argument("--fail-if", required=True)
    compare_step.add_argument("--branch", required=True)
    compare_step.add_argument("--accept", required=True, choices=("true", "false"))
    compare_step.add_argument("--diff", required=True, choices=("true", "false"))
    compare_step.add_argument("--base", required=True)
    compare_step.add_argument("--template", required=True)
    comment_step = steps.add_parser("comment")
    comment_step.add_argument("--pull-request", required=True)
    options = parser.parse_args()
    folder = Path(os.environ["RUNNER_TEMP"], "lambda-latency-gate")
    folder.mkdir(exist_ok=True)
    if options.step == "baseline":
        return get_baseline(folder, options.artifact, options.branch, options.runs)
    if options.step == "compare" and options.diff == "true":
        return diff(folder, options.base, options.template, _lines(options.fail_if))
    if options.step == "compare":
        accepted = options.accept == "true"
        return compare(folder, _lines(options.traces), _lines(options.fail_if), options.branch, accepted)
    return comment(folder, options.pull_request)


def get_baseline(folder: Path, artifact: str, branch: str, runs: str) -> int:
    """Put the traces of a branch's newest runs into `folder / "baseline"`; without any there is no such folder.

    Several runs, so that what becomes a little slower with each is seen. One that was accepted is the earliest.
    """
    repository = os.environ["GITHUB_REPOSITORY"]
    listed = f"repos/{repository}/actions/artifacts?per_page=100&name={artifact}"
    found = _gh("api", listed, "--jq", NEWEST, BRANCH=branch, RUNS=runs).split()
    baseline = folder / "baseline"
    shutil.rmtree(baseline, ignore_errors=True)
    if not found:
        print(f"No artifact {artifact} of {branch}: nothing to compare with.")
        return 0
    taken = []
    for run in dict.fromkeys(found):
        target = baseline / run
        _gh("run", "download", run, "--repo", repository, "--name", artifact, "--dir", str(target))
        taken.append(run)
        if (target / ACCEPTED).exists():
            break
    print(f"The baseline is of {', '.join(f'run {run}' for run in taken)}.")
    return 0


def compare(folder: Path, traces: list[str], fail_if: list[str], branch: str, accepted: bool) -> int:
    """Report on traces, against the baseline if there is one.

    Outputs of the step: `status` of the report; `report`, its JSON; `keep`, whether the folder `traces` is a baseline.
    A run that met a condition is none, unless it is accepted.
    """
    baseline, kept, text, report = (folder / name for name in ("baseline", "traces", "comment.md", "report.json"))
    command = [_command(), "report", *traces, f"--format=markdown={text}", f"--format=json={report}"]
    is_new = not baseline.is_dir()
    if not is_new:
        command += ["--against", str(baseline)]
    for condition in fail_if:
        if not (is_new and condition.startswith("slower")):  # which is about a baseline
            command += ["--fail-if", condition]
    text.unlink(missing_ok=True)
    status = _report(command, report)
    if not text.exists():  # nothing was readable, and stderr says why
        text.write_text(f"`lambda-latency report` ended with status {status}: the job's log says why.\n")
    keep = status in (0, 4, 5, *((3, 6) if accepted else ())) and os.environ["GITHUB_REF_NAME"] == branch
    if keep:
        _copy(report, kept)
        if accepted:
            (kept / ACCEPTED).touch()
    words = TITLE + text.read_text(encoding="utf-8")
    if keep and accepted:
        words += "\nAccepted: later runs are compared with this one.\n"
    elif is_new:
        words += f"\n{'This run makes the baseline.' if keep else f'No baseline: a run on `{branch}` makes one.'}\n"
    text.write_text(words, encoding="utf-8")
    _append("GITHUB_STEP_SUMMARY", words)
    status = 0 if accepted and status in (3, 5, 6) else status
    outputs = {"status": status, "report": report, "keep": str(keep).lower(), "traces": kept}
    _append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in outputs.items()))
    return 0


def diff(folder: Path, base: str, template: str, fail_if: list[str]) -> int:
    """Count what requests do in the checked-out files and in a pull request's base. Outputs as those of `compare`."""
    text, report = folder / "comment.md", folder / "report.json"
    text.unlink(missing_ok=True)
    if not base:
        print("::error::diff compares a pull request with its base: run it on pull_request")
        return 2
    # The checkout has the head alone
    subprocess.run([_program("git"), FETCH_OF_GIT, "--quiet", "--depth=1", "origin", base], check=False)
    command = [_command(), "diff", base, "--template", template, f"--format=markdown={text}", f"--format=json={report}"]
    for condition in fail_if:
        if not condition.startswith("slower"):  # which is about traces
            command += ["--fail-if", condition]
    status = subprocess.run(command, check=False).returncode
    if not text.exists():  # a version did not start, and stderr says why
        text.write_text(f"`lambda-latency diff` ended with status {status}: the job's log says why.\n")
    words = DIFF_TITLE + text.read_text(encoding="utf-8")
    text.write_text(words, encoding="utf-8")
    _append("GITHUB_STEP_SUMMARY", words)
    _append("GITHUB_OUTPUT", f"status={status}\nreport={report}\nkeep=false\n")
    return 0


def _report(command: list[str], report: Path) -> int:
    """Run the command. Where a file needs the extra for packed and binary formats, install that and run it again."""
    report.unlink(missing_ok=True)
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    skipped = json.loads(report.read_text(encoding="utf-8"))["problems"] if report.exists() else []
    if NEEDED not in done.stderr and not any(NEEDED in one["reason"] for one in skipped):
        sys.stderr.write(done.stderr)
        return done.returncode
    program = Path(os.environ["RUNNER_TEMP"], "lambda-latency", "bin", "python")
    wanted = f"{os.environ['GITHUB_ACTION_PATH']}[formats]"
    subprocess.run([str(program), "-m", "pip", "install", "--quiet", wanted], check=True)
    return subprocess.run(command, check=False).returncode


def comment(folder: Path, pull_request: str) -> int:
    """Write the report into the pull request: in place of the earlier one, if there is one."""
    comments = f"repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    text = folder / "comment.md"
    mark = text.read_text(encoding="utf-8").splitlines()[0]
    mine = f".[] | select(.body | startswith({json.dumps(mark)})) | .id"
    body = f"body=@{text}"
    try:
        found = _gh("api", "--paginate", f"{comments}/{pull_request}/comments", "--jq", mine).split()
        if found:
            _gh("api", "--method", "PATCH", f"{comments}/comments/{found[0]}", "--field", body)
        else:
            _gh("api", f"{comments}/{pull_request}/comments", "--field", body)
    except subprocess.CalledProcessError:  # the token of a fork's pull request may only read
        print("::warning::lambda-latency could not comment on the pull request; the job's summary has the report")
    return 0


def _gh(*arguments: str, **variables: str) -> str:
    env = {**os.environ, **variables}
    return subprocess.run([_program("gh"), *arguments], env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


def _program(name: str) -> str:
    return shutil.which(name) or name


def _command() -> str:
    return str(Path(os.environ["RUNNER_TEMP"], "lambda-latency", "bin", "lambda-latency"))


def _copy(report: Path, folder: Path) -> None:
    """The files that a report has read, in one folder, each under a name of its own with an ending of trace files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number, source in enumerate(json.loads(report.read_text(encoding="utf-8"))["sources"]):
        shutil.copyfile(source, folder / f"{number:03}-{Path(source).stem}.json")


def _append(variable: str, text: str) -> None:
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        file.write(text)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    sys.exit(main())
