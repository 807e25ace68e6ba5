"""Verifies an edited template: values that are not replaced, and comments, must remain; every name must exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeAlias

from lambda_latency.template import Finding, Node, check_template, is_json, read_yaml

Span: TypeAlias = tuple[int, int]


def problem(source: str, before: str, root: Node, after: str, replaced: Collection[Span] = ()) -> str:
    """The reason why the edited text is wrong; empty if it is right. `replaced`: offsets of values that may differ."""
    if is_json(before) and not is_json(after):
        return "it would not be JSON"
    read = read_yaml(source, after)
    if isinstance(read, Finding):
        return f"line {read.line}: {read.what}"
    unknown = next(iter(check_template(source, read)), None)
    if unknown is not None:
        return f"line {unknown.line}: {unknown.what}"
    lost = next(_lost(root, read, "", replaced), "")
    if lost:
        return f"{lost} would change"
    kept = iter(after.splitlines())
    for number, line in enumerate(before.splitlines(), 1):
        if line.strip().startswith("#") and not any(line == other for other in kept):
            return f"the comment of line {number} would be lost"
    return ""


def _lost(old: Node, new: Node, path: str, replaced: Collection[Span]) -> Iterator[str]:
    """The paths of values of `old` that `new` lacks or changes; `new` may have more entries, and items at the end."""
    if (old.start, old.end) in replaced:
        return
    same_kind = old.empty or (old.kind, old.function) == (new.kind, new.function)
    if not same_kind or (old.kind == "scalar" and old.value != new.value and not old.empty):
        yield path
        return
    if old.function and (len(old.items), len(old.entries)) != (len(new.items), len(new.entries)):
        yield path
    is_shorter = len(new.items) < len(old.items)
    items = [item for item in old.items if not (is_shorter and (item.start, item.end) in replaced)]
    pairs = [(name, value, new.get(name)) for name, _, value in old.named() if (value.start, value.end) not in replaced]
    pairs += [(str(number), one, other) for number, (one, other) in enumerate(zip(items, new.items, strict=False))]
    if len(new.items) < len(items):
        yield path
    for name, one, other in pairs:
        below = f"{path}.{name}".lstrip(".")
        if other is None:
            yield below
        else:
            yield from _lost(one, other, below, replaced)
