"""Checks that the parts of a template that are read are mappings, before anything reads them."""

from __future__ import annotations

from collections.abc import Iterator

from lambda_latency.template import Finding, Node

# Each part of a path is a mapping; `*` stands for every name.
MAPPINGS = (
    ("Parameters", "*"),
    ("Conditions",),
    ("Mappings", "*"),
    ("Globals", "*"),
    ("Globals", "Function", "Environment", "Variables"),
    ("Outputs", "*"),
    ("Resources", "*", "Metadata"),
    ("Resources", "*", "Properties", "Environment", "Variables"),
)
NEVER_EMPTY = ("Parameters", "*")


def misshapen(source: str, root: Node) -> list[Finding]:
    """The findings about parts that are no mappings, each once."""
    found = (one for path in MAPPINGS for one in _wrong(source, root, path, ()))
    return sorted({*found})


def _wrong(source: str, node: Node, path: tuple[str, ...], done: tuple[str, ...]) -> Iterator[Finding]:
    """Follows a path from a node; `done` are the names on the way to it."""
    if not path:
        return
    for name, key, value in node.named():
        if path[0] not in (name, "*") or value.function:
            continue
        names = (*done, name)
        is_needed = value.empty and (*done[:1], "*") == NEVER_EMPTY and len(names) == len(NEVER_EMPTY)
        if value.kind == "mapping":
            yield from _wrong(source, value, path[1:], names)
        elif not value.empty or is_needed:
            todo = "write its entries below it, one NAME: VALUE a line"
            yield Finding(source, key.line, f"{'.'.join(names)} is not a mapping", todo)
