"""What an artifact holds, to the file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.artifact.conftest import ROOT

THIRD_PARTY = Path(__file__).with_name("third_party.txt")


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of each file by its path from there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_function_has_the_same_files_and_nothing_else(artifacts: dict[str, Path]) -> None:
    """Business code, the runtime, the collector's file, and the locked packages: third_party.txt follows the lock."""
    assert list(artifacts) == ["CancelOrder", "CreateOrder", "GetOrder", "ListOrders"]
    first, *others = map(files, artifacts.values())
    assert all(one == first for one in others)
    ours = {
        str(path.relative_to(root))
        for root, folder in ((ROOT, "functions"), (ROOT / "otel", "lambda_latency/runtime"))
        for path in (root / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    wanted = {*ours, "lambda_latency/__init__.py", "collector.yaml", *THIRD_PARTY.read_text().splitlines()}
    assert {name for name in first if not name.endswith(".pyc")} == wanted


def test_nothing_is_compiled_for_one_processor(artifacts: dict[str, Path]) -> None:
    """The same artifact runs on arm64 and on x86_64."""
    names = files(artifacts["GetOrder"])
    assert [name for name, content in names.items() if content.startswith((b"\x7fELF", b"\xcf\xfa", b"MZ"))] == []


def test_all_modules_have_their_bytecode(artifacts: dict[str, Path]) -> None:
    """Of the runtime's version; /var/task is read-only, and without it every cold start would compile."""
    if not runtime_python():
        pytest.skip("no Python 3.13 answers here, so there is no bytecode")
    names = files(artifacts["GetOrder"])
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
