"""Python modules and their lines: all, and those of code, apart from docstrings, comments and blank lines."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

NO_CODE = {
    tokenize.COMMENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.INDENT, tokenize.NEWLINE,
    tokenize.NL,
}  # fmt: skip
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
COMMON = ("__init__", "command", "errors", "part")  # names that may be borne by any number of files


def python_files(*folders: Path) -> list[Path]:
    """The Python files below these folders, in order."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def folders(kit: Path) -> dict[str, int]:
    """The number of Python files directly in each folder of the kit."""
    return dict(sorted(Counter(path.parent.relative_to(kit).as_posix() for path in python_files(kit)).items()))


def base_names(files: Iterable[Path], limit: int) -> dict[str, int]:
    """The names that more files than `limit` bear, with the number of files."""
    found = Counter(path.stem for path in files)
    return {name: count for name, count in sorted(found.items()) if count > limit and name not in COMMON}


def code_lines(source: str) -> int:
    """The number of lines that hold code. Raises `SyntaxError` if the source is not Python."""
    tree = ast.parse(source)
    held = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            held.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(held)
