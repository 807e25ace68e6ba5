"""Import contracts of our own, for import-linter: packages, walls between rooms, faces of rooms, no circles.

A room is a package directly below the kit's; what its `__init__` names in `__all__` is its face. Every list of known
exceptions is to become empty: an exception that nothing needs any more breaks its contract, too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.util import find_spec, resolve_name
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def strings() -> fields.ListField:
    """An optional list of strings."""
    return fields.ListField(subfield=fields.StringField(), required=False, default=[])


def result(wrong: list[str], gone: list[str]) -> ContractCheck:
    """`wrong` breaks the contract, and so do known exceptions that are gone."""
    lines = [*wrong, *(f"{one} is no longer so: delete it from the exceptions in pyproject.toml" for one in gone)]
    return ContractCheck(kept=not lines, metadata={"wrong": lines})


def print_wrong(check: ContractCheck) -> None:
    """A line for each thing that is wrong."""
    for line in check.metadata["wrong"]:
        output.print_error(f"- {line}")


class OnlyThesePackages(Contract):
    """`package` may import the standard library and the packages in `allowed`; `but` lists `module -> imported`."""

    type_name = "only_these_packages"
    package = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())
    but = strings()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - as import-linter calls it
        package = str(self.package)
        fine = {*sys.stdlib_module_names, *cast("list[str]", self.allowed)}
        found = {
            f"{module} -> {imported}"
            for module in (package, *graph.find_descendants(package))
            for imported in graph.find_modules_directly_imported_by(module)
            if imported.split(".")[0] not in fine
        }
        but = set(cast("list[str]", self.but))
        return result([one.replace(" -> ", " imports ") for one in sorted(found - but)], sorted(but - found))

    def render_broken_contract(self, check: ContractCheck) -> None:
        print_wrong(check)


class Walls(Contract):
    """Each line of `rooms` reads `room: other, other` and names the others that it may import; `known` are exceptions.

    Modules directly below `package` are rooms here, too, and its own `__init__` is the room `__init__`.
    """

    type_name = "walls"
    package = fields.StringField()
    rooms = fields.ListField(subfield=fields.StringField())
    known = strings()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - as import-linter calls it
        package = str(self.package)
        lines = (line.partition(":") for line in cast("list[str]", self.rooms))
        allowed = {room: {one.strip() for one in others.split(",")} for room, _, others in lines}
        known = Known(cast("list[str]", self.known))
        wrong = []
        for module in sorted({package, *graph.find_descendants(package)}):
            room = _room(module, package)
            if room not in allowed:
                wrong.append(f"{module} is in no room: add a line for {room}")
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                other = _room(imported, package)
                if other not in (None, room, *allowed[room]) and not known.covers(module, imported):
                    wrong.append(f"{_where(graph, module, imported)}: {room} may not import {other}")
        return result(wrong, known.unused)

    def render_broken_contract(self, check: ContractCheck) -> None:
        print_wrong(check)


class ThroughTheFace(Contract):
    """A room imports of another room only what stands in the `__all__` of its `__init__`; `known` are exceptions."""

    type_name = "through_the_face"
    package = fields.StringField()
    known = strings()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - as import-linter calls it
        package = str(self.package)
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        sources = {name: _source(folder, name) for name in (package, *graph.find_descendants(package))}
        faces = {
            name: _face(path)
            for name, path in sources.items()
            if name.count(".") == package.count(".") + 1 and path.name == "__init__.py"
        }
        known = Known(cast("list[str]", self.known))
        wrong = []
        for module, path in sorted(sources.items()):
            for line, imported, name in _imports(module, path):
                room = next((one for one in faces if f"{imported}.".startswith(f"{one}.")), None)
                if room is None or f"{module}.".startswith(f"{room}."):
                    continue
                inside = imported if imported != room else f"{imported}.{name}"
                through = imported == room and name in (None, *faces[room])
                if not through and not known.covers(module, inside):
                    wrong.append(f"{module}:{line} imports {inside}, which is not in the face of {room} (its __all__)")
        return result(wrong, known.unused)

    def render_broken_contract(self, check: ContractCheck) -> None:
        print_wrong(check)


class NoCircles(Contract):
    """No module imports itself by way of others. `known` circles read `package: module, module`.

    Imports for the type checker count where the graph has them (`exclude_type_checking_imports = false`).
    """

    type_name = "no_circles"
    known = strings()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - as import-linter calls it
        reached = {module: _reached(graph, module) for module in graph.modules}
        found = {
            frozenset(other for other in below if module in reached[other])
            for module, below in reached.items()
            if module in below
        }
        known = {_circle(one): one for one in cast("list[str]", self.known)}
        wrong = [_told(graph, one) for one in sorted(found - known.keys(), key=sorted)]
        return result(wrong, [name for circle, name in known.items() if circle not in found])

    def render_broken_contract(self, check: ContractCheck) -> None:
        print_wrong(check)


class Known:
    """Exceptions that read `importer -> imported`, each for a module or for a package with all that is in it."""

    def __init__(self, lines: list[str]) -> None:
        self._pairs = {line: tuple(one.strip() for one in line.split("->")) for line in lines}
        self.unused = list(lines)

    def covers(self, module: str, imported: str) -> bool:
        """Whether this import is an exception, which is in use then."""
        for line, (importer, target) in self._pairs.items():
            if f"{module}.".startswith(f"{importer}.") and f"{imported}.".startswith(f"{target}."):
                self.unused = [one for one in self.unused if one != line]
                return True
        return False


class Imported(NamedTuple):
    """An import statement: its line, the module, and the name out of it, None where it imports the module itself."""

    line: int
    module: str
    name: str | None


def _room(module: str, package: str) -> str | None:
    """The first name below the package; None for a module outside of it."""
    if module == package:
        return "__init__"
    return module.removeprefix(f"{package}.").split(".")[0] if module.startswith(f"{package}.") else None


def _where(graph: ImportGraph, importer: str, imported: str) -> str:
    """An import with the lines where it stands."""
    details = graph.get_import_details(importer=importer, imported=imported)
    return f"{importer}:{','.join(str(one['line_number']) for one in details)} imports {imported}"


def _reached(graph: ImportGraph, module: str) -> set[str]:
    """What a module imports, and what that imports, and so on."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        fresh = graph.find_modules_directly_imported_by(waiting.pop()) - found
        found |= fresh
        waiting += fresh
    return found


def _circle(line: str) -> frozenset[str]:
    package, _, names = line.partition(":")
    return frozenset(f"{package}.{name.strip()}" for name in names.split(","))


def _told(graph: ImportGraph, circle: frozenset[str]) -> str:
    """The shortest way round from its first module, and what else is in the circle."""
    first = min(circle)
    ways = (
        graph.find_shortest_chain(importer=one, imported=first) or (one,)
        for one in graph.find_modules_directly_imported_by(first) & circle
    )
    way = [first, *min(ways, key=lambda one: (len(one), one))]
    steps = [_where(graph, importer, imported) for importer, imported in pairwise(way)]
    others = sorted(circle.difference(way))
    return ", ".join(steps) + (f"; in the same circle: {', '.join(others)}" if others else "")


def _source(folder: Path, module: str) -> Path:
    """The file of a module, `folder` being that of the package at its top. Nothing of it is imported."""
    path = folder.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _face(path: Path) -> list[str]:
    """The names in `__all__`."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets
        ):
            return cast("list[str]", ast.literal_eval(node.value))
    return []


def _imports(module: str, path: Path) -> Iterator[Imported]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Imported(node.lineno, one.name, None) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (Imported(node.lineno, base, one.name) for one in node.names)
