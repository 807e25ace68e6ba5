"""Rules about the template itself, and about SnapStart."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lambda_latency.doctor.apis import apis_of
from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Issue, function_rule, rule
from lambda_latency.doctor.function import Fn
from lambda_latency.doctor.source import PythonSource
from lambda_latency.template import by_hand, check_template, imports_in

# Calls that open a connection immediately, by module.
CONNECT = ("connect",)
CONNECTS = {
    "psycopg": CONNECT,
    "psycopg2": CONNECT,
    "pymysql": CONNECT,
    "mysql.connector": CONNECT,
    "MySQLdb": CONNECT,
    "pg8000": CONNECT,
    "oracledb": CONNECT,
    "pyodbc": CONNECT,
    "socket": ("create_connection",),
    "smtplib": ("SMTP", "SMTP_SSL"),
}


@rule("unreadable", ERROR, "Nothing of it can be deployed, and nothing of it is checked.")
def unreadable(_: App) -> Iterator[Issue]:
    """The template, or a nested one, does not exist, is not UTF-8, is not YAML or JSON, or has no resources."""
    # An unreadable file is not an app: `diagnose` reports it
    yield from ()


@rule("duplicate-key", WARNING, "The last value is used, and the others are dropped silently.")
def duplicates(app: App) -> Iterator[Issue]:
    """SAM's YAML reader keeps the last of several equal keys. The intended one is unknown."""
    for finding in app.duplicates:
        yield Issue(finding.problem, finding.todo, finding.line)


@rule("unknown-name", ERROR, "The deployment fails, or the resource is left out.")
def names(app: App) -> Iterator[Issue]:
    """A reference, a condition, a type or a section does not exist."""
    for finding in check_template(app.name, app.root):
        yield Issue(finding.problem, finding.todo, finding.line)


@rule("condition-undecided", NOTE, "Other rules see only the functions and values of the assumed case.")
def undecided(app: App) -> Iterator[Issue]:
    """A condition compares a value that only the deployment knows: a parameter without a default or from Parameter
    Store, a pseudo parameter, a dynamic reference. It gets the value that it has with a placeholder for what is
    unknown; without a placeholder it is true. All commands assume the same value.
    """
    for condition in app.undecided:
        todo = f"add {condition.todo}" if condition.todo else "check the other case by hand"
        yield Issue(condition.problem, todo, condition.line)


@rule("no-function", NOTE, "There is nothing to check.")
def no_function(app: App) -> Iterator[Issue]:
    """The template has resources, but none is a Lambda function."""
    if not app.functions and not any(True for _ in app.nested()):
        line = (app.root.get("Resources") or app.root).line
        yield Issue("no Lambda function", "name the template that has them", line)


@rule("nothing-traced", NOTE, "Requests leave no trace, so none of the rules about traces applies.")
def nothing_traced(app: App) -> Iterator[Issue]:
    """No function has a tracing mode, a wrapper or a layer of OpenTelemetry, or code that imports it, and no API before
    one is traced. Traces of other vendors are not looked for.
    """
    functions = [fn for fn in app.functions if fn.is_python]
    if not functions or any(_is_traced(app, fn) for fn in app.functions):
        return
    is_edited = any(fn.is_sam and not fn.is_image for fn in functions)
    todo = "run lambda-latency adopt" if is_edited else by_hand(app.path)
    yield Issue("no function is traced by X-Ray or OpenTelemetry", todo, functions[0].line)


def _is_traced(app: App, fn: Fn) -> bool:
    """Whether a function or its API has tracing settings, or it has OpenTelemetry's wrapper, layer or imports."""
    has_mode = fn.get("Tracing") is not None or fn.get("TracingConfig") is not None
    has_wrapper = fn.is_instrumented or fn.has_unknown_wrapper
    has_layer = fn.has_unknown_layers or any(layer.kind for layer in fn.layers)
    if has_mode or has_wrapper or has_layer or any(map(_imports_opentelemetry, app.sources(fn))):
        return True
    return any(api.is_traced for api in apis_of(app, fn))  # then the rule function-untraced reports the function


def _imports_opentelemetry(source: PythonSource) -> bool:
    return any(module.partition(".")[0] == "opentelemetry" for _, module, _ in imports_in(source.tree))


@function_rule(
    "snapstart-connection",
    WARNING,
    "Restored environments use a connection that the server has closed: the first request fails or hangs.",
)
def snapstart(app: App, fn: Fn) -> Iterator[Issue]:
    """With SnapStart, init runs once, before the snapshot. Its connections are closed when an environment is restored.
    The check reports calls at module level: databases' `connect`, `socket.create_connection`, `smtplib`.
    """
    is_restored = fn.text("SnapStart", "ApplyOn") == "PublishedVersions"
    for source in app.sources(fn) if is_restored else ():
        for call in _at_import(source.tree):
            module, _, name = ast.unparse(call.func).rpartition(".")
            if name in CONNECTS.get(module, ()):
                problem = f"{module}.{name}() opens a connection during init, which SnapStart snapshots"
                todo = "connect in the handler, or after the restore (snapshot_restore_py: register_after_restore)"
                yield Issue(problem, todo, source.line(call), source.path)


def _at_import(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls that run when the module is imported."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
