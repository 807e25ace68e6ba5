"""Draws the packages of the kit in docs/explanation/architecture.md, as a Mermaid graph, from the import graph."""

import re
from collections.abc import Mapping
from pathlib import Path

import grimp

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "architecture.md"
PACKAGE = "lambda_latency"
BLOCK = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)


def imports() -> dict[str, set[str]]:
    """Return the subpackages of the kit, each with those that it imports."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    packages = {name for name in graph.find_children(PACKAGE) if graph.find_children(name)}
    return {
        name.removeprefix(f"{PACKAGE}."): {
            imported.removeprefix(f"{PACKAGE}.")
            for imported in packages - {name}
            if graph.direct_import_exists(importer=name, imported=imported, as_packages=True)
        }
        for name in sorted(packages)
    }


def reduced(packages: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the imports without those that follow from others."""
    return {
        name: {child for child in direct if not any(child in _below(packages, via) for via in direct - {child})}
        for name, direct in packages.items()
    }


def _below(packages: Mapping[str, set[str]], name: str) -> set[str]:
    return packages[name].union(*(_below(packages, imported) for imported in packages[name]))


def drawn(packages: Mapping[str, set[str]]) -> str:
    """Return the page with the graph of these packages."""
    arrows = reduced(packages)
    lines = [f"    {name} --> {imported}\n" for name in sorted(arrows) for imported in sorted(arrows[name])]
    block = "".join(["```mermaid\n", "graph TD\n", *lines, "```\n"])
    return BLOCK.sub(lambda _: block, PAGE.read_text(encoding="utf-8"))


def main() -> int:
    """Write the graph into the page."""
    PAGE.write_text(drawn(imports()), encoding="utf-8")
    print(f"{PAGE.name}: drawn")
    return 0
