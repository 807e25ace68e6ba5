"""What Lambda starts: the wrapper and the handler behind it, with the real runtime client in child processes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import lambda_latency.runtime
from lambda_latency.runtime import bootstrap
from tests.runtime.conftest import VARIABLES
from tests.runtime.stubs import Server

RUNTIME = Path(lambda_latency.runtime.__file__).parent
ROOT = RUNTIME.parent.parent
WRAPPER = RUNTIME / "wrapper"


def python(*arguments: str, wrapper: bool = False, variables: dict[str, str] | None = None) -> str:
    """What a child process prints; it has Lambda's environment and nothing of ours."""
    environment = {
        **VARIABLES,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'otel'}{os.pathsep}{ROOT}",
        "PYTHONWARNINGS": "error",
    }
    command = [*([str(WRAPPER)] if wrapper else []), sys.executable, *arguments]
    done = subprocess.run(
        command, env=environment | (variables or {}), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wrapper_starts_the_runtime_once_with_our_handler_in_place() -> None:
    """The same process: no second interpreter."""
    code = "import os; print(os.getppid(), os.environ['_HANDLER'], os.environ['LAMBDA_LATENCY_HANDLER'])"
    printed = python("-c", code, wrapper=True, variables={"_HANDLER": "functions/orders.create_order"})
    assert printed.split() == [
        str(os.getpid()),
        "lambda_latency.runtime.bootstrap.handler",
        "functions/orders.create_order",
    ]


def test_what_the_runtime_client_reports_is_the_same_with_and_without_us(tmp_path: Path) -> None:
    """Answers, errors, stacks and log lines of handlers that work, raise, or do not import: equal to the letter."""
    child = str(Path(__file__).with_name("child.py"))
    bare, wrapped = (
        json.loads(re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "(time)", python(child, str(tmp_path), how)))
        for how in ("bare", "wrapped")
    )
    [[report, answer]] = bare["fine.go"]["reports"]
    assert (report, answer[:3]) == ("post_invocation_result", ["id", '{"got": {"n": 1}}', "application/json"])
    assert bare["value.go"]["reports"][0][1][0]["errorType"] == "ValueError"
    assert wrapped == bare


UNTOUCHED = """
import gc, json, threading
print(json.dumps([threading.active_count(), gc.get_freeze_count(), gc.isenabled()]))

def go(event, context):
    return 1
"""


def test_a_functions_module_is_imported_in_a_process_without_threads_and_with_nothing_frozen(tmp_path: Path) -> None:
    """gevent patches the locks that it finds: it finds none in what is frozen, and none of another thread's.

    Python 3.12 freezes some objects of its own as it starts.
    """
    (tmp_path / "own.py").write_text(UNTOUCHED)
    variables = {"LAMBDA_LATENCY_HANDLER": "own.go", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}
    code = "from lambda_latency.runtime.bootstrap import handler\nhandler({}, None)"
    frozen_by_python = int(python("-c", "import gc; print(gc.get_freeze_count())"))
    assert json.loads(python("-c", code, variables=bundled(tmp_path, **variables))) == [1, frozen_by_python, True]


REPORT = "print(json.dumps(sorted(name for name in sys.modules if name.startswith('opentelemetry'))))"


