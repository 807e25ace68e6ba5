"""How a function is traced: by the kit, by the tracing layer, by either beside an exec wrapper of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.apps import CACHE, HOME, VERSION
from lambda_latency.local.app.prepare.imports import bridge_variables
from lambda_latency.local.app.prepare.instrument import (
    Instrumentation,
    TracingMode,
    instrumentation,
    starting_themselves,
)
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.prepare.preparation import Preparation
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.read.inclusion import Content
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.local.faults import FaultPlan, FaultRule
from lambda_latency.local.spans.segments import TracingHeader
from lambda_latency.trace import read_trace, read_traces
from tests.local.app.conftest import Shop, needs_packages
from tests.sandbox.state import until
from tests.system.conftest import ROOT

KIT, TRACING, REQUIRED = Path("kit"), Path("tracing"), Path("required")
PACKAGES: Any = SimpleNamespace(
    pythons={(3, 12): Path("python")},
    kit=lambda _: KIT,
    tracing=lambda _: TRACING,
    runtime=lambda _: Path("python"),
    requirements=lambda *_: REQUIRED,
)
PATHS = (KIT / "python", TRACING)
BY_KIT = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/lambda-latency/wrapper"}
BY_LAYER = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}
DEFAULTS = {
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
    "OTEL_PROPAGATORS": "xray",
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
}
HANDLED = {"LAMBDA_LATENCY_HANDLER": "app.handler"}


def declared(code: Path, wrapper: str) -> Declared:
    """A function with an exec wrapper."""
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": wrapper}
    return Declared("F", "F", (3, 12), "app.handler", 3, 128, Content(code), "", (), (), "", variables)


@pytest.mark.parametrize(
    ("wrapper", "how", "expected"),
    [
        ("", "none", Instrumentation("app.handler")),
        ("", "kit", Instrumentation("app.handler", BY_KIT, (KIT,), PATHS)),
        ("", "layer", Instrumentation("app.handler", {**BY_LAYER, **DEFAULTS}, (), (TRACING,))),
        ("/opt/otel-instrument", "none", Instrumentation("app.handler", BY_LAYER, (), (TRACING,))),
        ("/opt/lambda-latency/wrapper", "none", Instrumentation("app.handler", BY_KIT, (KIT,), PATHS)),
        ("/opt/own", "none", Instrumentation("app.handler")),
        ("/opt/own", "kit", Instrumentation("lambda_latency.runtime.bootstrap.handler", HANDLED, (KIT,), PATHS)),
        ("/var/task/own", "layer", Instrumentation("app.handler")),
    ],
)
def test_a_function_is_traced_as_it_says_or_as_was_asked(
    tmp_path: Path, wrapper: str, how: TracingMode, expected: Instrumentation
) -> None:
    """A wrapper of its own stays; the kit is then started by the handler."""
    (tmp_path / "own").touch(mode=0o755)
    assert instrumentation(declared(tmp_path, wrapper), how, PACKAGES, (3, 12), (tmp_path, tmp_path)) == expected


@pytest.mark.parametrize(
    ("wrapper", "why"),
    [
        ("/opt/elsewhere", "its AWS_LAMBDA_EXEC_WRAPPER is /opt/elsewhere, which no local layer has"),
        ("/bin/sh", "its AWS_LAMBDA_EXEC_WRAPPER is /bin/sh, which no local layer has"),
        ("/var/task/plain", "its AWS_LAMBDA_EXEC_WRAPPER {}/plain is not executable"),
    ],
)
def test_a_wrapper_that_cannot_be_run_refuses_its_function(tmp_path: Path, wrapper: str, why: str) -> None:
    """In a line, before anything runs."""
    (tmp_path / "plain").touch(mode=0o644)
    prepared = prepare(tmp_path, declared(tmp_path, wrapper), [])
    assert isinstance(prepared, Refused)
    assert prepared.why.splitlines()[0] == why.format(tmp_path)


def prepare(folder: Path, function: Declared, notes: list[str]) -> Any:
    """What the sandbox gets, with the folders that are named above."""
    builds = Builds(folder, PACKAGES.pythons, notes.append)
    return Preparation(PACKAGES, folder, folder, builds, "kit", notes.append)(function, {})


@pytest.mark.parametrize(
    ("wrapper", "order"),
    [("", (*PATHS, REQUIRED)), ("/opt/lambda-latency/wrapper", (REQUIRED, *PATHS))],
)
def test_packages_that_bring_an_opentelemetry_do_not_hide_the_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrapper: str, order: Sequence[Path]
) -> None:
    """It is told; an app that has adopted the kit has what it has on Lambda."""
    monkeypatch.chdir(tmp_path)
    (REQUIRED / "opentelemetry").mkdir(parents=True)
    (tmp_path / "requirements.txt").touch()
    notes: list[str] = []
    assert prepare(tmp_path, declared(tmp_path, wrapper), notes).paths == order
    assert [line.partition(",")[0] for line in notes] == ["F: its packages contain OpenTelemetry"] * (not wrapper)


@needs_packages
def test_the_kit_traces_a_function_that_has_an_exec_wrapper(shop: Shop) -> None:
    """The wrapper is run, too."""
    header = TracingHeader.new(sampled=True)
    shop.system.invoke("Wrapped", b"{}", header)
    assert shop.result("Wrapped", {"do": "look"})["WRAPPED"] == "yes"
    names = {span.scope.name for span in shop.trace(header.trace_id, 5).spans}
    assert any(name.startswith("lambda_latency.runtime") for name in names), names


@needs_packages
def test_the_tracing_layer_traces_a_function(tmp_path: Path) -> None:
    """As `--instrument layer` has it: its span is that of OpenTelemetry's instrumentation of Lambda.

    A planned fault of the function is met.
    """
    path = tmp_path / "template.yaml"
    path.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Greet:\n    Type: AWS::Serverless::Function\n"
        f"    Properties: {{ Runtime: python{VERSION[0]}.{VERSION[1]}, Handler: index.handler, Timeout: 20,\n"
        "      InlineCode: 'def handler(event, context): return 1' }\n"
    )
    plan = FaultPlan(rules=(FaultRule("function", "delay", 1, ms=500),))
    system = System(read_app(path, {}), SystemOptions(tmp_path / "out", cache=CACHE, instrument="layer", plan=plan))
    header = TracingHeader.new(sampled=True)
    try:
        start_s = time.perf_counter()
        assert system.invoke("Greet", b"{}", header).payload == b"1"
        assert time.perf_counter() - start_s >= 0.5

        def scopes() -> set[str]:
            trace = read_trace(system.store.path, header.trace_id)
            return {span.scope.name for span in trace.spans} if trace is not None else set()

        assert until(lambda: "opentelemetry.instrumentation.aws_lambda" in scopes()), scopes()
    finally:
        system.close()


BRIDGE = {"LAMBDA_LATENCY_XRAY_SDK": "bridge"}
HANDLER = """
from aws_xray_sdk.core import xray_recorder
def handler(event, context):
    with xray_recorder.in_subsegment("own part"):
        return 1
