"""How a function is traced: by the kit, by the tracing layer, by either beside an exec wrapper of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.apps import CACHE, VERSION
from lambda_latency.local.app.prepare.instrument import How, Instrumentation, instrumentation
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.prepare.preparation import Preparation
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.read.contents import Content
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.serve.system import Options, System
from lambda_latency.local.faults import Plan, Rule
from lambda_latency.local.xray.segments import TraceHeader
from lambda_latency.trace import read_trace
from tests.local.app.conftest import Shop, needs_packages
from tests.sandbox.state import until

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
    return Declared("F", "F", (3, 12), "app.handler", 3, 128, Content(code), "", (), (), "", wrapper)


@pytest.mark.parametrize(
    ("wrapper", "how", "wanted"),
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
    tmp_path: Path, wrapper: str, how: How, wanted: Instrumentation
) -> None:
    """A wrapper of its own stays; the kit is then started by the handler."""
    (tmp_path / "own").touch(mode=0o755)
    assert instrumentation(declared(tmp_path, wrapper), how, PACKAGES, (3, 12), (tmp_path, tmp_path)) == wanted


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


def prepare(folder: Path, function: Declared, told: list[str]) -> Any:
    """What the sandbox gets, with the folders that are named above."""
    builds = Builds(folder, PACKAGES.pythons, told.append)
    return Preparation(PACKAGES, folder, folder, builds, "kit", told.append)(function, {})


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
    told: list[str] = []
    assert prepare(tmp_path, declared(tmp_path, wrapper), told).paths == order
    assert [line.partition(",")[0] for line in told] == ["F: its packages contain OpenTelemetry"] * (not wrapper)


@needs_packages
def test_the_kit_traces_a_function_that_has_an_exec_wrapper(shop: Shop) -> None:
    """The wrapper is run, too."""
    header = TraceHeader.new(sampled=True)
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
    plan = Plan(rules=(Rule("function", "delay", 1, ms=500),))
    system = System(read_app(path, {}), Options(tmp_path / "out", cache=CACHE, instrument="layer", plan=plan))
    header = TraceHeader.new(sampled=True)
    try:
        begun = time.perf_counter()
        assert system.invoke("Greet", b"{}", header).payload == b"1"
        assert time.perf_counter() - begun >= 0.5

        def scopes() -> set[str]:
            trace = read_trace(system.store.path, header.trace_id)
            return {span.scope.name for span in trace.spans} if trace is not None else set()

        assert until(lambda: "opentelemetry.instrumentation.aws_lambda" in scopes()), scopes()
    finally:
        system.close()