def modules(code: str, variables: dict[str, str]) -> set[str]:
    """OpenTelemetry's modules after some code with the runtime's handler."""
    ask = f"import json, sys\nfrom lambda_latency.runtime.bootstrap import handler\n{code}\n{REPORT}"
    return set(json.loads(python("-c", ask, variables=variables)))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A function that imports boto3 at once and requests in a request."""
    (tmp_path / "lazy.py").write_text(
        "import os\nimport boto3\n\ndef go(event, context):\n    import requests\n"
        "    return requests.get(os.environ['URL'], timeout=5).status_code\n"
    )
    return tmp_path


def bundled(bundle: Path, **variables: str) -> dict[str, str]:
    """The variables of a function whose code lies in that folder."""
    return {
        "PYTHONPATH": f"{bundle}{os.pathsep}{ROOT / 'otel'}{os.pathsep}{ROOT}",
        "LAMBDA_LATENCY_HANDLER": "lazy.go",
        **variables,
    }


def test_a_library_costs_nothing_until_it_is_imported(bundle: Path) -> None:
    """Neither it nor its instrumentation; and then it is traced, within the same request."""
    prefix = "opentelemetry.instrumentation."
    optional = {f"{prefix}{name}" for name in ("botocore", "requests", "urllib", "urllib3", "redis", "sqlite3")}
    with Server() as server:
        variables = bundled(bundle, OTEL_EXPORTER_OTLP_ENDPOINT=server.url, URL=server.url)
        assert modules("", variables) & optional == {f"{prefix}botocore"}
        assert server.requests == []
        assert modules("handler(None, None)", variables) & optional == {f"{prefix}botocore", f"{prefix}requests"}
        call, delivery = server.requests
    assert (call.method, delivery.method, delivery.path) == ("GET", "POST", "/v1/traces")
    assert call.headers["x-amzn-trace-id"].endswith(";Sampled=1")
    assert b"orders-create" in delivery.body
    assert b"http.status_code" in delivery.body


def test_a_call_that_is_not_to_be_traced_costs_nothing(bundle: Path) -> None:
    """As exporters make theirs; the first one that is to be is traced."""
    call = "urllib3.request('GET', os.environ['URL'])"
    suppressed = (
        "import os, urllib3\nfrom opentelemetry.instrumentation.utils import suppress_instrumentation\n"
        f"with suppress_instrumentation():\n    {call}\n"
    )
    urllib3 = {"opentelemetry.instrumentation.urllib3"}
    with Server() as server:
        variables = bundled(bundle, OTEL_EXPORTER_OTLP_ENDPOINT=server.url, URL=server.url)
        assert modules(suppressed, variables) & urllib3 == set()
        assert modules(suppressed + call, variables) & urllib3 == urllib3
        assert len(server.requests) == 3


HEAVY = (
    "google",
    "grpc",
    "opentelemetry.exporter",
    "opentelemetry.sdk.trace.export.in_memory",
    "requests",
    "yaml",
    "boto3",
)


def test_a_cold_start_loads_nothing_that_an_invocation_does_not_need(bundle: Path) -> None:
    """No protobuf, no exporter of the SDK's, no library that the handler does not import; delivery included."""
    (bundle / "plain.py").write_text("def go(event, context):\n    return 'fine'\n")
    code = (
        "import sys\nbefore = set(sys.modules)\n"
        "from lambda_latency.runtime.bootstrap import handler\nhandler(None, None)\n"
        f"print(sorted(name for name in set(sys.modules) - before if name.startswith({HEAVY!r})))"
    )
    with Server() as server:
        variables = {"LAMBDA_LATENCY_HANDLER": "plain.go", "OTEL_EXPORTER_OTLP_ENDPOINT": server.url}
        printed = python("-c", code, variables=bundled(bundle, **variables))
        assert len(server.requests) == 1
    assert printed.splitlines()[-1] == "[]"


def test_a_library_that_the_setting_leaves_out_has_no_instrumentation(bundle: Path) -> None:
    """The import of boto3 brings none."""
    names = modules("", bundled(bundle, LAMBDA_LATENCY_INSTRUMENTATIONS="requests"))
    assert "opentelemetry.sdk.trace" in names
    assert {name for name in names if name.startswith("opentelemetry.instrumentation.")} == {
        "opentelemetry.instrumentation.version"
    }


