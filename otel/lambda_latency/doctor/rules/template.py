"""Rules about the template itself, and about SnapStart."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lambda_latency.doctor.api import apis_of
from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Found, rule
from lambda_latency.doctor.function import Fn
from lambda_latency.template import by_hand, check_template

# Calls that open a connection immediately, by module.
CONNECTS = {
    "psycopg": ("connect",), "psycopg2": ("connect",), "pymysql": ("connect",), "mysql.connector": ("connect",),
    "MySQLdb": ("connect",), "pg8000": ("connect",), "oracledb": ("connect",), "pyodbc": ("connect",),
    "socket": ("create_connection",), "smtplib": ("SMTP", "SMTP_SSL"),
}  # fmt: skip


@rule("unreadable", ERROR, "Neither SAM nor CloudFormation can read it.")
def unreadable(_: App) -> Iterator[Found]:
    """The template, or a nested one, does not exist, is not UTF-8, is not YAML or JSON, or has no resources."""
    yield from ()  # an unreadable file is not an app: `diagnose` reports it


@rule("duplicate-key", WARNING, "The last value is used, and the others are dropped silently.")
def twice(app: App) -> Iterator[Found]:
    """SAM's YAML reader keeps the last of several equal keys. The intended one is unknown."""
    for finding in app.twice:
        yield Found(app.name, finding.line, finding.what, finding.todo)


@rule("unknown-name", ERROR, "The deployment fails, or the resource is left out.")
def names(app: App) -> Iterator[Found]:
    """A reference, a condition, a type or a section does not exist."""
    for finding in check_template(app.name, app.root):
        yield Found(app.name, finding.line, finding.what, finding.todo)


@rule("condition-undecided", NOTE, "Other rules see only the functions and values of the assumed case.")
def undecided(app: App) -> Iterator[Found]:
    """A condition compares a value that only the deployment knows: a parameter without a default or from Parameter
    Store, a pseudo parameter, a dynamic reference. It gets the value that it has with a placeholder for what is
    unknown; without a placeholder it is true. All commands assume the same value.
    """
    for one in app.undecided:
        yield Found(app.name, one.line, one.what, f"add {one.todo}" if one.todo else "check the other case by hand")


@rule("no-function", NOTE, "There is nothing to check.")
def no_function(app: App) -> Iterator[Found]:
    """The template has resources, but none is a Lambda function."""
    if not app.functions and not any(True for _ in app.nested()):
        section = app.root.get("Resources")
        line = section.line if section is not None else 1
        yield Found(app.name, line, "no Lambda function", "name the template that has them")


@rule("nothing-traced", NOTE, "Requests leave no trace, so none of the rules about traces applies.")
def nothing_traced(app: App) -> Iterator[Found]:
    """No function has a tracing mode, a wrapper or a layer of OpenTelemetry, or code that imports it, and no API before
    one is traced. Traces of other vendors are not looked for.
    """
    functions = [fn for fn in app.functions if fn.is_python]
    if functions and not any(_is_traced(app, fn) for fn in app.functions):
        if any(api.is_traced for fn in app.functions for api in apis_of(app, fn)):
            return  # function-untraced tells it
        is_edited = any(fn.is_sam and not fn.is_image for fn in functions)
        todo = "run lambda-latency adopt" if is_edited else by_hand(app.path)
        yield Found(app.name, functions[0].line, "no function is traced by X-Ray or OpenTelemetry", todo)


def _is_traced(app: App, fn: Fn) -> bool:
    """Whether a function has tracing settings, a wrapper or a layer of OpenTelemetry, or code that imports it."""
    has_mode = fn.get("Tracing") is not None or fn.get("TracingConfig") is not None
    imports = (node for source in app.sources(fn) for node in ast.walk(source.tree))
    return (
        has_mode
        or fn.is_instrumented
        or fn.has_unknown_wrapper
        or fn.has_unknown_layers
        or any(layer.kind for layer in fn.layers)
        or any(name.partition(".")[0] == "opentelemetry" for node in imports for name in _modules(node))
    )


def _modules(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module and not node.level else []
    return [one.name for one in node.names] if isinstance(node, ast.Import) else []


@rule(
    "snapstart-connection",
    WARNING,
    "Restored environments use a connection that the server has closed: the first request fails or hangs.",
)
def snapstart(app: App) -> Iterator[Found]:
    """With SnapStart, init runs once, before the snapshot. Its connections are closed when an environment is restored.
    The check reports calls at module level: databases' `connect`, `socket.create_connection`, `smtplib`.
    """
    for fn in app.functions:
        if fn.text("SnapStart", "ApplyOn") != "PublishedVersions":
            continue
        for source in app.sources(fn):
            for call in _at_import(source.tree):
                module, _, name = ast.unparse(call.func).rpartition(".")
                if name in CONNECTS.get(module, ()):
                    what = f"{module}.{name}() opens a connection during init, which SnapStart snapshots"
                    todo = "connect in the handler, or after the restore (snapshot_restore_py: register_after_restore)"
                    yield Found(source.path, source.line(call), what, todo)


def _at_import(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls that run when the module is imported."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(ast.iter_child_nodes(node))


RULES = (unreadable, twice, names, undecided, no_function, nothing_traced, snapstart)
