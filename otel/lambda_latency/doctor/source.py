"""The local Python sources and requirements of a function."""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lambda_latency.template import decoded, own_python_files

# Folders without code of the function, or with third-party code.
SKIPPED = frozenset(
    [
        "tests",
        "test",
        "venv",
        "env",
        "node_modules",
        "build",
        "dist",
        "site-packages",
        "cdk.out",
        "__pycache__",
        "__tests__",
        "docs",
        "examples",
    ]
)
MOST_FILES, MOST_BYTES = 500, 1_000_000
REQUIREMENT = re.compile(r"^\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[(?P<extras>[^\]]*)\])?\s*(?P<bound>[^;#]*)")
INSTALLED = re.compile(r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[^-]+)\.dist-info")


@dataclass(frozen=True, slots=True)
class PythonSource:
    """A parsed Python file; `line_offset` is added to its line numbers (for code in a template)."""

    path: str
    tree: ast.Module
    line_offset: int = 0

    def line(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """The line of a node in the file."""
        return self.line_offset + node.lineno


@dataclass(frozen=True, slots=True)
class Requirement:
    """A line of a requirements file: normalized name, extras, and the bound (`==1.38.0`, `>=1.2`, or empty)."""

    path: str
    line: int
    name: str
    extras: tuple[str, ...]
    bound: str


def parsed(path: str, text: str, line_offset: int = 0) -> PythonSource | None:
    """The parsed source; None if this Python cannot parse it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return PythonSource(path, ast.parse(text), line_offset)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def sources_in(folder: Path) -> Iterator[PythonSource]:
    """The Python files of a folder, without tests and packages."""
    for path in islice(own_python_files(folder, SKIPPED), MOST_FILES):
        source = read_source(path)
        if source is not None:
            yield source


def read_source(path: Path) -> PythonSource | None:
    """A Python file; None if it is too large, cannot be read, or this Python cannot parse it."""
    try:
        return parsed(str(path), path.read_text("utf-8")) if path.stat().st_size < MOST_BYTES else None
    except (OSError, UnicodeDecodeError):
        return None


def reached(sources: Iterable[PythonSource], folder: Path, handler: str) -> tuple[PythonSource, ...]:
    """The sources that a handler (`pkg/mod.handler`, `pkg.mod.handler`) imports, directly or indirectly.

    All sources if the handler's module is not found. Imports inside functions count, too.
    """
    by_path = {source.path: source for source in sources}
    module = handler.rpartition(".")[0].replace("/", ".")
    waiting = _known_files(by_path, folder, [module])
    if not waiting:
        return tuple(by_path.values())
    reachable: dict[str, PythonSource] = {}
    while waiting:
        path = waiting.pop()
        if path not in reachable:
            reachable[path] = by_path[path]
            names = _imported(by_path[path].tree, Path(path).relative_to(folder).parent.parts)
            waiting += _known_files(by_path, folder, names)
    return tuple(source for path, source in by_path.items() if path in reachable)


def _known_files(by_path: Mapping[str, PythonSource], folder: Path, modules: Iterable[str]) -> list[str]:
    return [path for module in modules for path in _files(folder, module) if path in by_path]


def _files(folder: Path, module: str) -> Iterator[str]:
    """The files that an import of a module executes: its own, and the `__init__` of each parent package."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        yield str(folder.joinpath(*parts[:end], "__init__.py"))
    yield str(folder.joinpath(*parts[:-1], f"{parts[-1]}.py"))


def _imported(tree: ast.Module, package: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def requirements_in(folder: Path) -> Iterator[Requirement]:
    """The lines of `requirements.txt` in a folder."""
    path = folder / "requirements.txt"
    try:
        text, _ = decoded(path.read_bytes() if path.is_file() else b"")
    except (OSError, UnicodeDecodeError):
        return
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        match = REQUIREMENT.match(line)
        if match is not None:
            extras = tuple(extra.strip() for extra in (match["extras"] or "").split(",") if extra.strip())
            yield Requirement(str(path), number, _normal(match["name"]), extras, match["bound"].strip(" \\"))


def installed_in(folder: Path) -> dict[str, str]:
    """The distributions installed in a folder: version by normalized name."""
    try:
        matches = [INSTALLED.fullmatch(path.name) for path in folder.iterdir()]
    except OSError:
        return {}
    return {_normal(match["name"]): match["version"] for match in matches if match is not None}


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder, without hidden folders and environments, which no build takes along."""
    total = 0
    for inside, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[:1] != "." and not _is_environment(Path(inside, name))]
        paths = [Path(inside, name) for name in names]
        total += sum(path.stat().st_size for path in paths if path.is_file() and not path.is_symlink())
    return total


def _is_environment(folder: Path) -> bool:
    return os.path.exists(folder / "pyvenv.cfg")  # noqa: PTH110 - False in a folder without permission


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
