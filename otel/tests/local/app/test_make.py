"""Functions and layers that a Makefile builds, as for `sam build`."""

import sys
from pathlib import Path

import pytest

from lab.apps import VERSION
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.app.read.inclusion import Content
from lambda_latency.local.errors import LocalError
from tests.local.app.conftest import Shop, needs_packages

PYTHONS = {VERSION: Path(sys.executable)}
MAKEFILE = """\
build-Greet:
\tcp greet.py "$(ARTIFACTS_DIR)"
\ttouch left-behind
build-Broken:
\t@echo what went wrong; exit 3
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a Makefile of two targets."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "Makefile").write_text(MAKEFILE)
    (folder / "greet.py").write_text("first")
    return folder


def test_a_target_is_built_once_and_beside_the_source(source: Path, tmp_path: Path) -> None:
    """Until the source has changed; what is not built is used as it lies there."""
    notes: list[str] = []
    builds = Builds(tmp_path, PYTHONS, notes.append)
    made = builds.artifact(Content(source, "Greet"), VERSION)
    (source / "greet.py").write_text("second")
    assert (builds.artifact(Content(source, "Greet"), VERSION), (made / "greet.py").read_text()) == (made, "first")
    builds.forget()
    assert (builds.artifact(Content(source, "Greet"), VERSION) / "greet.py").read_text() == "second"
    assert sorted(path.name for path in source.iterdir()) == ["Makefile", "greet.py"]
    assert builds.artifact(Content(source), VERSION) == source
    assert notes == [f"Greet is built by `make build-Greet` in {source}, as by `sam build`"] * 2


def test_a_build_that_fails_is_told_with_its_last_words(source: Path, tmp_path: Path) -> None:
    """And the folder that it failed in."""
    with pytest.raises(LocalError) as raised:
        Builds(tmp_path, PYTHONS, lambda _: None).artifact(Content(source, "Broken"), VERSION)
    assert raised.value.message == f"make build-Broken failed in {source}"
    assert raised.value.todo.splitlines()[0] == "what went wrong"


def test_a_template_names_what_is_to_be_built(source: Path) -> None:
    """Functions and layers with the build method; a handler that the build makes is not missed."""
    path = source / "template.yaml"
    path.write_text(
        """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: made.handler, Layers: [!Ref Words] } }
Resources:
  Greet: { Type: AWS::Serverless::Function, Metadata: { BuildMethod: makefile }, Properties: { CodeUri: . } }
  Words: { Type: AWS::Serverless::LayerVersion, Metadata: { BuildMethod: makefile }, Properties: { ContentUri: . } }
"""
    )
    function = read_app(path, {}).functions["Greet"]
    assert isinstance(function, Declared)
    assert (function.code, function.layers) == (Content(source, "Greet"), (Content(source, "Words"),))


@pytest.mark.parametrize("working", [".", "source/deep"])
def test_the_makefile_and_the_working_directory_are_those_of_the_template(
    source: Path, tmp_path: Path, working: str
) -> None:
    """`ContextPath` and `WorkingDirectory`; a working directory inside the source is that of the source's copy."""
    (source / "deep").mkdir()
    (tmp_path / "Makefile").write_text('build-Greet:\n\tpwd > "$(ARTIFACTS_DIR)/where"\n')
    path = tmp_path / "template.yaml"
    path.write_text(
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Metadata: {{ BuildMethod: makefile, ContextPath: ., WorkingDirectory: {working} }}
    Properties: {{ CodeUri: source, Runtime: python3.12, Handler: made.handler }}
"""
    )
    function = read_app(path, {}).functions["Greet"]
    assert isinstance(function, Declared)
    assert function.code is not None
    notes: list[str] = []
    made = Builds(tmp_path, PYTHONS, notes.append).artifact(function.code, VERSION)
    where = Path((made / "where").read_text().strip())
    assert where == (tmp_path if working == "." else made.parent / "source" / "deep")
    assert notes == [f"Greet is built by `make build-Greet` in {(tmp_path / working).resolve()}, as by `sam build`"]


@needs_packages
def test_a_function_and_a_layer_of_a_makefile_run(shop: Shop) -> None:
    """And are built anew when their source changes."""
    assert shop.result("Built", {}) == "from make, from the layer of make"
    file = shop.folder / "built" / "source.py"
    file.write_text(file.read_text().replace('"from', '"anew from'))
    assert shop.result("Built", {}) == "anew from make, from the layer of make"
