"""What an artifact holds, to the file."""

import http.client
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lambda_latency.layer import layer_files
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.errors import UsageError
from lambda_latency.stacks import ALARM, write_function
from lambda_latency.trace import read_traces
from tests.artifact.conftest import ROOT
from tests.system.conftest import tree

THIRD_PARTY = Path(__file__).with_name("third_party.txt")


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of each file by its path from there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sources(root: Path, folder: str) -> set[str]:
    """The files below a folder, bytecode left out, by their path from `root`."""
    found = (root / folder).rglob("*")
    return {str(path.relative_to(root)) for path in found if path.is_file() and path.suffix != ".pyc"}


def test_each_function_has_the_same_files_and_nothing_else(artifacts: dict[str, Path]) -> None:
    """Business code and the locked packages, nothing of the kit: third_party.txt follows the lock."""
    assert list(artifacts) == ["CancelOrder", "CreateOrder", "GetOrder", "Kit", "ListOrders"]
    first, *others = (files(folder) for name, folder in artifacts.items() if name != "Kit")
    assert all(one == first for one in others)
    business_code = sources(ROOT, "functions") - {"functions/requirements.txt"}
    wanted = {*business_code, *THIRD_PARTY.read_text().splitlines()}
    assert {name for name in first if not name.endswith(".pyc")} == wanted


def test_the_layer_has_the_runtime_and_what_variables_name(layer: Path) -> None:
    """What Python imports; the wrapper, which can be run, and the collector's file beside it."""
    names = {name: content for name, content in files(layer).items() if not name.endswith(".pyc")}
    beside = {
        "wrapper": ROOT / "otel" / "lambda_latency" / "runtime" / "wrapper",
        "collector.yaml": ROOT / "collector.yaml",
    }
    assert set(names) == {*layer_files(), "lambda-latency/collector.yaml"}
    assert {name: names[name] for name in layer_files()} == {
        name: file.read_bytes() for name, file in layer_files().items()
    }
    assert {name: names[f"lambda-latency/{name}"] for name in beside} == {
        name: path.read_bytes() for name, path in beside.items()
    }
    assert (layer / "lambda-latency" / "wrapper").stat().st_mode & 0o111 == 0o111


def test_make_layer_builds_the_same_layer(built: Path, layer: Path) -> None:
    """For an app of one's own."""
    made = built / "made"  # `build` is linked to this checkout's
    command = ["make", "--silent", "build-Kit", f"ARTIFACTS_DIR={made}"]
    subprocess.run(command, cwd=built, check=True, env={**os.environ, "MAKEFLAGS": ""})
    assert files(made) == files(layer)


@pytest.mark.parametrize("name", ["GetOrder", "Kit"])
def test_nothing_is_compiled_for_one_processor(artifacts: dict[str, Path], name: str) -> None:
    """The same artifact runs on arm64 and on x86_64."""
    names = files(artifacts[name])
    assert [name for name, content in names.items() if content.startswith((b"\x7fELF", b"\xcf\xfa", b"MZ"))] == []


def test_the_function_that_explains_has_its_library_for_either_processor(tmp_path: Path) -> None:
    """`Architecture` may change without a build: Python takes the file that has the processor in its name."""
    write_function(ALARM, tmp_path)
    machines = {
        name: content[18]  # e_machine of an ELF file
        for name, content in files(tmp_path).items()
        if content.startswith(b"\x7fELF")
    }
    assert machines == {
        "msgspec/_core.cpython-313-aarch64-linux-gnu.so": 183,
        "msgspec/_core.cpython-313-x86_64-linux-gnu.so": 62,
    }
    assert {path.name for path in tmp_path.iterdir() if not path.name.endswith(".dist-info")} == {
        "lambda_latency",
        "msgspec",
    }


@pytest.mark.parametrize("name", ["GetOrder", "Kit"])
def test_all_modules_have_their_bytecode(artifacts: dict[str, Path], name: str) -> None:
    """Of the runtime's version; /var/task and /opt are read-only, and without it every cold start would compile."""
    if not runtime_python():
        pytest.skip("no Python 3.13 answers here, so there is no bytecode")
    names = files(artifacts[name])
    modules = {name for name in names if name.endswith(".py")}
    compiled = {
        f"{path.parent.parent}/{path.name.removesuffix('.cpython-313.pyc')}.py".removeprefix("./")
        for path in map(Path, names)
        if path.suffix == ".pyc"
    }
    assert compiled == modules


def runtime_python() -> bool:
    """Whether the build found a Python of the runtime's version."""
    told = subprocess.run(
        [
            str(shutil.which("make")),
            "--no-print-directory",
            "-s",
            "--eval",
            "tell: ; @echo '$(RUNTIME_PYTHON)'",
            "tell",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return bool(told.stdout.strip())


def ask(root: Path, out: Path) -> tuple[int, object]:
    """Ask a system of the built functions for an order that is not there; the answer, and the traces as trees."""
    printed: list[str] = []
    app = read_app(root / "template.yaml", {}, built=True)
    options = SystemOptions(out, sampler=lambda: True)
    system = System(app, options, log=lambda name, line: printed.append(f"{name}: {line}"))
    try:
        connection = http.client.HTTPConnection(urlsplit(system.url).netloc, timeout=60)
        connection.request("GET", "/orders/none")
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        assert system.finish(30)
    finally:
        system.close()
    assert printed == []
    [trace] = read_traces(out / "traces.jsonl").traces
    assert answer == (404, {"error": "not_found", "message": "there is no order 'none'"})
    return answer[0], tree(trace)


TREE = (
    "lambda-latency/dev SERVER",
    (
        "GetOrder SERVER",
        (
            "GetOrder SERVER",
            "Initialization INTERNAL",
            "Invocation INTERNAL",
            ("GET /orders/{id} SERVER", "DynamoDB.GetItem CLIENT"),
            "Overhead INTERNAL",
        ),
    ),
)


def test_the_artifact_answers_and_is_traced(built: Path, tmp_path: Path) -> None:
    """On whatever Python runs this."""
    assert ask(built, tmp_path) == (404, TREE)


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the bytecode in an artifact is of Python 3.13")
def test_the_bytecode_is_what_runs(built: Path, tmp_path: Path) -> None:
    """It is used without a look at the sources, so that a checkout's times or an archive's do not matter."""
    root = tmp_path / "project"
    shutil.copytree(built, root, symlinks=True)
    for artifact in (root / ".aws-sam" / "build").iterdir():
        for module in (*artifact.glob("functions/*.py"), *artifact.glob("python/lambda_latency/runtime/*.py")):
            module.write_text("raise ImportError('compiled again')\n")
    assert ask(root, tmp_path) == (404, TREE)


def test_what_was_not_built_is_said(built: Path, tmp_path: Path) -> None:
    """With what to do."""
    root = tmp_path / "project"
    shutil.copytree(built, root, symlinks=True, ignore=shutil.ignore_patterns(".aws-sam"))
    with pytest.raises(UsageError, match=r"\.aws-sam/build/template\.yaml is not there"):
        read_app(root / "template.yaml", {}, built=True)