@pytest.mark.parametrize("switch", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_switched_off_nothing_of_opentelemetry_is_imported(bundle: Path, switch: dict[str, str]) -> None:
    """And the handler is the function's own."""
    code = "import lazy\nassert handler is lazy.go"
    assert modules(code, bundled(bundle, **switch)) == set()


@pytest.mark.parametrize(
    ("variables", "warning"),
    [
        ({"OTEL_PROPAGATORS": "nonsense"}, "lambda-latency: OTEL_PROPAGATORS must be xray, and"),
        ({"LAMBDA_LATENCY_FLUSH_MS": "soon"}, "lambda-latency: LAMBDA_LATENCY_FLUSH_MS must be a whole number"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_warning_and_the_function_works(
    bundle: Path, variables: dict[str, str], warning: str
) -> None:
    """Even one that the SDK itself cannot stand."""
    (bundle / "plain.py").write_text("def go(event, context):\n    return 'fine'\n")
    code = (
        "import logging, sys\nlogging.basicConfig(stream=sys.stdout, format='%(message)s')\n"
        "from lambda_latency.runtime.bootstrap import handler\nprint(handler(None, None))"
    )
    with Server() as server:
        receiver = {"LAMBDA_LATENCY_HANDLER": "plain.go", "OTEL_EXPORTER_OTLP_ENDPOINT": server.url}
        printed = python("-c", code, variables=bundled(bundle, **receiver, **variables))
        assert len(server.requests) == 1
    logged, answer = (line for line in printed.splitlines() if "wait_next_invocation" not in line)
    assert logged.startswith(warning)
    assert answer == "fine"


def test_a_runtime_that_cannot_start_leaves_the_handler_bare(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is broken in a layer: one line, and the function works."""
    from lambda_latency.runtime.settings import Settings

    def broken(_settings: object) -> None:
        raise AttributeError("module 'opentelemetry' has no attribute 'trace'")

    monkeypatch.setattr(bootstrap, "started", broken)
    assert bootstrap.set_up(Settings.read({})) is None
    assert caplog.messages == [
        "lambda-latency: nothing is traced (AttributeError: module 'opentelemetry' has no attribute 'trace')"
    ]


def test_the_handler_variable_reads_as_without_us(bundle: Path) -> None:
    """Code that looks at `_HANDLER` finds its own."""
    code = "from lambda_latency.runtime.bootstrap import handler\nimport os\nprint(os.environ['_HANDLER'])"
    variables = bundled(bundle, _HANDLER="lazy.go", OTEL_SDK_DISABLED="true")
    printed = python("-c", code, wrapper=True, variables=variables)
    assert printed.split() == ["lazy.go"]


def test_without_the_wrapper_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody set `_HANDLER` by hand."""
    monkeypatch.delenv("LAMBDA_LATENCY_HANDLER", raising=False)
    module: ModuleType = bootstrap
    with pytest.raises(RuntimeError, match="set AWS_LAMBDA_EXEC_WRAPPER to /opt/lambda-latency/wrapper"):
        _ = module.handler
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = module.other


def test_a_handler_is_found_without_the_runtime_client(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code is used where it is there, and is not required."""
    monkeypatch.syspath_prepend(str(bundle))
    monkeypatch.delitem(sys.modules, "awslambdaric.bootstrap", raising=False)
    (bundle / "own.py").write_text("def go(event, context):\n    return event\n")
    handler: Any = bootstrap.load("own.go")
    assert handler(5, None) == 5


@pytest.mark.parametrize("type_", ["on-demand", "snap-start", "provisioned-concurrency"])
def test_the_sender_is_imported_after_the_first_response_where_somebody_waits(type_: str) -> None:
    """With encoding and redaction; before a snapshot and on provisioned environments, nobody waits for the init."""
    variables = {"AWS_LAMBDA_INITIALIZATION_TYPE": type_, "LAMBDA_LATENCY_HANDLER": "json.loads"}
    code = f"""
import os, sys, awslambdaric.bootstrap
from types import SimpleNamespace
os.environ.update({variables!r})
sys.modules["snapshot_restore_py"] = SimpleNamespace(register_before_snapshot=list, register_after_restore=list)
import lambda_latency.runtime.bootstrap as bootstrap
handler = bootstrap.handler
names = ("lambda_latency.runtime.delivery.sender", "lambda_latency.redaction.attributes")
seen = [[name in sys.modules for name in names]]
try:
    handler("1", None)
except TypeError:
    pass
seen.append("lambda_latency.runtime.delivery.sender" in sys.modules)
print(seen)
os._exit(0)
"""
    printed = python("-u", "-c", code).splitlines()[-1]
    assert printed == {"on-demand": "[[False, False], False]"}.get(type_, "[[True, True], True]")


def test_a_sink_that_was_never_used_has_nothing_to_close() -> None:
    """A fork, a snapshot or an exit imports no sender."""
    made: list[str] = []

    class Made:
        def __init__(self) -> None:
            made.append("made")

        def export(self, spans: list[int]) -> int:
            return len(spans)

    make: Any = Made
    late = bootstrap.LazySink(make)
    for name in ("disconnect", "forget", "shutdown"):
        getattr(late, name)()
    assert made == []
    assert [late.export([1, 2]), late.export([]), made] == [2, 0, ["made"]]
