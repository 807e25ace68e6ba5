"""What lies where, and what the import of a room brings; programs are in `otel/lab/` and not in folders of tests."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import lambda_latency

TESTS = Path(__file__).parent
# A child that a test starts, and tests that give a program of `lab` its parser
CHILDREN = {"lab/test_prove.py", "runtime/cold.py"}


def is_program(source: str) -> bool:
    """Whether it can be started, or reads options."""
    tree = ast.parse(source)
    starts = any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in tree.body)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return starts or "argparse" in imported


def test_no_program_is_in_the_tests() -> None:
    """But for the children that a test starts."""
    files = {str(file.relative_to(TESTS)): file for file in TESTS.rglob("*.py")}
    programs = {name for name, file in files.items() if is_program(file.read_text(encoding="utf-8"))}
    assert programs | {name for name in files if name.endswith("__main__.py")} == CHILDREN


def test_a_program_is_known_by_its_last_lines_or_its_options() -> None:
    """Not by a text that looks like them."""
    assert is_program('if __name__ == "__main__":\n    print(1)\n')
    assert is_program("from argparse import ArgumentParser\n")
    assert not is_program('SOURCE = """import argparse\nif __name__ == "__main__": ..."""\n')


KIT = Path(lambda_latency.__file__).parent
PACKAGES = sorted(path.parent.name for path in KIT.glob("*/__init__.py") if "__all__ = [" in path.read_text("utf-8"))


@pytest.mark.parametrize("package", PACKAGES)
def test_each_name_of_a_package_can_be_imported(package: str) -> None:
    """Those too that are looked up by the name of their module when they are first used."""
    module = import_module(f"lambda_latency.{package}")
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


IMPORTED = """
import sys
from importlib import import_module
before = set(sys.modules)
import_module(sys.argv[1])
new = {name.split(".")[0] for name in set(sys.modules) - before if not name.startswith("lambda_latency")}
print(*sorted(new - set(sys.stdlib_module_names) - {"typing_extensions"}))
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("lambda_latency.")}))
"""


@pytest.mark.parametrize(
    ("package", "needed"), [("trace", "trace unpacking"), ("text", "latency prices text trace unpacking")]
)
def test_traces_and_a_report_need_msgspec_alone(package: str, needed: str) -> None:
    """No package for drawing, and of other packages those that it stands on."""
    command = [sys.executable, "-c", IMPORTED, f"lambda_latency.{package}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["msgspec", needed]
