"""The layers of an adopted app: what is in the kit's own, what a later release changes, and whose ADOT's is."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.apps import VERSION, packages
from lab.bridge.comparison import tree
from lab.bridge.sides import observe
from lambda_latency import pythons
from lambda_latency.adopt import bundle, regions_of
from lambda_latency.adopt.bytecode import find_python
from lambda_latency.adopt.writing import STATE
from lambda_latency.adot import PYTHON
from lambda_latency.layer import layer_files
from tests.adopt.apps import TEMPLATE, adopt, files, make_app, refused
from tests.bridge.test_uses import child
from tests.docs.pages import ROOT

MOVED = hashlib.sha256(b"# moved\n").hexdigest()


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


def remember(app: Path, files: dict[str, str]) -> dict[str, Any]:
    """Let the state of an app have more files of the layer, with these digests; returns the state before."""
    state: dict[str, Any] = json.loads((app / STATE).read_text())
    earlier = {name: [None, digest] for name, digest in files.items()}
    (app / STATE).write_text(json.dumps({**state, "files": {**state["files"], **earlier}}))
    return state


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
    for name in ("moved.py", "edited.py"):
        module.with_name(name).write_text("# moved\n")
    shown = module.parent.relative_to(tmp_path)
    state = remember(tmp_path, {f"{shown}/moved.py": MOVED, f"{shown}/edited.py": "of other content"})
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
    state = remember(tmp_path, {shown: MOVED})
    with monkeypatch.context() as patched:
        patched.setattr("lambda_latency.adopt.writing._remove", interrupted)
        assert adopt(tmp_path, "--upgrade")[0] == 130
    assert shown in json.loads((tmp_path / STATE).read_text())["files"]
    assert adopt(tmp_path, "--upgrade")[0] == 0
    assert (outdated.exists(), json.loads((tmp_path / STATE).read_text())) == (False, state)


def interrupted(*_: object) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def test_a_managed_python_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyenv's, although no command of its name is on the PATH; another version than its name says is none."""
    for version, said in (("3.12", "3 12"), ("3.14", "3 13")):
        folder = tmp_path / ".pyenv" / "versions" / f"{version}.1" / "bin"
        folder.mkdir(parents=True)
        (folder / f"python{version}").write_text(f"#!/bin/sh\necho {said}\n")
        (folder / f"python{version}").chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    pythons.pythons.cache_clear()
    try:
        assert find_python("python3.12") == str(tmp_path / ".pyenv/versions/3.12.1/bin/python3.12")
        assert find_python("python3.11") == sys.executable
        assert find_python("python3.14") is None
        assert find_python("nodejs22.x") is None
    finally:
        pythons.pythons.cache_clear()


# ---- Which layer of ADOT: one parameter with an ARN for one region, a map of ARNs for several ----

SAMCONFIG = '[default.deploy.parameters]\nregion = "eu-west-3"\n[prod.deploy.parameters]\nregion = "us-west-2"\n'


@pytest.mark.parametrize(
    ("given", "samconfig", "environment", "found"),
    [
        (["eu-north-1"], SAMCONFIG, {"AWS_REGION": "us-east-2"}, (("eu-north-1",), "--region")),
        ([], SAMCONFIG, {"AWS_REGION": "us-east-2"}, (("eu-west-3", "us-west-2"), "samconfig.toml")),
        ([], "", {"AWS_REGION": "us-east-2", "AWS_DEFAULT_REGION": "us-west-1"}, (("us-east-2",), "AWS_REGION")),
        ([], "", {"AWS_DEFAULT_REGION": "us-west-1"}, (("us-west-1",), "AWS_DEFAULT_REGION")),
        ([], "", {"AWS_CONFIG_FILE": "/nonexistent"}, ((), "")),
    ],
)
def test_the_regions_of_an_app(
    tmp_path: Path, given: list[str], samconfig: str, environment: dict[str, str], found: tuple[tuple[str, ...], str]
) -> None:
    """The nearest source counts, and is named."""
    (tmp_path / "samconfig.toml").write_text(samconfig)
    assert regions_of(tmp_path, given, environment) == found


def test_one_region_is_a_parameter_of_four_lines(tmp_path: Path) -> None:
    """No map; the ARN is that of the region."""
    template = make_app(tmp_path)
    status, out, _ = adopt(tmp_path, "--write", "--region", "eu-west-3")
    added = template.read_text()
    assert "ADOT's layer is that of eu-west-3 (--region)." in out
    assert (status, "Mappings" in added) == (0, False)
    assert (
        "  LambdaLatencyAdotArn:\n    Type: String\n"
        f"    Default: {PYTHON.arn('eu-west-3', 26)}\n    Description: ADOT's layer for Python in eu-west-3\n"
    ) in added
    assert "!If [LambdaLatencyIsTraced, !Ref LambdaLatencyAdotArn, !Ref AWS::NoValue]" in added


