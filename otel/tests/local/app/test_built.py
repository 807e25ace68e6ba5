"""An app from what `sam build` has made of it, and what a fault plan asks of any app."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab.apps import VERSION
from lambda_latency.local.app.prepare.instrument import starting_themselves
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.app.serve.system import Options, System
from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.local.faults import Plan, Rule
from tests.system.conftest import ROOT

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.13, Handler: app.handler } }
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: makefile }
    Properties:
      CodeUri: GREET
      Layers: [!Ref Shared]
      Events: { Get: { Type: Api, Properties: { Path: /greet, Method: get } } }
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: SHARED }
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template that was built, with its artifacts."""
    artifacts = tmp_path / ".aws-sam" / "build"
    for folder in (tmp_path / "code", tmp_path / "layer", artifacts / "Greet", artifacts / "Shared" / "python"):
        folder.mkdir(parents=True)
    for folder in (tmp_path / "code", artifacts / "Greet"):
        (folder / "app.py").write_text("def handler(event, context): ...")
    (artifacts / "Greet" / "requirements.txt").write_text("installed-by-the-build")
    (artifacts / "template.yaml").write_text(TEMPLATE.replace("GREET", "Greet").replace("SHARED", "Shared"))
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.replace("GREET", "code/").replace("SHARED", "layer/"))
    return path


def test_artifacts_are_used_as_they_were_built(template: Path, tmp_path: Path) -> None:
    """Nothing is built again, and nothing can be written into them."""
    app = read_app(template, {}, built=True)
    function = app.functions["Greet"]
    assert isinstance(function, Declared)
    assert function.code is not None
    assert (app.root, app.name) == (template.parent, read_app(template, {}).name)
    assert [one.is_built for one in (function.code, *function.layers)] == [True, True]
    assert [one.target for one in (function.code, *function.layers)] == ["", ""]
    (tmp_path / "copies").mkdir()
    builds = Builds(tmp_path / "copies", {VERSION: Path(sys.executable)}, lambda _: None)
    copies = [builds.of(one, VERSION) for one in (function.code, *function.layers)]
    assert copies == [builds.of(one, VERSION) for one in (function.code, *function.layers)]
    assert sorted(path.name for path in copies[0].iterdir()) == ["app.py", "requirements.txt"]
    assert [path.stat().st_mode & 0o222 for path in (*copies, copies[0] / "app.py")] == [0, 0, 0]


def test_an_app_that_was_not_built_is_told(template: Path) -> None:
    """With the command that builds it."""
    (template.parent / ".aws-sam" / "build" / "template.yaml").unlink()
    with pytest.raises(UsageError) as raised:
        read_app(template, {}, built=True)
    assert raised.value.what.endswith(".aws-sam/build/template.yaml is not there")
    assert raised.value.todo == "run `sam build` first (the example: make build)"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule("provider", "delay", 1, ms=1), 'rule 1 is "at" the provider'),
        (Rule("connect", "hang", 1), 'rule 1 is "at" the connect'),
        (Rule("table", "throttle", 1, route="GET /great"), "'GET /great', which the template does not have"),
    ],
)
def test_a_fault_that_could_not_happen_is_refused(template: Path, rule: Rule, said: str) -> None:
    """Before anything is started: only the example has a provider, and each route is one of the app."""
    with pytest.raises(LocalError) as raised:
        System(read_app(template, {}), Options(template.parent / "out", plan=Plan(rules=(rule,))))
    assert said in raised.value.what
    assert not (template.parent / "out").exists()


def test_functions_that_are_traced_by_their_template_are_named(template: Path) -> None:
    """`--instrument` has no effect on them; on others it has."""
    example = read_app(ROOT / "template.yaml", {})
    assert starting_themselves(example) == [*example.functions]
    assert starting_themselves(read_app(template, {})) == []
