"""A job on GitHub, as far as action.yml needs one: expressions, outputs, artifacts, comments."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.programs import python_program

ROOT = Path(__file__).parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
PROGRAM = """#!/bin/sh
[ "$1 $2" = "-m {0}" ] || exec "{1}" "$@"
"""
# `gh`: artifacts are folders below $STORE/artifacts/BRANCH/RUN, comments below $STORE/comments. No jq is here.
GH = python_program("""
import json, os, pathlib, shutil, sys
store, words = pathlib.Path(os.environ["STORE"]), sys.argv[1:]
with (store / "gh").open("a") as log:
    log.write(json.dumps(words) + "\\n")
assert os.environ["GH_TOKEN"] == "a token"
if (store / "refuses").exists() and words[0] == "api" and "comments" in " ".join(words):
    sys.exit("gh: Resource not accessible by integration (HTTP 403)")
value = lambda name: words[words.index(name) + 1]
comment = store / "comments" / "7"
if words[:2] == ["run", "download"]:
    (found,) = store.glob(f"artifacts/*/{words[2]}/{value('--name')}")
    shutil.copytree(found, value("--dir"))
elif "/actions/artifacts" in words[1]:
    runs = sorted((int(one.name) for one in store.glob(f"artifacts/{os.environ['BRANCH']}/*")), reverse=True)
    print(*runs[: int(os.environ["RUNS"])], sep="\\n")
elif "--jq" in words:
    print("7" if comment.exists() else "")
else:
    body = pathlib.Path(value("--field").removeprefix("body=@")).read_text()
    comment.parent.mkdir(exist_ok=True)
    comment.write_text(body)
""")


@dataclass
class Run:
    """How a job ended, and what it left."""

    status: int
    outputs: dict[str, str]
    summary: str
    log: str


@dataclass
class GitHub:
    """A repository with its artifacts by branch and name, and the comments on its one pull request."""

    folder: Path
    runs: int = 0
    base: str = "1" * 40  # the commit that the pull request is for

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        for name, text in (("gh", GH), ("python3", PROGRAM.format("venv", sys.executable))):
            (self.folder / "bin" / name).write_text(text)
            (self.folder / "bin" / name).chmod(0o755)

    @property
    def comments(self) -> list[str]:
        return [plain(path.read_text()) for path in sorted((self.folder / "comments").glob("*"))]

    def run(self, branch: str, pull_request: int | None = None, **inputs: str) -> Run:
        """A job with the Action on a branch, or for a pull request, in a workspace that has trace files."""
        self.runs += 1
        temporary = self.folder / f"run {self.runs}"
        programs = temporary / "lambda-latency" / "bin"
        programs.mkdir(parents=True)
        installed = shlex.quote(str(self.folder / "installed"))
        for name in ("python", "lambda-latency"):  # instead of the installation, which a test of its own has
            (programs / name).write_text(
                f'#!/bin/sh\nif [ "$2" = pip ]; then echo "$@" >> {installed}; else exec "{sys.executable}" -m '
                'lambda_latency "$@"; fi\n'
            )
            (programs / name).chmod(0o755)
        context = {
            "github": {
                "token": "a token",
                "event": {
                    "repository": {"default_branch": "main"},
                    "pull_request": {"number": pull_request, "base": {"sha": self.base}} if pull_request else {},
                },
            },
            "steps": {},
        }
        declared = {name: one.get("default") for name, one in ACTION["inputs"].items()}
        assert set(inputs) <= set(declared)
        context["inputs"] = {name: evaluated(value, context) for name, value in {**declared, **inputs}.items()}
        env = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "STORE": str(self.folder),
            "RUNNER_TEMP": str(temporary),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_REPOSITORY": "shop/orders",
            "GITHUB_REF_NAME": f"{pull_request}/merge" if pull_request else branch,
            "GITHUB_OUTPUT": str(temporary / "output"),
            "GITHUB_STEP_SUMMARY": str(temporary / "summary"),
        }
        status, log = 0, ""
        for step in ACTION["runs"]["steps"]:
            if status or not holds(step.get("if"), context):
                continue
            if "uses" in step:
                self._upload(step, context, branch)
                continue
            variables = {name: str(evaluated(value, context)) for name, value in step.get("env", {}).items()}
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            done = subprocess.run(
                command, cwd=self.folder, env={**env, **variables}, capture_output=True, text=True, check=False
            )
            status, log = done.returncode, log + done.stdout + done.stderr
            if "id" in step:
                lines = (temporary / "output").read_text().splitlines() if (temporary / "output").exists() else []
                context["steps"][step["id"]] = {"outputs": dict(line.split("=", 1) for line in lines)}
        outputs = {name: str(evaluated(one["value"], context)) for name, one in ACTION["outputs"].items()}
        summary = plain((temporary / "summary").read_text()) if (temporary / "summary").exists() else ""
        return Run(status, outputs, summary, log)

    def asked(self) -> list[list[str]]:
        """What gh was called with, in all runs."""
        return [json.loads(line) for line in (self.folder / "gh").read_text().splitlines()]

    def _upload(self, step: dict[str, Any], context: dict[str, Any], branch: str) -> None:
        assert re.fullmatch("actions/upload-artifact@[0-9a-f]{40}", step["uses"])
        given = {name: evaluated(value, context) for name, value in step["with"].items()}
        assert given.pop("overwrite") is True
        target = self.folder / "artifacts" / branch / str(self.runs) / given["name"]
        shutil.copytree(given["path"], target)


def plain(text: str) -> str:
    """A text with ordinary spaces for thin ones."""
    return text.replace("\u202f", " ")


def evaluated(value: Any, context: dict[str, Any]) -> Any:
    """A value with its expressions, which are paths of names, replaced."""
    return EXPRESSION.sub(lambda found: _at(found[1], context), value) if isinstance(value, str) else value


def holds(condition: str | None, context: dict[str, Any]) -> bool:
    """A step's condition: none, a path, or a path compared with a text."""
    if condition is None:
        return True
    path, equals, text = condition.partition(" == ")
    seen = _at(path, context)
    return seen == text.strip("'") if equals else bool(seen)


def _at(path: str, context: Any) -> str:
    for name in path.split("."):
        context = context.get(name, {})
    return "" if context == {} else str(context)