def test_several_regions_are_a_map_of_one_release(tmp_path: Path) -> None:
    """A line a region, and no parameter."""
    template = make_app(tmp_path)
    adopt(tmp_path, "--write", "--region", "ap-southeast-1", "--region", "us-east-1")
    added = template.read_text()
    assert (
        "  LambdaLatencyAdot:\n"
        f"    ap-southeast-1: {{ Arn: {PYTHON.arn('ap-southeast-1', 25)} }}\n"
        f"    us-east-1: {{ Arn: {PYTHON.arn('us-east-1', 29)} }}\n"
    ) in added
    assert (
        "!If [LambdaLatencyIsTraced, !FindInMap [LambdaLatencyAdot, !Ref AWS::Region, Arn], !Ref AWS::NoValue]" in added
    )
    assert "LambdaLatencyAdotArn" not in added


@pytest.mark.parametrize("regions", [["--region", "eu-west-3"], ["--region", "eu-west-3", "--region", "us-east-2"]])
def test_an_older_number_is_renewed(tmp_path: Path, regions: list[str]) -> None:
    """And one that is newer than any that is known stays."""
    template = make_app(tmp_path)
    assert adopt(tmp_path, "--write", *regions)[::2] == (0, "")
    written = template.read_text()
    template.write_text(written.replace("Python:26", "Python:25"))
    todo = f"lambda-latency adopt --vendor --template {tmp_path} --write"
    message = f"lambda-latency: {template} has another version of the layer\n  {todo}\n"
    assert adopt(tmp_path, "--check") == (3, "", message)
    assert adopt(tmp_path, "--upgrade")[::2] == (0, "")
    assert template.read_text() == written
    template.write_text(written.replace("Python:26", "Python:31"))
    assert adopt(tmp_path, "--check") == (0, f"{template} is adopted and up to date.\n", "")


def test_a_region_without_a_known_number_is_refused(tmp_path: Path) -> None:
    """The packages can be bundled there."""
    make_app(tmp_path)
    status, _, err = adopt(tmp_path, "--region", "us-gov-west-1")
    assert (status, "no version of AWSOpenTelemetryDistroPython is known in us-gov-west-1" in err) == (1, True)
    assert adopt(tmp_path, "--region", "us-gov-west-1", "--export", "daemon", "--packages", "bundled")[0] == 0


# ---- `adopt --packages bundled`: OpenTelemetry's packages are in the kit's own layer ----

CODE = """\
import sqlite3

from aws_xray_sdk.core import xray_recorder


def handler(event, context):
    with xray_recorder.in_subsegment("block") as subsegment:
        subsegment.put_annotation("key", 1)
    import opentelemetry.sdk
    return opentelemetry.sdk.__path__[0]
"""


def test_a_function_is_traced_without_adots_layer(tmp_path: Path) -> None:
    """On a Python that has Lambda's own packages alone; undone, nothing is left."""
    template = make_app(tmp_path / "app", app_py=CODE)
    before = files(tmp_path / "app")
    assert adopt(template, "--write", "--packages", "bundled")[0] == 0
    text = template.read_text()
    assert ("AWSOpenTelemetryDistroPython" in text, "LambdaLatencyAdot" in text) == (False, False)
    layer = tmp_path / "app" / "lambda-latency-layer"
    assert 2e6 < sum(file.stat().st_size for file in (layer / "python").rglob("*.py")) < 6e6
    assert list(layer.rglob("*.so")) == []  # either processor, every Python
    python, task = packages().runtime(VERSION), tmp_path / "app" / "src"
    chosen = {"LAMBDA_LATENCY_XRAY_SDK": "bridge"}
    seen = observe(python, "app", ["once"], layer=layer, variables=chosen, task=task)["once"]
    assert (seen.answer, tree(seen.documents)) == (
        str(layer / "python" / "opentelemetry" / "sdk"),
        [child("block", annotations={"key": 1})],
    )
    assert adopt(template, "--check")[0] == 0  # which reads from the layer that they are bundled
    assert adopt(template, "--write")[1].startswith("\nfunction")  # no diff
    assert adopt(template, "--undo")[0] == 0
    assert files(tmp_path / "app") == before


def test_a_fourth_layer_of_the_functions_own_has_room(tmp_path: Path) -> None:
    """A function has at most five: without ADOT's there is one more."""
    arns = "".join(f"        - arn:aws:lambda:us-east-1:123456789012:layer:l{n}:1\n" for n in range(3))
    template = make_app(tmp_path, TEMPLATE + "      Layers:\n" + arns)
    assert [adopt(template, *more)[0] for more in ((), ("--packages", "bundled"))] == [4, 0]


def test_packages_that_cannot_be_installed_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip's own words are said."""

    def fails(*_: Any, **__: Any) -> Any:
        return subprocess.CompletedProcess([], 1, "", "ERROR: no network\n")

    make_app(tmp_path)
    monkeypatch.setattr(bundle, "subprocess", SimpleNamespace(run=fails, TimeoutExpired=subprocess.TimeoutExpired))
    assert refused(tmp_path, "--write", "--force", "--packages", "bundled", is_shown=True) == [
        "lambda-latency: pip cannot install OpenTelemetry's packages: ERROR: no network",
        "  or leave out --packages bundled",
    ]
