"""The rule about handlers that are not in the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, Issue, function_rule
from lambda_latency.doctor.function import Fn
from lambda_latency.doctor.source import read_source
from lambda_latency.spelling import did_you_mean

ADDING = ("globals", "setattr", "exec")  # calls that may add names


@function_rule(
    "handler-missing", ERROR, "Every invocation fails: Runtime.ImportModuleError or Runtime.HandlerNotFound."
)
def missing(app: App, fn: Fn) -> Iterator[Issue]:
    """The handler `app.handler` is the name `handler` in `app.py`. The check reads local code; a function with layers
    may have the module in one of them, and a build of its own may make it.
    """
    code = app.code(fn)
    module, _, name = fn.text("Handler").rpartition(".")
    is_inline = fn.get("InlineCode") is not None  # which a CodeUri beside it does not change
    if not (module and name and fn.is_python) or code is None or fn.has_build_method or is_inline:
        return
    line = fn.line_of("Handler")
    path = code.joinpath(*module.replace("/", ".").split("."))
    file = next(filter(Path.is_file, (path / "__init__.py", path.parent / f"{path.name}.py")), None)
    if file is not None:
        names = _names(file)
        if names is not None and name not in names:
            todo = did_you_mean(name, sorted(names), "write the name of a function of that file")
            yield Issue(f"{fn.name}: {file} has no {name!r}", todo, line)
    elif not fn.layers and not fn.has_unknown_layers and any(code.glob("**/*.py")):
        modules = [path.stem for path in sorted(code.glob("*.py"))]
        todo = did_you_mean(module, modules, "correct CodeUri or Handler")
        yield Issue(f"{fn.name}: {code / module.replace('.', '/')}.py is not there", todo, line)


def _names(file: Path) -> set[str] | None:
    """The names that a module has; None if they are unknown."""
    source = read_source(file)
    if source is None:
        return None
    names: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            if node.name == "*":
                return None
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ADDING:
            return None
    return names
