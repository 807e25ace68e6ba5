"""The regular expressions of a module, found in its source, and texts that show what each of them matches.

A text shows every match between « and », and a text without these marks must not match. An expression that is applied
at one position is tried at the first mark, or at the beginning: `«»` is a position at which it must not match.
"""

from __future__ import annotations

import ast
import inspect
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType
    from typing import TypeGuard

Shown = dict[str, tuple[str, ...]]  # by the name of an expression, or by the expression if it has no name
HOW = ("search", "match", "fullmatch")  # from weak to strict


class Expression(NamedTuple):
    """A pattern, and the strictest way in which its module applies it."""

    pattern: str
    how: str


def expressions(module: ModuleType) -> dict[str, Expression]:
    """The expressions that a module passes to `compiled` or `re.compile`, by name; not those that it composes."""
    tree = ast.parse(inspect.getsource(module))
    found: dict[str, Expression] = {}
    for call, how in _applied(tree):
        for name, pattern in _values(call.args[0], tree, vars(module)):
            known = found.get(name, Expression(pattern, "search")).how
            found[name] = Expression(pattern, max(known, how, key=HOW.index))
    return found


def as_matched(expression: Expression, text: str) -> str:
    """The text with its marks where the expression matches, which is what the text should look like."""
    pattern, start, bare = re.compile(expression.pattern), max(0, text.find("«")), plain(text)
    if expression.how == "search":
        return pattern.sub(lambda found: f"«{found[0]}»", bare)
    found = getattr(pattern, expression.how)(bare, start)
    if found is None:
        return f"{bare[:start]}«»{bare[start:]}" if "«" in text else bare
    return f"{bare[:start]}«{found[0]}»{bare[found.end() :]}"


def plain(text: str) -> str:
    """The text without its marks."""
    return text.replace("«", "").replace("»", "")


def is_match(text: str) -> bool:
    """Whether a text shows a match."""
    return "«" in text.replace("«»", "")


def params(shown: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """The names of expressions with one of their texts each."""
    return [(name, text) for name, texts in shown.items() for text in texts]


def checks(module: ModuleType, shown: Shown) -> tuple[Callable[[], None], Callable[[str, str], None]]:
    """The two tests of a table: it has every expression of the module, and each matches exactly what is marked."""
    found = expressions(module)

    def each_expression_has_texts_of_both_sorts() -> None:
        """A new expression needs texts that match and texts that do not; one that is gone must not keep its texts."""
        assert {*shown} == {*found}
        assert [name for name, texts in shown.items() if len({*map(is_match, texts)}) != 2] == []

    @pytest.mark.parametrize(("name", "text"), params(shown))
    def an_expression_matches_what_is_marked(name: str, text: str) -> None:
        """Everything between marks, and nothing else."""
        assert as_matched(found[name], text) == text, name

    return each_expression_has_texts_of_both_sorts, an_expression_matches_what_is_marked


def _applied(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """The calls that compile an expression, each with the way in which the result is applied."""
    named = {node.targets[0].id: node.value for node in ast.walk(tree)
             if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}  # fmt: skip
    for node in ast.walk(tree):
        if _compiles(node):
            yield node, "search"
        if isinstance(node, ast.Attribute) and node.attr in HOW:
            value = named.get(node.value.id) if isinstance(node.value, ast.Name) else node.value
            if _compiles(value):
                yield value, node.attr


def _compiles(node: ast.AST | None) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("compiled", "re.compile")


def _values(node: ast.expr, tree: ast.AST, names: Mapping[str, object]) -> list[tuple[str, str]]:
    """The texts that an argument may be, by name: its own, a constant's, or those of a table in a loop."""
    if isinstance(node, ast.Constant):
        return [(_name(node.value, names), str(node.value))]
    if not isinstance(node, ast.Name):
        return []
    if isinstance(names.get(node.id), str):
        return [(node.id, str(names[node.id]))]
    for loop in ast.walk(tree):
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Tuple):
            targets = [ast.unparse(one) for one in loop.target.elts]
            table = ast.unparse(loop.iter).removesuffix(".items()")
            if node.id in targets and isinstance(rows := names.get(table), dict):
                at = targets.index(node.id)
                return [(_name(row[at], names, f"{table}[{_name(row[0], names)}]"), row[at]) for row in rows.items()]
    return []


def _name(pattern: object, names: Mapping[str, object], default: str = "") -> str:
    """The name of the constant with this pattern; by default the pattern itself."""
    found = (name for name, value in names.items() if pattern == (getattr(value, "pattern", value)))
    return next(found, default or str(pattern))
