"""The calls in a Python source, with the full names of what they call and the values of their arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from lambda_latency.doctor.function import Fn

READ = ("os.environ.get", "os.getenv")
NUMBERS = ("int", "float")
MOST_STEPS = 5  # from a name to its value: more is a circle
REPLACED = ("request", "send", "get", "post")  # methods of a session that code replaces by ones with a timeout
ADAPTERS = ("requests.adapters.HTTPAdapter",)


class Calls:
    """The calls of a source.

    A variable has a value here if the source always assigns the same, and no parameter has its name.
    """

    def __init__(self, tree: ast.Module) -> None:
        every = list(ast.walk(tree))
        self.nodes = sorted((node for node in every if isinstance(node, ast.Call)), key=lambda one: one.lineno)
        self._imported = dict(one for node in every for one in _imported(node))
        assigned: dict[str, list[ast.expr | None]] = {}
        for name, value in (one for node in every for one in _assigned(node)):
            assigned.setdefault(name, []).append(value)
        self._values = {name: value for name, each in assigned.items() if (value := _same(each)) is not None}
        self._assigned = assigned.keys()
        self.modules: Mapping[str, Calls] = {}  # the function's other modules, by the last part of their names

    def name(self, call: ast.Call) -> str:
        """The full name of what a call calls, such as `requests.Session.get`; empty if it is not known."""
        return self._full(call.func, MOST_STEPS)

    def has(self, full: str) -> bool:
        """Whether the source calls what has this full name."""
        return any(self.name(node) == full for node in self.nodes)

    def value(self, node: ast.expr) -> ast.expr:
        """The value of a variable, of this module or of one that it imports; any other expression is its own."""
        return self._origin(node, MOST_STEPS)[1]

    def _origin(self, node: ast.expr, steps: int) -> tuple[Calls, ast.expr]:
        """The value of a variable, and the module that assigns it."""
        if not steps or not isinstance(node, ast.Name | ast.Attribute):
            return self, node
        own = self._values.get(ast.unparse(node))
        if own is not None:
            return self._origin(own, steps - 1)
        other, name = self._imports(node)
        return other._origin(ast.Name(name), steps - 1) if other is not None else (self, node)

    def _imports(self, node: ast.Name | ast.Attribute) -> tuple[Calls | None, str]:
        """The module beside this one that has a name, and the name there."""
        head, _, rest = ast.unparse(node).partition(".")
        module, _, name = ".".join(filter(None, (self._imported.get(head, ""), rest))).rpartition(".")
        return self.modules.get(module.rpartition(".")[2]), name

    def made(self, call: ast.Call) -> ast.Call | None:
        """The call that made the object of a method's call."""
        made = self.value(call.func.value) if isinstance(call.func, ast.Attribute) else None
        return made if isinstance(made, ast.Call) else None

    def is_changed(self, call: ast.Call) -> bool:
        """Whether a session has other adapters, or methods that the source replaces."""
        owner = f"{ast.unparse(call.func.value)}." if isinstance(call.func, ast.Attribute) else ""
        mounted = [one for one in self.nodes if ast.unparse(one.func) == f"{owner}mount"]
        others = [one for one in mounted if not any(self._is_adapter(given) for given in one.args[1:])]
        return bool(others) or not self._assigned.isdisjoint(f"{owner}{name}" for name in REPLACED)

    def seconds(self, node: ast.expr, fn: Fn) -> float | None:
        """The number that an argument has, the largest of a tuple; None if it is computed. Environment variables have
        the values of the function.
        """
        where, node = self._origin(node, MOST_STEPS)
        if where is not self:
            return where.seconds(node, fn)
        if isinstance(node, ast.Constant):
            return _number(node.value)
        if isinstance(node, ast.Tuple):
            each = [self.seconds(one, fn) for one in node.elts]
            known = [one for one in each if one is not None]
            return max(known) if known and len(known) == len(each) else None
        if isinstance(node, ast.Subscript) and self._full(node.value, MOST_STEPS) == "os.environ":
            return self._variable([node.slice], fn)
        if isinstance(node, ast.Call) and not node.keywords and node.args:
            full = self.name(node)
            if full in READ:
                return self._variable(node.args, fn)
            return self.seconds(node.args[0], fn) if ast.unparse(node.func) in NUMBERS else None
        return None

    def _variable(self, given: list[ast.expr], fn: Fn) -> float | None:
        """An environment variable as a number, or its default."""
        name = given[0].value if isinstance(given[0], ast.Constant) else None
        if isinstance(name, str) and name in fn.variables:
            return _number(fn.variable(name))
        return self.seconds(given[1], fn) if isinstance(name, str) and len(given) > 1 else None

    def _is_adapter(self, node: ast.expr) -> bool:
        node = self.value(node)
        return isinstance(node, ast.Call) and self.name(node) in ADAPTERS

    def _full(self, node: ast.expr, steps: int) -> str:
        if not steps:
            return ""
        if isinstance(node, ast.Call):
            return self._full(node.func, steps - 1)
        value = self._values.get(ast.unparse(node)) if isinstance(node, ast.Name | ast.Attribute) else None
        if value is not None:
            return self._full(value, steps - 1) if isinstance(value, ast.Call | ast.Name | ast.Attribute) else ""
        if isinstance(node, ast.Name | ast.Attribute):
            other, name = self._imports(node)
            if other is not None and name in other._values:
                return other._full(ast.Name(name), steps - 1)
        if isinstance(node, ast.Name):
            return self._imported.get(node.id, "")
        owner = self._full(node.value, steps) if isinstance(node, ast.Attribute) else ""
        return f"{owner}.{node.attr}" if owner and isinstance(node, ast.Attribute) else ""


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The imported objects by local name: `r` and `requests`, `Config` and `botocore.config.Config`."""
    if isinstance(node, ast.Import):
        yield from ((one.asname, one.name) if one.asname else (one.name.partition(".")[0],) * 2 for one in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        yield from ((one.asname or one.name, f"{module}.{one.name}") for one in node.names)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """The variables and attributes that a statement assigns, with their values; None for one that is not told."""
    if isinstance(node, ast.Assign):
        plain = [one for one in node.targets if isinstance(one, ast.Name | ast.Attribute)]
        yield from ((ast.unparse(one), node.value) for one in plain)
        others = (one for target in node.targets if target not in plain for one in ast.walk(target))
        yield from ((ast.unparse(one), None) for one in others if isinstance(one, ast.Name | ast.Attribute))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name | ast.Attribute):
        yield ast.unparse(node.target), node.value
    elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
        yield node.optional_vars.id, node.context_expr
    elif isinstance(node, ast.arg):
        yield node.arg, None
    elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor | ast.NamedExpr | ast.comprehension):
        yield from ((ast.unparse(one), None) for one in ast.walk(node.target) if isinstance(one, ast.Name))


def _same(values: list[ast.expr | None]) -> ast.expr | None:
    """The value that all assignments have; None if they differ, or one is not known."""
    first, *others = values
    alike = first is not None and all(one is not None and ast.dump(one) == ast.dump(first) for one in others)
    return first if alike else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
