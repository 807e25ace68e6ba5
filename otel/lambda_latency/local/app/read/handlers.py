"""Checks that each function's handler exists in its code, without running the code."""

from __future__ import annotations

import ast
from pathlib import Path

from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.read.source import Source
from lambda_latency.template import Finding, nearest


def checked(source: Source, function: Declared | Refused, prefix: str) -> Declared | Refused:
    """A function, or its refusal if its handler does not exist. A handler that may come from a layer is not checked."""
    if not isinstance(function, Declared) or function.code is None or function.code.target:
        return function
    if not function.code.path.is_dir():
        return function
    missing = _missing(source, function, function.code.path, function.key.removeprefix(prefix))
    return Refused.because(function.key, function.name, missing) if missing is not None else function


def _missing(source: Source, function: Declared, code: Path, name: str) -> Finding | None:
    module, _, handler = function.handler.rpartition(".")
    at = ("Resources", name, "Properties", "Handler")
    path = code / Path(*module.replace("/", ".").split("."))
    file = path.with_name(f"{path.name}.py")
    if not file.is_file() and not path.is_dir():
        if function.layers or function.arns:
            return None  # the module may be in a layer
        beside = [one.stem for one in path.parent.glob("*.py")] if path.parent.is_dir() else []
        todo = nearest(path.name, beside, "Handler is MODULE.FUNCTION, relative to CodeUri")
        return source.finding(at, f"{name}: no module {module!r} in {code}", todo)
    names = _names(file)
    if names is None or handler in names:
        return None
    todo = nearest(handler, names, "name a function that it has")
    return source.finding(at, f"{name}: {file.name} has no {handler!r}", todo)


def _names(file: Path) -> set[str] | None:
    """The top-level names of a module; None if the source does not determine them."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return None
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            found |= {one.asname or one.name.partition(".")[0] for one in statement.names}
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            found |= {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
        elif not isinstance(statement, ast.Expr):
            return None  # an `if` or a `try` may define more
    return None if "*" in found or "__getattr__" in found else found
