"""Versions of an app in git, in repositories made for the test."""

import subprocess
from pathlib import Path

import pytest

from lambda_latency.diff.commits import Repository
from lambda_latency.local import LocalError, UsageError

ME = ("-c", "user.name=me", "-c", "user.email=me@example.com", "-c", "init.defaultBranch=main")


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder."""
    done = subprocess.run(["git", *ME, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def committed(folder: Path) -> str:
    """Commit all that is in a repository, and return the commit's id."""
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "all")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with two commits; the app is in a folder of it."""
    folder = tmp_path / "shop"
    (folder / "api").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "api" / "template.yaml").write_text("Resources: {}\n")
    (folder / "api" / "app.py").write_text("OLD = 1\n")
    git(folder, "tag", "first", committed(folder))
    (folder / "api" / "app.py").write_text("NEW = 1\n")
    committed(folder)
    return folder


def test_a_commit_is_written_without_a_worktree(shop: Path, tmp_path: Path) -> None:
    """Its folder has the repository's name, after which stacks are named; git knows nothing of it."""
    repository = Repository(shop / "api" / "template.yaml")
    root = repository.write(repository.version("first"), tmp_path / "out")
    assert (root.name, (root / "api" / "app.py").read_text()) == ("shop", "OLD = 1\n")
    assert git(shop, "worktree", "list").count("\n") == 0
    assert git(shop, "status", "--porcelain") == ""


def test_versions_have_names(shop: Path) -> None:
    """A ref with its commit; a commit alone; the working tree with its changes."""
    repository = Repository(shop / "api" / "template.yaml")
    commit = git(shop, "rev-parse", "main")
    assert repository.version("main").label == f"main ({commit[:7]})"
    assert repository.version(commit[:10]).label == commit[:7]
    assert repository.working_tree().label == f"the working tree ({commit[:7]})"
    (shop / "new.py").touch()
    assert repository.working_tree().label == f"the working tree ({commit[:7]}, 1 file not committed)"


def test_what_a_reader_must_know(shop: Path) -> None:
    """Commits that the head lacks, and a changed template, of which counts show little."""
    repository = Repository(shop / "api" / "template.yaml")
    main, first = repository.version("main"), repository.version("first")
    assert [*repository.cautions(main, first)] == [
        f"{main.label} has 1 commit that {first.label} lacks: what they changed counts as undone; merge them."
    ]
    (shop / "api" / "template.yaml").write_text("Resources: {A: {}}\n")
    assert [*repository.cautions(main, repository.working_tree())] == [
        "api/template.yaml changed: memory, timeouts and other settings are not counted."
    ]


def test_there_is_no_other_version(tmp_path: Path, shop: Path) -> None:
    """No repository, no commit, no such branch, no such app: each has its message."""
    template = tmp_path / "alone" / "template.yaml"
    template.parent.mkdir()
    template.touch()
    with pytest.raises(LocalError, match=r"is in no git repository.*\n  run it in the repository"):
        Repository(template)
    git(template.parent, "init", "--quiet")
    with pytest.raises(UsageError, match=r"has no commit yet\n  commit first"):
        Repository(template).version("main")
    repository = Repository(shop / "api" / "template.yaml")
    with pytest.raises(UsageError, match=r"'nothing' is no branch, tag or commit of .*\n  git branch --all"):
        repository.version("nothing")
    (shop / "later").mkdir()
    (shop / "later" / "template.yaml").touch()
    with pytest.raises(UsageError, match=r"main has no later/template.yaml: the app is new"):
        Repository(shop / "later" / "template.yaml").version("main")


def test_a_shallow_clone_says_what_to_fetch(shop: Path, tmp_path: Path) -> None:
    """As in CI, where the base is not fetched."""
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{shop}", "clone")
    with pytest.raises(UsageError, match="this clone is shallow: fetch release first"):
        Repository(tmp_path / "clone" / "api" / "template.yaml").version("release")
