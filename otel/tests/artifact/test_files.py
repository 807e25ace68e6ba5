"""What an artifact holds, to the file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lambda_latency.alarm import write_function
from lambda_latency.layer import layer_files
from tests.artifact.conftest import ROOT

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
    wanted = {*sources(ROOT, "functions"), *THIRD_PARTY.read_text().splitlines()}
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
    write_function(tmp_path)
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
