"""What a release needs: decisions of its owner, files that are the same each time, workflows that hold still."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.commands import ROOT
from lab.release import problems, write_zip
from lambda_latency.version import VERSION

OWNER = "OWNER"  # apart from the project's name: what an owner replaces stays out of this file
TAG = f"v{VERSION}"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40}")


def read(path: Path) -> dict[str, Any]:
    """A workflow; its values are texts only, so that `on` is no boolean."""
    workflow: dict[str, Any] = yaml.load(path.read_text(), yaml.BaseLoader)  # noqa: S506 - it makes texts only
    return workflow


def steps(path: Path) -> list[dict[str, Any]]:
    """The steps of all jobs."""
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def tree(folder: Path, changelog: str = f"## {VERSION} - 2026-11-29\n", **files: str) -> Path:
    """A tree whose owner has decided everything, but for the given files."""
    (folder / "CHANGELOG.md").write_text(changelog)
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text)
    return folder


def test_a_tree_that_is_ready(tmp_path: Path) -> None:
    """Nothing is missing; a word that contains OWNER is no placeholder."""
    assert list(problems(tree(tmp_path, README="OWNERS of services\n"), TAG)) == []


def test_what_an_owner_has_not_decided(tmp_path: Path) -> None:
    """Each with its place."""
    tree(tmp_path, "## Unreleased\n", README=f"clone\ngit clone https://github.com/{OWNER}/lambda-latency\n")
    assert list(problems(tmp_path, "v9.9.9")) == [
        f"the tag is v9.9.9 and the version {VERSION} (otel/lambda_latency/version.py)",
        f"CHANGELOG.md has no heading `## {VERSION} - DATE`",
        "README.md:2 has the placeholder OWNER (docs/explanation/publishing.md)",
    ]


def test_the_command_of_the_page_for_owners_replaces_every_placeholder(tmp_path: Path) -> None:
    """In a copy of the tree; afterwards nothing keeps it from being released."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if ((ROOT / name).is_file() and b"OWNER" in (ROOT / name).read_bytes()) or name == "CHANGELOG.md":
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / name)
    text = (ROOT / "docs" / "explanation" / "publishing.md").read_text()
    (command,) = re.findall(r"`(git grep [^`]*)`", text)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True)
    assert list(problems(tmp_path, TAG)) == []
    assert "OWNER" in (tmp_path / "otel/tests/local/app/shop/template.yaml").read_text()


def test_a_zip_file_is_the_same_each_time(tmp_path: Path) -> None:
    """In the order of names, without times; a program stays one."""
    folder = tmp_path / "layer"
    (folder / "python").mkdir(parents=True)
    (folder / "python" / "b.py").write_text("b = 1\n")
    (folder / "a").write_text("#!/bin/sh\n")
    (folder / "a").chmod(0o755)
    write_zip(folder, tmp_path / "one.zip")
    (folder / "python" / "b.py").touch()
    write_zip(folder, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        modes = {member.filename: oct(member.external_attr >> 16) for member in archive.infolist()}
    assert modes == {"a": "0o100755", "python/b.py": "0o100644"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """With the version beside it, and no more permission than each job needs by default."""
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert [action for action in used if not PINNED.fullmatch(action)] == []
    assert all("  # v" in line for line in path.read_text().splitlines() if "uses:" in line)
    assert "write-all" not in path.read_text()
    assert isinstance(read(path)["permissions"], dict)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_commands_of_workflows_are_shell(path: Path) -> None:
    """And take what others wrote from variables, not by expressions in the text."""
    for step in steps(path):
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)
            assert "${{" not in step["run"]


PROGRAMS = ("make", "gh", "docker", ".ci/run", ".venv/bin/python")
VALUES = {"github.ref_name": "v0.1.0", "github.token": "a token", "inputs.only": "a sentence with a space"}
RUNS = {
    "ci.yml": [[".ci/run"]],
    "prove.yml": [
        ["make", "setup"],
        [".venv/bin/python", "-m", "lab", "prove", "--yes", "--report", "prove.json", "--only", VALUES["inputs.only"]],
    ],
    "release.yml": [
        ["make", "lab", "NAME=release", "ARGS=--tag v0.1.0"],
        ["gh", "release", "create", "v0.1.0", "--repo", "Shop/Orders", "--verify-tag", "--title", "v0.1.0",
         "--notes-file", "notes.md", "dist/SHA256SUMS", "dist/lambda_latency-0.1.0-py3-none-any.whl"],
        ["docker", "build", "--tag", "ghcr.io/shop/orders:0.1.0", "."],
        ["docker", "login", "ghcr.io", "--username", "someone", "--password-stdin"],
        ["docker", "push", "ghcr.io/shop/orders:0.1.0"],
    ],
}  # fmt: skip


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_commands_of_workflows_run(path: Path, tmp_path: Path) -> None:
    """As GitHub's shell runs them, with the programs that they call in place of GitHub, Docker and this project."""
    log = tmp_path / "log"
    for name in PROGRAMS:
        program = tmp_path / ("bin" if "/" not in name else ".") / name
        program.parent.mkdir(parents=True, exist_ok=True)
        said = f"import json, sys; print(json.dumps([{name!r}, *sys.argv[1:]]), file=open({str(log)!r}, 'a'))"
        # A first line with the path of Python would not do where that has a space.
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(said)} "$@"\n')
        program.chmod(0o755)
    (tmp_path / "dist").mkdir()
    for name in ("SHA256SUMS", "lambda_latency-0.1.0-py3-none-any.whl"):
        (tmp_path / "dist" / name).touch()
    shutil.copyfile(ROOT / "CHANGELOG.md", tmp_path / "CHANGELOG.md")
    variables = {"GITHUB_REPOSITORY": "Shop/Orders", "GITHUB_ACTOR": "someone"}
    variables["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for step in steps(path):
        if "run" in step:
            step_variables = {
                name: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: VALUES[match[1]], text)
                for name, text in step.get("env", {}).items()
            }
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            subprocess.run(command, cwd=tmp_path, env={**os.environ, **variables, **step_variables}, check=True)
    assert [json.loads(line) for line in log.read_text().splitlines()] == RUNS[path.name]
    if path.name == "release.yml":
        assert (tmp_path / "notes.md").read_text().startswith("The first version.")
        assert [p.name for p in (tmp_path / "packages").iterdir()] == ["lambda_latency-0.1.0-py3-none-any.whl"]


def test_a_release_is_refused_while_its_owner_has_not_decided() -> None:
    """The workflow's own command, in this tree: status 1, nothing built."""
    (command,) = [step["run"] for step in steps(ROOT / ".github" / "workflows" / "release.yml")[:4] if "run" in step]
    assert command == 'make lab NAME=release ARGS="--tag $TAG"'
    program = [sys.executable, "-m", "lab", "release", "--tag", "v0.0.0"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    first_line = f"not ready: the tag is v0.0.0 and the version {VERSION} (otel/lambda_latency/version.py)"
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (1, "", first_line)


def test_the_citation_is_of_this_version() -> None:
    """CITATION.cff has version and date, those of the changelog."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    dated = re.search(rf"^## {re.escape(VERSION)} - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert dated is not None
    assert (cited["version"], str(cited["date-released"])) == (VERSION, dated[1])


def test_the_hook_runs_a_command_that_there_is() -> None:
    """`.pre-commit-hooks.yaml` is read by pre-commit in other people's repositories."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["entry"], hook["language"], hook["pass_filenames"]) == ("lambda-latency doctor", "python", False)
    assert re.search(hook["files"], "app/template.yaml")
