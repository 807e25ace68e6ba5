"""The runtime reads no private attribute of another package, and its modules do not import each other in a circle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import lambda_latency.runtime

RUNTIME = Path(lambda_latency.runtime.__file__).parent
REDACTION = RUNTIME.parent / "redaction"
MODULES = {
    ".".join(path.relative_to(RUNTIME).with_suffix("").parts): ast.parse(path.read_text())
    for path in RUNTIME.rglob("*.py")
} | {f"redaction.{path.stem}": ast.parse(path.read_text()) for path in REDACTION.glob("*.py")}

# Each with the versions in which it was looked up. Where one is missing the runtime does without.
ALLOWED = {
    # awslambdaric 4.0 to 4.2.2: a handler that is missing or broken is reported as without the kit.
    ("bootstrap", "_get_handler"),
    # botocore 1.40 to 1.43: what upstream and the X-Ray SDK wrap, for calls that are not recorded.
    ("unsampled", "_make_api_call"),
    # Python 3.10 to 3.14: the stacks of all threads, for a timeout.
    ("deadline.stacks", "_current_frames"),
    # The same, for the samples of a slow request.
    ("deadline.profile", "_current_frames"),
    # asyncio of Python 3.10 to 3.14, and uvloop 0.22: what a task waits for, and the loop inside of another.
    ("deadline.own_lines", "_children"),
    ("deadline.own_lines", "_fut_waiter"),
    ("deadline.own_lines", "_loop"),
    # Python 3.10 to 3.14: a thread by its number, and a lock without the import of `threading`.
    ("deadline.profile", "_active"),
    ("deadline.watch", "_thread"),
    # Python's enum documents it: the value without the Python code of `value`.
    ("delivery.encoding", "_value_"),
    # Python 3.10 to 3.14: all variables of the environment as one value, to see whether one has changed.
    ("redaction.credentials", "_data"),
    # Python 3.10 to 3.14: whether a formatter of the log names the trace id.
    ("logs", "_fmt"),
    # Python 3.10 to 3.14: a thread's context without a frame of ours in the traceback that Python prints.
    ("threads", "_bootstrap_inner"),
    # Python 3.10 to 3.14: what `signal` is made of, for the price of its own functions.
    ("threads", "_signal"),
    # Python 3.10 to 3.14: the list of threads, from which the runtime takes its own.
    ("threads", "_active"),
    # asyncpg 0.32: where `acquire` waits, whether it will, and whom the pool's connections go to.
    ("drivers.asyncpg", "_acquire"),
    ("drivers.asyncpg", "_queue"),
    ("drivers.asyncpg", "_connect_kwargs"),
    # mysql-connector-python 9.7: the property of that name asks the server.
    ("drivers.mysql", "_database"),
    # pg8000 1.31: the connection of a cursor.
    ("drivers.pg8000", "_c"),
    # pika 1.4: the channel inside of a blocking one, which upstream traces, too.
    ("drivers.rabbitmq", "_impl"),
    # elasticsearch 9.5: what makes the spans of its own.
    ("drivers.search", "_otel"),
    # SQLAlchemy 2.0 and 2.1: where a pool waits for a connection, and whether it will.
    ("drivers.sqlalchemy", "_do_get"),
    ("drivers.sqlalchemy", "_max_overflow"),
    ("drivers.sqlalchemy", "_pool"),
}


def private(text: str) -> bool:
    """Whether a name is private; `__dict__` and its like are not."""
    return text.startswith("_") and not text.startswith("__")


def test_no_private_attribute_of_another_package_is_read() -> None:
    """By a dot, by an import, or by a text that names it; OpenTelemetry has none in the list."""
    read = {(name, attribute) for name, tree in MODULES.items() for attribute in attributes_read(tree)}
    read |= {(name, str(text)) for name, tree in MODULES.items() for text in texts_read(name, tree)}
    lambdas = {(name, "_X_AMZN_TRACE_ID") for name in ("drivers.aws", "invocation", "propagation")}
    lambdas |= {("bootstrap", "_HANDLER"), ("deadline.own_lines", "_HANDLER")}
    assert {(name, text) for name, text in read if private(text)} - lambdas == ALLOWED


def attributes_read(tree: ast.AST) -> set[str]:
    """The attributes that a module reads, without those that it defines itself."""
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return {node.attr for node in attributes} - {node.attr for node in attributes if of_self(node)} - defined


def texts_read(module: str, tree: ast.AST) -> Iterator[object]:
    """Yield the names that a module imports, and the texts by which it looks something up."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Tuple) and module == "unsampled":
            yield from (getattr(element, "value", None) for element in node.elts)
        else:
            yield named(node)


def named(node: ast.AST) -> object:
    """The text by which an attribute, a key or a variable is looked up: `getattr(it, "name")`, `it["name"]`."""
    if isinstance(node, ast.Subscript):
        return getattr(node.slice, "value", None)
    if isinstance(node, ast.Call):
        index = 0 if isinstance(node.func, ast.Attribute) and node.func.attr == "get" else 1
        function = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if function in ("getattr", "hasattr", "get", "replaced", "within") and len(node.args) > index:
            return getattr(node.args[index], "value", None)
    return None


def of_self(node: ast.Attribute) -> bool:
    """`self._name` and `cls._name`."""
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
