"""Floors, arrows and circles of an import graph: a mapping of each module to those that it imports."""

from collections.abc import Mapping
from graphlib import TopologicalSorter

Graph = Mapping[str, frozenset[str]]


def subpackage(graph: Graph, package: str) -> Graph:
    """The part of a graph inside a package."""
    inside = {module for module in graph if f"{module}.".startswith(f"{package}.")}
    return {module: graph[module] & inside for module in inside}


def arrows(graph: Graph) -> int:
    """The number of imports between modules."""
    return sum(map(len, graph.values()))


def circles(graph: Graph) -> list[frozenset[str]]:
    """The sets of modules that import each other, directly or by way of others."""
    reached = {module: _reached(graph, module) for module in graph}
    circle_sets = {
        frozenset(reachable for reachable in below if module in reached[reachable])
        for module, below in reached.items()
        if module in below
    }
    return sorted(circle_sets, key=sorted)


def floors(graph: Graph) -> int:
    """The number of modules on the longest path of imports. A circle counts as one module."""
    stands_for = {module: min(circle) for circle in circles(graph) for module in circle}
    merged: dict[str, set[str]] = {}
    for module, imported in graph.items():
        name = stands_for.get(module, module)
        merged.setdefault(name, set()).update({stands_for.get(target, target) for target in imported} - {name})
    height: dict[str, int] = {}
    for module in TopologicalSorter(merged).static_order():
        height[module] = 1 + max((height[target] for target in merged[module]), default=0)
    return max(height.values(), default=0)


def _reached(graph: Graph, module: str) -> set[str]:
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        fresh = graph[waiting.pop()] - reached
        reached |= fresh
        waiting += fresh
    return reached
