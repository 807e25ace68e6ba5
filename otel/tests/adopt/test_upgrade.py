"""The layer of an adopted app, and what a later release or a later function changes."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

from lambda_latency.adopt.writing import STATE
from lambda_latency.layer import layer_files
from tests.adopt.apps import TEMPLATE, adopt, files, make_app
from tests.docs.pages import ROOT


def test_the_layer_is_that_of_this_release(tmp_path: Path) -> None:
    """With the collector's file; the wrapper can be run."""
    make_app(tmp_path)
    adopt(tmp_path, "--write")
    layer = tmp_path / "lambda-latency-layer"
    assert {name: content for name, (content, _) in files(layer).items()} == {
        **{name: file.read_bytes() for name, file in layer_files().items()},
        "lambda-latency/collector.yaml": (ROOT / "collector.yaml").read_bytes(),
    }
    assert (layer / "lambda-latency" / "wrapper").stat().st_mode & 0o111 == 0o111


@pytest.mark.compiles
def test_the_layer_is_compiled_for_the_apps_runtimes(tmp_path: Path) -> None:
    """By a Python of their version, where there is one; undone, no bytecode is left."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    make_app(tmp_path, TEMPLATE.replace("python3.12", f"python{version}"))
    before = files(tmp_path)
    status, out, _ = adopt(tmp_path, "--write")
    assert (status, "No bytecode" in out) == (0, False)
    names = set(files(tmp_path / "lambda-latency-layer"))
    tag = sys.implementation.cache_tag
    compiled = {Path(name) for name in names if name.endswith(".py")}
    assert {str(one.parent / "__pycache__" / f"{one.stem}.{tag}.pyc") for one in compiled} <= names
    assert adopt(tmp_path, "--check")[0] == 0
    assert adopt(tmp_path, "--undo")[0] == 0
    assert files(tmp_path) == before


def test_a_runtime_whose_python_is_not_here_is_said(tmp_path: Path) -> None:
    """The layer works without, and starts later."""
    make_app(tmp_path)
    _, out, _ = adopt(tmp_path, "--write")
    assert "No bytecode for python3.12 (not installed): each cold start will compile the layer.\n" in out


def test_check_and_upgrade_of_an_earlier_release(tmp_path: Path) -> None:
    """A module and the number of a layer are of another one; a module that moved goes, one that was edited stays."""
    template = make_app(tmp_path)
    before = files(tmp_path)
    status, _, err = adopt(tmp_path, "--check")
    assert (status, err.splitlines()[0]) == (3, f"lambda-latency: {template} is not adopted")
    assert adopt(tmp_path, "--upgrade")[0] == 2
    adopt(tmp_path, "--write")
    written = files(tmp_path)
    module = tmp_path / "lambda-latency-layer" / "python" / "lambda_latency" / "runtime" / "bootstrap.py"
    module.write_text("# earlier\n")
    template.write_text(template.read_text().replace("DistroPython:29", "DistroPython:12"))
    state = json.loads((tmp_path / STATE).read_text())
    for name in ("moved.py", "edited.py"):
        module.with_name(name).write_text("# moved\n")
    shown, digest = module.parent.relative_to(tmp_path), hashlib.sha256(b"# moved\n").hexdigest()
    earlier = {f"{shown}/moved.py": [None, digest], f"{shown}/edited.py": [None, "of other content"]}
    (tmp_path / STATE).write_text(json.dumps({**state, "files": {**state["files"], **earlier}}))
    assert adopt(tmp_path, "--check")[0] == 3
    assert adopt(tmp_path, "--upgrade")[0] == 0
    edited = module.with_name("edited.py")
    assert set(files(tmp_path)) == {*written, str(edited.relative_to(tmp_path))}
    edited.unlink()
    assert {**files(tmp_path), str(STATE): b""} == {**written, str(STATE): b""}
    assert json.loads((tmp_path / STATE).read_text())["files"].keys() == {*state["files"], f"{shown}/edited.py"}
    assert adopt(tmp_path, "--check")[0] == 0
    assert before.items() <= {**files(tmp_path), "template.yaml": before["template.yaml"]}.items()


def test_an_upgrade_that_ends_early_still_names_the_outdated_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal fails; the next upgrade removes it."""
    make_app(tmp_path)
    adopt(tmp_path, "--write")
    outdated = tmp_path / "lambda-latency-layer" / "python" / "lambda_latency" / "moved.py"
    outdated.write_text("# moved\n")
    shown = str(outdated.relative_to(tmp_path))
    state = json.loads((tmp_path / STATE).read_text())
    earlier = {shown: [None, hashlib.sha256(b"# moved\n").hexdigest()]}
    (tmp_path / STATE).write_text(json.dumps({**state, "files": {**state["files"], **earlier}}))
    with monkeypatch.context() as patched:
        patched.setattr("lambda_latency.adopt.writing._remove", interrupted)
        assert adopt(tmp_path, "--upgrade")[0] == 130
    assert shown in json.loads((tmp_path / STATE).read_text())["files"]
    assert adopt(tmp_path, "--upgrade")[0] == 0
    assert (outdated.exists(), json.loads((tmp_path / STATE).read_text())) == (False, state)


def interrupted(*_: object) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def test_a_function_that_is_added_later_is_adopted_later(tmp_path: Path) -> None:
    """`--check` says so; the first one stays as it is."""
    template = make_app(tmp_path)
    adopt(tmp_path, "--write")
    template.write_text(template.read_text() + TEMPLATE.partition("Resources:\n")[2].replace("One", "Two"))
    assert adopt(tmp_path, "--check")[0] == 3
    assert adopt(tmp_path, "--write")[0] == 0
    assert template.read_text().count("/opt/lambda-latency/wrapper") == 2
    assert adopt(tmp_path, "--check")[0] == 0
