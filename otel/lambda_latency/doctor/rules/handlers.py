"""The rule about handlers that are not in the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, Found, rule
from lambda_latency.spelling import did_you_mean


@rule("handler-missing", ERROR, "Every invocation fails: Runtime.ImportModuleError or Runtime.HandlerNotFound.")
def missing(app: App) -> Iterator[Found]:
    """The handler `app.handler` is the name `handler` in `app.py`. The check reads local code; a function with layers
    may have the module in one of them, and a build of its own may make it.
    """
    for fn in app.functions:
        written, code = fn.text("Handler"), app.code(fn)
        module, _, name = written.rpartition(".")
        is_made = fn.metadata is not None and fn.metadata.get("BuildMethod") is not None
        is_inline = fn.get("InlineCode") is not None  # which a CodeUri beside it does not change
        if not module or not name or not fn.is_python or code is None or is_made or is_inline:
            continue
        file = _file(code, module)
        if file is None:
            if not fn.layers and not fn.has_unknown_layers and any(code.glob("**/*.py")):
                where = code / f"{module.replace('.', '/')}.py"
                yield Found(app.name, fn.line_of("Handler"), f"{fn.name}: {where} is not there", _near(code, module))
            continue
        names = _names(file)
        if names is not None and name not in names:
            todo = did_you_mean(name, sorted(names), "write the name of a function of that file")
            yield Found(app.name, fn.line_of("Handler"), f"{fn.name}: {file} has no {name!r}", todo)


def _file(code: Path, module: str) -> Path | None:
    path = code.joinpath(*module.replace("/", ".").split("."))
    found = (path / "__init__.py", path.parent / f"{path.name}.py")
    return next((one for one in found if one.is_file()), None)


def _near(code: Path, module: str) -> str:
    modules = [one.stem for one in sorted(code.glob("*.py"))]
    return did_you_mean(module, modules, "correct CodeUri or Handler")


def _names(file: Path) -> set[str] | None:
    """The names that a module has; None if it cannot be told."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            if node.name == "*":
                return None
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("globals", "setattr", "exec"):
            return None
    return found


RULES = (missing,)
