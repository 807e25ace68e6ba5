"""What lies where: the folders of tests have tests, fixtures, fakes and sample apps; programs are in `otel/lab/`."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import lambda_latency

TESTS = Path(__file__).parent
CHILDREN = {"runtime/cold.py"}  # started by a test


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
    found = {name for name, file in files.items() if is_program(file.read_text(encoding="utf-8"))}
    assert found | {name for name in files if name.endswith("__main__.py")} == CHILDREN


def test_a_program_is_known_by_its_last_lines_or_its_options() -> None:
    """Not by a text that looks like them."""
    assert is_program('if __name__ == "__main__":\n    print(1)\n')
    assert is_program("from argparse import ArgumentParser\n")
    assert not is_program('SOURCE = """import argparse\nif __name__ == "__main__": ..."""\n')


KIT = Path(lambda_latency.__file__).parent
FACES = sorted(path.parent.name for path in KIT.glob("*/__init__.py") if "__all__ = [" in path.read_text("utf-8"))


@pytest.mark.parametrize("room", FACES)
def test_each_name_of_a_room_can_be_imported(room: str) -> None:
    """Those too that are looked up by the name of their module when they are first used."""
    face = import_module(f"lambda_latency.{room}")
    assert [name for name in face.__all__ if not hasattr(face, name)] == []
