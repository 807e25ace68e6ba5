"""`lambda-latency init`: what it writes, and when it writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.example import FILES, example_folder
from lambda_latency.layer import layer_files
from tests.package.conftest import ROOT

STARTER = {
    ".gitignore",
    "Makefile",
    "README.md",
    "lambda-latency.toml",
    "pytest.ini",
    "tests/conftest.py",
    "tests/test_trace.py",
}

BELOW = "  name a file below a folder: a part of the path is a file\n"
FREE = "  free space, or name a file on another disk\n"


def _written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("exists", [True, False])
def test_a_project_has_the_examples_files_and_its_own(tmp_path: Path, exists: bool) -> None:
    """In a new folder, below one that is new too, or in an empty one."""
    folder = tmp_path / "work" / "shop"
    if exists:
        folder.mkdir(parents=True)
    assert main(["init", str(folder)]) == 0
    example = [file for name in FILES for file in [ROOT / name, *(ROOT / name).rglob("*.py")] if file.is_file()]
    assert _written(folder) == STARTER | {str(file.relative_to(ROOT)) for file in example}
    assert (folder / "template.yaml").read_bytes() == (ROOT / "template.yaml").read_bytes()
    assert example_folder() == ROOT


def test_the_readme_says_how_this_installation_is_made(tmp_path: Path) -> None:
    """From the checkout here; no name of a package that somebody else may have registered at an index."""
    assert main(["init", str(tmp_path / "shop")]) == 0
    readme = (tmp_path / "shop" / "README.md").read_text()
    assert f"```sh\npip install -e '{ROOT}[local,testing]'\n```\n" in readme
    assert "pip install 'lambda-latency" not in readme
    assert "INSTALL_COMMAND" not in readme


def test_a_projects_makefile_builds_the_layer_that_its_template_names(tmp_path: Path) -> None:
    """With the files that the functions' variables name, and the runtime where Python looks for it."""
    folder, layer = tmp_path / "my shop", tmp_path / "a layer"
    assert main(["init", str(folder)]) == 0
    command = ["make", "--no-print-directory", "build-Kit", f"ARTIFACTS_DIR={layer}", f"PYTHON={sys.executable}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    assert _written(layer) == {*layer_files(), "lambda-latency/collector.yaml"}
    assert os.access(layer / "lambda-latency" / "wrapper", os.X_OK)


def test_the_folder_that_one_is_in_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lambda-latency init .`"""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "."]) == 0
    assert _written(tmp_path) > STARTER


@pytest.mark.parametrize("name", ["notes.txt", ".git"])
def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hidden files count; one line, status 1."""
    (tmp_path / name).write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    assert capsys.readouterr() == ("", f"lambda-latency: {tmp_path} is not empty: name a new folder\n")
    assert _written(tmp_path) == {name}


def test_a_file_in_its_place_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and the file stays."""
    place = tmp_path / "shop"
    place.write_text("mine")
    assert main(["init", str(place)]) == 1
    assert capsys.readouterr() == ("", f"lambda-latency: {place} cannot be written: Not a directory\n{BELOW}")
    assert place.read_text() == "mine"


@pytest.mark.parametrize("exists", [True, False])
def test_a_disk_that_fills_up_leaves_nothing(
    tmp_path: Path, exists: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither half of a project nor a folder that was not there."""
    import shutil

    folder = tmp_path / "shop"
    if exists:
        folder.mkdir()
    copy = shutil.copyfile

    def copyfile(source: Path, target: Path) -> None:
        if target.name == "template.yaml":
            raise OSError(28, os.strerror(28))
        copy(source, target)

    monkeypatch.setattr("shutil.copyfile", copyfile)
    assert main(["init", str(folder)]) == 1
    full = f"lambda-latency: {folder} cannot be written: No space left on device\n{FREE}"
    assert capsys.readouterr() == ("", full)
    assert (folder.exists(), _written(tmp_path)) == (exists, set())


def test_a_projects_makefile_builds_the_function_that_explains_alarms(tmp_path: Path) -> None:
    """Out of the installed kit, with its package from the index."""
    project, artifact = tmp_path / "my shop", tmp_path / "my artifact"
    assert main(["init", str(project)]) == 0
    artifact.mkdir()
    command = ["make", "--no-print-directory", "build-Explain", f"ARTIFACTS_DIR={artifact}", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"the package index does not answer: {done.stderr.strip()[-200:]}")
    assert (done.returncode, done.stdout) == (0, "")
    assert (artifact / "lambda_latency" / "alarm" / "handler.py").is_file()
    assert len(list((artifact / "msgspec").glob("*.so"))) == 2


def test_sam_build_makes_what_lambda_runs(tmp_path: Path) -> None:
    """By the project's Makefile: functions and packages; in a path with a space."""
    project, artifact = tmp_path / "my shop", tmp_path / "my artifact"
    assert main(["init", str(project)]) == 0
    command = [
        "make",
        "--no-print-directory",
        "build-GetOrder",
        f"ARTIFACTS_DIR={artifact}",
        f"PYTHON={sys.executable}",
    ]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"the package index does not answer: {done.stderr.strip()[-200:]}")
    assert (done.returncode, done.stdout) == (0, "")
    assert {path.name for path in artifact.iterdir() if not path.name.endswith(".dist-info")} == {
        "certifi",
        "charset_normalizer",
        "functions",
        "idna",
        "requests",
        "urllib3",
    }
