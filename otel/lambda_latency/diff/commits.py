"""The two versions of an app: commits of a git repository, or the working tree.

A commit is written to a folder by an index of its own: the repository gets no worktree that an interrupted run could
leave behind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lambda_latency.local import LocalError, UsageError
from lambda_latency.text import plural

WORKING_TREE = "the working tree"


class Version(NamedTuple):
    """A version of the app. `tree` is the id of its content in git, empty for the working tree; `label` names it."""

    label: str
    tree: str
    commit: str


class Repository:
    """The git repository around a template. Raises `LocalError` without git, and outside of a repository."""

    def __init__(self, template: Path) -> None:
        if shutil.which("git") is None:
            raise LocalError("git is not installed, and diff reads the other version of the app from it", "install git")
        self.top = template.resolve().parent
        top = self._run("rev-parse", "--show-toplevel")
        if top is None:
            raise LocalError(
                f"{template.parent} is in no git repository: there is no other version of the app",
                "run it in the repository of the app, after a first commit: git init, git add, git commit",
            )
        self.top = Path(top)
        self.template = template.resolve().relative_to(self.top.resolve())

    def version(self, ref: str) -> Version:
        """Return the version of a branch, tag or commit. Raises `UsageError` if there is none with this app."""
        commit = self._run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if commit is None:
            if self._run("rev-parse", "--verify", "--quiet", "HEAD") is None:
                raise UsageError(f"{self.top} has no commit yet", "commit first: diff compares two versions")
            is_shallow = self._run("rev-parse", "--is-shallow-repository") == "true"
            fetch = f"this clone is shallow: fetch {ref} first, as actions/checkout does with fetch-depth: 0"
            todo = fetch if is_shallow else "git branch --all and git log --oneline list what there is"
            raise UsageError(f"{ref!r} is no branch, tag or commit of {self.top}", todo)
        if self._run("cat-file", "-e", f"{commit}:{self.template.as_posix()}") is None:
            raise UsageError(f"{ref} has no {self.template}: the app is new", "there is nothing to compare it with")
        tree = self._run("rev-parse", f"{commit}^{{tree}}") or ""
        return Version(f"{ref} ({commit[:7]})" if not commit.startswith(ref) else commit[:7], tree, commit)

    def working_tree(self) -> Version:
        """Return the version of the folder, which may have changes that are not committed."""
        commit = self._run("rev-parse", "--verify", "--quiet", "HEAD") or ""
        changed = (self._run("status", "--porcelain") or "").splitlines()
        changes = f", {plural(len(changed), 'file')} not committed" if changed else ""
        return Version(f"{WORKING_TREE} ({commit[:7]}{changes})", "", commit)

    def cautions(self, base: Version, head: Version) -> Iterator[str]:
        """Yield what a reader of a comparison must know about the two versions."""
        missing = int(self._run("rev-list", "--count", f"{head.commit}..{base.commit}") or 0)
        if missing:
            count = plural(missing, "commit")
            yield f"{base.label} has {count} that {head.label} lacks: what they changed counts as undone; merge them."
        commits = [base.commit, *filter(None, [head.tree and head.commit])]
        if self._run("diff", "--name-only", *commits, "--", self.template.as_posix()):
            yield f"{self.template} changed: memory, timeouts and other settings are not counted."

    def write(self, version: Version, folder: Path) -> Path:
        """Write a commit below a folder and return the path of its root, which has the repository's name: stacks are
        named after it. Raises `LocalError`.
        """
        root = folder / self.top.name
        root.mkdir(parents=True)
        index = {**os.environ, "GIT_INDEX_FILE": str(folder / "index")}
        for command in (("read-tree", version.commit), ("checkout-index", "--all", f"--prefix={root}/")):
            done = self._git(command, index)
            if done.returncode:
                raise LocalError(f"git cannot write {version.label} to {folder}: {done.stderr.strip()}", "free space?")
        return root

    def _run(self, *arguments: str) -> str | None:
        """Return what git prints; None if it fails."""
        done = self._git(arguments)
        return done.stdout.strip() if done.returncode == 0 else None

    def _git(self, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [shutil.which("git") or "git", *arguments],
            cwd=self.top,
            env=env,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
