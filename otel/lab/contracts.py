"""Import contracts of our own, for import-linter: packages, walls, public APIs of subpackages, no circles.

A subpackage is one directly below the kit; the `__all__` of its `__init__` is its public API. Every list of known
exceptions is to become empty: an exception that nothing needs any more breaks its contract, too.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec, resolve_name
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

from lab.house.graph import circles


def strings() -> fields.ListField:
    """An optional list of strings."""
    return fields.ListField(subfield=fields.StringField(), required=False, default=[])


def result(wrong: list[str], gone: list[str]) -> ContractCheck:
    """`wrong` breaks the contract, and so do known exceptions that are gone."""
    lines = [*wrong, *(f"{name} is no longer so: delete it from the exceptions in pyproject.toml" for name in gone)]
    return ContractCheck(kept=not lines, metadata={"wrong": lines})


class Printed(Contract):
    """A contract that prints a line for each thing that is wrong."""

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["wrong"]:
            output.print_error(f"- {line}")


class OnlyThesePackages(Printed):
    """`package` may import the standard library and the packages in `allowed`; `but` lists `module -> imported`."""

    type_name = "only_these_packages"
    package = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())
    but = strings()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - as import-linter calls it
        package = str(self.package)
        fine = {*sys.stdlib_module_names, *cast("list[str]", self.allowed)}
        imports = {
            f"{module} -> {imported}"
            for module in (package, *graph.find_descendants(package))
            for imported in graph.find_modules_directly_imported_by(module)
            if imported.split(".")[0] not in fine
        }
        but = set(cast("list[str]", self.but))
        return result([line.replace(" -> ", " imports ") for line in sorted(imports - but)], sorted(but - imports))


class Walls(Printed):
    """Each line of `subpackages` reads `name: other, other`: the others that it may import.

    Modules directly below `package` are subpackages here, too, and its own `__init__` is the subpackage `__init__`.
    """

    type_name = "walls"
    package = fields.StringField()
    subpackages = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - as import-linter calls it
        package = str(self.package)
        lines = (line.partition(":") for line in cast("list[str]", self.subpackages))
        allowed = {subpackage: {name.strip() for name in importable.split(",")} for subpackage, _, importable in lines}
        wrong = []
        for module in sorted({package, *graph.find_descendants(package)}):
            subpackage = _subpackage(module, package)
            if subpackage not in allowed:
                wrong.append(f"{module} is in no subpackage: add a line for {subpackage}")
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                imported_subpackage = _subpackage(imported, package)
                if imported_subpackage not in (None, subpackage, *allowed[subpackage]):
                    wrong.append(
                        f"{_where(graph, module, imported)}: {subpackage} may not import {imported_subpackage}"
                    )
        return result(wrong, [])


class ThroughPublicApi(Printed):
    """A subpackage imports of another only what the `__all__` of its `__init__` has; `known` are exceptions."""

    type_name = "through_public_api"
    package = fields.StringField()
    known = strings()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - as import-linter calls it
        package = str(self.package)
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        sources = {name: _source(folder, name) for name in (package, *graph.find_descendants(package))}
        public_names = _public_names(sources, package)
        exceptions = Known(cast("list[str]", self.known))
        wrong = []
        for module, path in sorted(sources.items()):
            for line, imported, name in _imports(module, path):
                subpackage = next((name for name in public_names if _is_within(imported, name)), None)
                if subpackage is None or _is_within(module, subpackage):
                    continue
                inside = imported if imported != subpackage else f"{imported}.{name}"
                through = imported == subpackage and name in (None, *public_names[subpackage])
                if not through and not exceptions.covers(module, inside):
                    api = f"the public API of {subpackage} (its __all__)"
                    wrong.append(f"{module}:{line} imports {inside}, which is not in {api}")
        return result(wrong, exceptions.unused)


class NoCircles(Printed):
    """No module imports itself by way of others.

    Imports for the type checker count where the graph has them (`exclude_type_checking_imports = false`).
    """

    type_name = "no_circles"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - as import-linter calls it
        imports = {module: frozenset(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
        return result([_circle_text(graph, circle) for circle in circles(imports)], [])


class Known:
    """Exceptions that read `importer -> imported`, each for a module or for a package with all that is in it."""

    def __init__(self, lines: list[str]) -> None:
        self._pairs = {line: tuple(name.strip() for name in line.split("->")) for line in lines}
        self.unused = list(lines)

    def covers(self, module: str, imported: str) -> bool:
        """Whether this import is an exception, which is in use then."""
        for line, (importer, target) in self._pairs.items():
            if _is_within(module, importer) and _is_within(imported, target):
                self.unused = [unused for unused in self.unused if unused != line]
                return True
        return False


class Imported(NamedTuple):
    """An import statement: its line, the module, and the name out of it, None where it imports the module itself."""

    line: int
    module: str
    name: str | None


def _subpackage(module: str, package: str) -> str | None:
    """The first name below the package; None for a module outside of it."""
    if module == package:
        return "__init__"
    return module.removeprefix(f"{package}.").split(".")[0] if module.startswith(f"{package}.") else None


def _where(graph: ImportGraph, importer: str, imported: str) -> str:
    """An import with the lines where it stands."""
    details = graph.get_import_details(importer=importer, imported=imported)
    return f"{importer}:{','.join(str(detail['line_number']) for detail in details)} imports {imported}"


def _is_within(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def _public_names(sources: Mapping[str, Path], package: str) -> dict[str, list[str]]:
    """The `__all__` of each subpackage of a package."""
    return {
        name: _face(path)
        for name, path in sources.items()
        if name.count(".") == package.count(".") + 1 and path.name == "__init__.py"
    }


def _circle_text(graph: ImportGraph, circle: frozenset[str]) -> str:
    """The shortest way round from its first module, and what else is in the circle."""
    start = min(circle)
    ways = (
        graph.find_shortest_chain(importer=module, imported=start) or (module,)
        for module in graph.find_modules_directly_imported_by(start) & circle
    )
    way = [start, *min(ways, key=lambda chain: (len(chain), chain))]
    steps = [_where(graph, importer, imported) for importer, imported in pairwise(way)]
    remaining = sorted(circle.difference(way))
    return ", ".join(steps) + (f"; in the same circle: {', '.join(remaining)}" if remaining else "")


def _source(folder: Path, module: str) -> Path:
    """The file of a module, `folder` being that of the package at its top. Nothing of it is imported."""
    path = folder.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _face(path: Path) -> list[str]:
    """The names in `__all__`."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return cast("list[str]", ast.literal_eval(node.value))
    return []


def _imports(module: str, path: Path) -> Iterator[Imported]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Imported(node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (Imported(node.lineno, base, alias.name) for alias in node.names)