"""


@pytest.mark.parametrize(
    ("code", "is_bridged"),
    [
        ("from aws_xray_sdk.core import xray_recorder", True),
        ("import aws_xray_sdk.core.models", True),
        ("def handler():\n    from aws_lambda_powertools import Logger, Tracer", True),
        ("from aws_lambda_powertools.tracing import Tracer", True),
        ("from aws_lambda_powertools import Logger", False),
        ("import boto3  # no aws_xray_sdk", False),
        ("import aws_xray_sdk_of_mine", False),
        ("from aws_xray_sdk.core import (", False),
    ],
)
def test_a_function_with_the_sdk_gets_the_bridge(code: str, is_bridged: bool, tmp_path: Path) -> None:
    """By the imports of its files; its own choice stays."""
    (tmp_path / "app.py").write_text(code)
    assert bridge_variables({}, [tmp_path]) == (BRIDGE if is_bridged else {})
    assert bridge_variables({"LAMBDA_LATENCY_XRAY_SDK": "own"}, [tmp_path]) == {}


@needs_packages
def test_subsegments_of_the_sdk_are_recorded_and_it_is_told(tmp_path: Path) -> None:
    """By the command, without a change of the app."""
    (tmp_path / "app.py").write_text(HANDLER)
    (tmp_path / "template.yaml").write_text(
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Traced:
    Type: AWS::Serverless::Function
    Properties: {{ Runtime: python{VERSION[0]}.{VERSION[1]}, Handler: app.handler, CodeUri: ., Timeout: 20 }}
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "lambda_latency", "invoke", "Traced"],
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(HOME)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, 1)
    assert "Traced: the X-Ray SDK is the kit's bridge, which records its subsegments as spans" in done.stderr
    traces, _ = read_traces(tmp_path / "out" / "invoked.jsonl")
    assert "own part" in [span.name for trace in traces for span in trace.spans]


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
    assert [content.is_built for content in (function.code, *function.layers)] == [True, True]
    assert [content.target for content in (function.code, *function.layers)] == ["", ""]
    (tmp_path / "copies").mkdir()
    builds = Builds(tmp_path / "copies", {VERSION: Path(sys.executable)}, lambda _: None)
    copies = [builds.artifact(content, VERSION) for content in (function.code, *function.layers)]
    assert copies == [builds.artifact(content, VERSION) for content in (function.code, *function.layers)]
    assert sorted(path.name for path in copies[0].iterdir()) == ["app.py", "requirements.txt"]
    assert [path.stat().st_mode & 0o222 for path in (*copies, copies[0] / "app.py")] == [0, 0, 0]


def test_an_app_that_was_not_built_is_told(template: Path) -> None:
    """With the command that builds it."""
    (template.parent / ".aws-sam" / "build" / "template.yaml").unlink()
    with pytest.raises(UsageError) as raised:
        read_app(template, {}, built=True)
    assert raised.value.message.endswith(".aws-sam/build/template.yaml is not there")
    assert raised.value.todo == "run `sam build` first (the example: make build)"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (FaultRule("provider", "delay", 1, ms=1), 'rule 1 is "at" the provider'),
        (FaultRule("connect", "hang", 1), 'rule 1 is "at" the connect'),
        (FaultRule("table", "throttle", 1, route="GET /great"), "'GET /great', which the template does not have"),
    ],
)
def test_a_fault_that_could_not_happen_is_refused(template: Path, rule: FaultRule, said: str) -> None:
    """Before anything is started: only the example has a provider, and each route is one of the app."""
    with pytest.raises(LocalError) as raised:
        System(read_app(template, {}), SystemOptions(template.parent / "out", plan=FaultPlan(rules=(rule,))))
    assert said in raised.value.message
    assert not (template.parent / "out").exists()


def test_functions_that_are_traced_by_their_template_are_named(template: Path) -> None:
    """`--instrument` has no effect on them; on others it has."""
    example = read_app(ROOT / "template.yaml", {})
    assert starting_themselves(example) == [*example.functions]
    assert starting_themselves(read_app(template, {})) == []
