"""What a cold start leaves out, and that nobody misses it."""

import importlib
import importlib.util
import os
import subprocess
import sys
import threading
import warnings
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.propagators.aws.aws_xray_propagator import AwsXRayPropagator

from lambda_latency.runtime import bootstrap
from lambda_latency.runtime import coldstart as versions
from lambda_latency.runtime.coldstart.standins import (
    READ,
    READ_WITH,
    Nothing,
    StandIn,
    conventions,
    read,
    reader,
    spec_of,
    stand_ins,
    standing_in,
    tracer_metrics,
    unmarked,
)
from lambda_latency.runtime.settings import Settings
from tests.runtime.cold import replaced

REPLACED = replaced()

ROOT = Path(__file__).parents[4]
LISTED = Path(__file__).with_name("modules.txt")


def cold(*how: str, **variables: str) -> set[str]:
    """The modules of a fresh process."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'otel'}{os.pathsep}{ROOT}",
        "PYTHONWARNINGS": "ignore",
        **variables,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.runtime.cold", *how],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


@pytest.mark.pinned
def test_a_cold_start_imports_no_more_than_is_listed() -> None:
    """The budget. What is new has its price (`python -m lab cost`): list it only where it is worth that."""
    brought = cold() - cold("bare")
    listed = set(LISTED.read_text().split())
    stdlib = {name for name in brought if name.partition(".")[0].lstrip("_") in sys.stdlib_module_names}
    assert sorted(brought - stdlib - listed) == []
    if sys.version_info[:2] == (3, 11):  # which of its own a module of the standard library imports differs
        assert sorted(stdlib - listed) == []
        assert sorted(listed - brought) == []  # what was saved stays saved


@pytest.mark.pinned
def test_nothing_is_imported_that_has_a_stand_in() -> None:
    """And asyncio, which wrapt would import, is not."""
    assert not (cold() - cold("bare")) & {*REPLACED, "asyncio", "packaging.requirements"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_user_gets_every_module_as_it_is(when: str) -> None:
    """Imported before the runtime or after it: asyncio, metrics with a reader, wrapt, psutil, the check of versions."""
    assert set(REPLACED) <= cold(when)


@pytest.mark.pinned
def test_one_setting_switches_them_off() -> None:
    """Then everything is imported as ever."""
    assert set(REPLACED) <= cold(LAMBDA_LATENCY_STAND_INS="false")


def test_there_are_none_while_another_thread_might_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's own threads see real modules; ours need none."""
    for name in REPLACED:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # of other tests some may be left
    with standing_in():
        assert all(isinstance(sys.modules[name], StandIn) for name in REPLACED)
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    with standing_in():
        assert not any(name in sys.modules for name in REPLACED)
    assert not any(name in sys.modules for name in REPLACED)


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("import os, wrapt; WHERE = os.path.dirname(wrapt.__file__)", []),
        (
            "import wrapt; VERSION = wrapt.__version_info__",
            ["demanding is imported with all that it imports (AttributeError:"],
        ),
    ],
)
def test_what_a_stand_in_cannot_do_is_done_by_the_real_modules(
    needs: str, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A package that wants more of one than the tested ones: it is imported plainly, and one line says so."""
    (tmp_path / "demanding.py").write_text(needs)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # of other tests some may be left
    monkeypatch.delitem(sys.modules, "wrapt", raising=False)
    monkeypatch.delitem(sys.modules, "demanding", raising=False)
    module = read("demanding", stand_ins=True)
    assert hasattr(module, "WHERE") or hasattr(module, "VERSION")
    assert [line.partition(": ")[2][: len(start)] for line, start in zip(caplog.messages, said, strict=True)] == said


@pytest.mark.parametrize("stand_in", conventions(), ids=lambda stand_in: stand_in.__name__)
def test_a_name_has_the_value_that_it_has_in_the_real_module(stand_in: StandIn) -> None:
    """Of every constant and of those in classes; what is fetched later is there."""
    assert_same(stand_in, importlib.import_module(stand_in.__name__))


def assert_same(stand_in: object, module: object) -> None:
    """All that is given is so in the real one."""
    names = {name: value for name, value in vars(stand_in).items() if not name.startswith("_")}
    for name, value in names.items():
        if isinstance(value, str):
            assert (name, value) == (name, getattr(module, name))
        else:
            assert_same(value, getattr(module, name))


@pytest.mark.pinned
def test_what_more_is_asked_of_a_part_comes_from_the_real_one() -> None:
    """Members of enumerations, a function, and the propagator of another header."""
    parts: dict[str, Any] = {name: its for stand_in in conventions() for name, its in vars(stand_in).items()}
    assert parts["Schemas"].V1_21_0.value == "https://opentelemetry.io/schemas/1.21.0"
    assert parts["UserAgentSyntheticTypeValues"].BOT.value == "bot"
    assert parts["DbSystemValues"].POSTGRESQL.value == "postgresql"


def test_a_propagator_that_is_made_is_there_when_it_is_asked() -> None:
    """The one for comments in SQL, and the one that is set before ours."""
    names = {name: its for stand_in in stand_ins() for name, its in vars(stand_in).items()}
    assert names["TraceContextTextMapPropagator"]().fields == {"traceparent", "tracestate"}
    assert names["CompositePropagator"]([AwsXRayPropagator()]).fields == {"X-Amzn-Trace-Id"}


def test_spans_are_counted_where_a_variable_asks_for_it() -> None:
    """And not counted without it."""
    metrics = pytest.importorskip("opentelemetry.sdk.trace._tracer_metrics")
    if not hasattr(metrics, "create_tracer_metrics"):
        pytest.skip("this version of the SDK always counts")
    provider = importlib.import_module("opentelemetry.metrics").NoOpMeterProvider()
    assert isinstance(tracer_metrics(provider, True), metrics.TracerMetrics)
    assert isinstance(tracer_metrics(provider, False).start_span(None, None)(), Nothing)


@pytest.mark.parametrize("marked", [True, False])
def test_a_warning_is_filtered_where_a_function_is_marked(monkeypatch: pytest.MonkeyPatch, *, marked: bool) -> None:
    """In a function that makes errors of warnings it would fail; the function is marked where the user's own import
    has brought the real module.
    """
    module = ModuleType("opentelemetry.sdk.util.instrumentation")
    module.deprecated = print if marked else unmarked  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with warnings.catch_warnings():
        warnings.resetwarnings()
        READ_WITH["opentelemetry.sdk.trace"]["warnings"]["filterwarnings"]("ignore", message="old")  # type: ignore[operator]
        assert bool(warnings.filters) == marked


def read_here(name: str) -> Any:
    """A module as `reader` reads it, beside the one that is loaded."""
    spec = reader.find_spec(name, importlib.import_module(name.rpartition(".")[0]).__path__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_dynamodb_has_the_same_operations() -> None:
    """Beside the abstract one, which no call has the name of."""
    name = "opentelemetry.instrumentation.botocore.extensions.dynamodb"
    lazy, expected = read_here(name)._OPERATION_MAPPING, importlib.import_module(name)._OPERATION_MAPPING
    assert {None, *expected} == set(lazy)
    assert {key: kind.__name__ for key, kind in expected.items()} == {key: lazy[key].__name__ for key in expected}


def test_a_tracer_is_enabled_or_not() -> None:
    """Its configuration takes values by place and by name."""
    module = read_here("opentelemetry.sdk.trace")
    if not hasattr(getattr(module, "_TracerConfig", None), "default"):
        pytest.skip("this version of the SDK has no configuration of tracers")
    kind = module._TracerConfig
    made = [kind.default(), kind(True), kind(False), kind(is_enabled=False)]
    assert [config.is_enabled for config in made] == [True, True, False, False]


@pytest.mark.pinned
def test_the_runtimes_own_search_finds_what_pythons_finds() -> None:
    """Of each module and package that is read at a cold start: the same file, loader, bytecode and folders."""
    names = [name for name in LISTED.read_text().split() if name.startswith(READ)]
    differing, answered = [], 0
    for name in names:
        path = importlib.import_module(name.rpartition(".")[0]).__path__
        spec, expected = spec_of(name, path), PathFinder.find_spec(name, path)
        assert expected is not None
        if spec is not None:
            answered += 1
            facts = [
                (s.name, s.origin, s.cached, s.has_location, s.submodule_search_locations, s.loader)
                for s in (spec, expected)
            ]
            differing += [name] if facts[0][:5] != facts[1][:5] or vars(facts[0][5]) != vars(facts[1][5]) else []
    assert differing == []
    assert answered > 0.8 * len(names)


@pytest.mark.parametrize("path", [None, [], ["a", "b"], ["relative"], ["/nowhere"], [str(ROOT / "otel")]])
def test_a_module_in_another_place_is_left_to_python(path: list[str] | None) -> None:
    """In several folders, in an archive, in a folder that is no package, or nowhere."""
    assert spec_of("lambda_latency.runtime.nothing", path) is None


def test_the_installed_versions_are_in_the_table() -> None:
    """The table is what the tests have run with, and these run now."""
    assert versions.is_tested(versions.installed())


@pytest.mark.parametrize("installed", [("1.99.0", "0.99b0"), ("1.44.0", "0.54b1"), ("1.44.0rc1", "0.65b0")])
def test_another_version_is_imported_plainly_and_told_of_once(
    installed: tuple[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An SDK that is in the table with other instrumentations is one, too."""
    monkeypatch.setattr(versions, "installed", lambda: installed)
    checked = bootstrap.checked(Settings.read({}))
    assert (checked.stand_ins, checked.flush_ms) == (False, 250)
    (message,) = caplog.messages
    assert message.startswith(
        f"lambda-latency: OpenTelemetry {installed[0]} with instrumentations {installed[1]} is not one that"
    )


def test_another_version_is_told_of_where_the_stand_ins_are_switched_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its requests take longer all the same."""
    monkeypatch.setattr(versions, "installed", lambda: ("1.99.0", "0.99b0"))
    settings = Settings.read({"LAMBDA_LATENCY_STAND_INS": "false"})
    assert bootstrap.checked(settings) == settings
    (message,) = caplog.messages
    assert message == (
        "lambda-latency: OpenTelemetry 1.99.0 with instrumentations 0.99b0 is not one that this release was tested "
        "with: everything of it is imported and the SDK makes the spans, so that a cold start and a request take longer"
    )
