"""The files of an artifact: the app's own Python files, without installed packages; requirements as text."""

from __future__ import annotations

import ast
import codecs
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

LAYER_FOLDER = "lambda-latency-layer"  # the kit's own layer, beside an adopted template

METADATA = ".dist-info"
# pip reads requirements in these encodings, by their byte order mark; PowerShell's `>` writes UTF-16.
MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def own_python_files(folder: Path, skipped: Collection[str]) -> Iterator[Path]:
    """The Python files of a folder, sorted, without tests, hidden folders, folders of some names, installed
    packages and the kit's layer.
    """
    for inside, folders, names in os.walk(folder):
        owned = _installed(Path(inside), folders)
        excluded = {*skipped, *owned, LAYER_FOLDER}
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in excluded)
        paths = (Path(inside, name) for name in sorted(names) if _is_module(name) and name not in owned)
        yield from (path for path in paths if path.is_file())  # a pipe would be waited for


def _is_module(name: str) -> bool:
    """Whether a file may be a module of the function: with another dot in its name it cannot be imported."""
    return name.endswith(".py") and name.count(".") == 1 and not name.startswith("test_")


def decoded(content: bytes) -> tuple[str, str]:
    """Text and its encoding by the byte order mark, which stays in the text. Raises UnicodeDecodeError."""
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), "utf-8")
    return content.decode(encoding), encoding


def imports_in(tree: ast.Module) -> Iterator[tuple[int, str, list[str]]]:
    """The absolute imports of a module: line, imported module, and the names that are imported from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module, [alias.name for alias in node.names]


def _installed(folder: Path, folders: Iterable[str]) -> set[str]:
    """The names in a folder that belong to installed distributions. One that was installed from the app's own source
    (PEP 610: it has a direct_url.json) is the app's.
    """
    owned: set[str] = set()
    for name in folders:
        if not name.endswith(METADATA):
            continue
        owned.add(name)
        record = folder / name / "RECORD"
        if record.is_file() and not (folder / name / "direct_url.json").exists():
            lines = record.read_text("utf-8", "replace").splitlines()
            owned |= {line.replace(",", "/").partition("/")[0].strip('"') for line in lines}
    return owned
