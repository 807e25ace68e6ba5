"""Rules about clients that wait for longer than the function may run, and the calls in a source that they read."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import NOTE, WARNING, Issue, rule
from lambda_latency.doctor.function import DEFAULT_S, Fn
from lambda_latency.doctor.source import PythonSource

METHODS = frozenset(("get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "urlopen"))
SESSIONS = ("requests.Session", "requests.session", "requests.sessions.Session")
WITHOUT_LIMIT = ("requests", *SESSIONS, "urllib.request", "urllib3", "urllib3.PoolManager")
CLIENTS = ("httpx.Client", "httpx.AsyncClient", "urllib3.PoolManager")  # that take the timeout of all their calls
CALLED = (*WITHOUT_LIMIT, "httpx", "httpx.Client", "httpx.AsyncClient")
CONFIGS = ("botocore.config.Config", "botocore.client.Config", "boto3.session.Config")
BOTO = (
    "boto3.client",
    "boto3.resource",
    "boto3.Session.client",
    "boto3.Session.resource",
    "boto3.session.Session.client",
    "boto3.session.Session.resource",
)
# https://botocore.amazonaws.com/v1/documentation/api/latest/reference/config.html
BOTO_S = 60
TIMEOUT_AT = {"urllib.request.urlopen": 2}  # its position among the arguments
READ = ("os.environ.get", "os.getenv")
NUMBERS = ("int", "float")
MOST_STEPS = 5  # from a name to its value: more is a circle
# Methods of a session that code replaces by ones with a timeout
REPLACED = ("request", "send", "get", "post")
ADAPTERS = ("requests.adapters.HTTPAdapter",)


@rule(
    "client-timeout",
    WARNING,
    "Lambda stops the function while it waits, without an error to handle; an API's client gets a 502 or 504.",
)
def timeouts(app: App) -> Iterator[Issue]:
    """A call that may wait longer than the function's timeout never fails in the code. requests, urllib and urllib3
    have no timeout by default, httpx has 5 s. The check reads calls of the modules, of sessions and of clients, and
    botocore's `Config(...)`. A timeout may be a number, a variable that is assigned once, also in a module beside, or
    an environment variable of the function.
    """
    for fn, limit, source, calls in _read(app):
        for node in calls.nodes:
            full = calls.name(node)
            owner, _, method = full.rpartition(".")
            if full in CONFIGS:
                findings = _config(node, calls, limit, fn)
            elif (owner in CALLED and method in METHODS) or full in CLIENTS:
                findings = _request(node, calls, limit, fn)
            else:
                continue
            for issue in findings:
                yield issue._replace(line=source.line(node), path=source.path)


@rule("client-default", NOTE, "A call without an answer uses up the function's time, and no error says which.")
def defaults(app: App) -> Iterator[Issue]:
    """A client of boto3 waits for an answer for 60 s, and then tries again, unless a `Config(...)` has `read_timeout`.
    The check reports the first such client of a file, if the function's timeout is not longer.
    """
    for _, limit, source, calls in _read(app):
        clients = [node for node in calls.nodes if calls.name(node) in BOTO and _has_defaults(node, calls)]
        if limit <= BOTO_S and clients:
            call = ast.unparse(clients[0].func)
            problem = f"{call}() waits up to {BOTO_S} s for an answer, the function has {limit:g} s"
            todo = "give it config=Config(read_timeout=..., retries=...) of less than the function's timeout in all"
            yield Issue(problem, todo, source.line(clients[0]), source.path)


def _read(app: App) -> Iterator[tuple[Fn, float, PythonSource, ModuleCalls]]:
    """The functions with a known timeout, with it, and each of their sources."""
    parsed: dict[tuple[str, int], ModuleCalls] = {}
    for fn in app.functions:
        limit = fn.number("Timeout", default=DEFAULT_S)
        if limit is None:
            continue
        sources = app.sources(fn)
        for source in sources:
            key = source.path, source.line_offset
            parsed[key] = parsed.get(key) or ModuleCalls(source.tree)
        module_calls = [parsed[source.path, source.line_offset] for source in sources]
        _link(sources, module_calls)
        yield from ((fn, limit, source, calls) for source, calls in zip(sources, module_calls, strict=True))


def _link(sources: Sequence[PythonSource], module_calls: Sequence[ModuleCalls]) -> None:
    """Tells each module of a function the others, by those of their names that only one has."""
    names = [Path(source.path).stem for source in sources]
    modules = {name: calls for name, calls in zip(names, module_calls, strict=True) if names.count(name) == 1}
    for calls in module_calls:
        calls.modules = modules


def _request(node: ast.Call, calls: ModuleCalls, limit: float, fn: Fn) -> Iterator[Issue]:
    full, called = calls.name(node), ast.unparse(node.func)
    timeout = _timeout(node, full)
    seconds = calls.seconds(timeout, fn) if timeout is not None else None
    if _has_options(node):
        return
    if timeout is None:
        if full in CLIENTS or _may_be_limited(node, calls, full.rpartition(".")[0]):
            return
        problem = f"{called}() has no timeout, the function has {limit:g} s"
    elif isinstance(timeout, ast.Constant) and timeout.value is None:
        problem = f"{called}() waits without a limit, the function has {limit:g} s"
    elif seconds is not None and seconds >= limit:
        problem = f"{called}() waits up to {seconds:g} s, {fn.name} has {limit:g} s"
    else:
        return
    yield Issue(problem, "give the call a timeout below the function's, and handle it")


def _may_be_limited(node: ast.Call, calls: ModuleCalls, owner: str) -> bool:
    """Whether a call without a timeout may have a default, or that of its session or client, or of all sockets."""
    if owner not in WITHOUT_LIMIT:
        return True
    if owner == "urllib.request":
        return calls.has("socket.setdefaulttimeout")
    if owner in SESSIONS:
        return calls.is_changed(node)
    made = calls.made(node)
    return made is not None and (_timeout(made, owner) is not None or _has_options(made))


def _has_options(node: ast.Call) -> bool:
    """Whether a call has `**options`, which may contain a timeout."""
    return any(keyword.arg is None for keyword in node.keywords)


def _timeout(node: ast.Call, full: str) -> ast.expr | None:
    named = [keyword.value for keyword in node.keywords if keyword.arg == "timeout"]
    place = TIMEOUT_AT.get(full, len(node.args))
    return next(iter([*named, *node.args[place:]]), None)


def _config(node: ast.Call, calls: ModuleCalls, limit: float, fn: Fn) -> Iterator[Issue]:
    for keyword in node.keywords:
        is_timeout = keyword.arg in ("read_timeout", "connect_timeout")
        seconds = calls.seconds(keyword.value, fn) if is_timeout else None
        if seconds is not None and seconds >= limit:
            problem = f"{keyword.arg} is {seconds:g} s, {fn.name} has {limit:g} s"
            yield Issue(problem, "set it below the function's timeout, retries included")


def _has_defaults(node: ast.Call, calls: ModuleCalls) -> bool:
    """Whether a client has botocore's own timeout: no configuration, or one that says nothing of it."""
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    if None in named or len(node.args) > 1:
        return False  # a configuration may be among them
    if "config" not in named:
        return True
    config = calls.value(named["config"])
    if not isinstance(config, ast.Call) or calls.name(config) not in CONFIGS:
        return False
    return {None, "read_timeout"}.isdisjoint(keyword.arg for keyword in config.keywords)


class ModuleCalls:
    """The calls of a source.

    A variable has a value here if the source always assigns the same, and no parameter has its name.
    """

    def __init__(self, tree: ast.Module) -> None:
        all_nodes = list(ast.walk(tree))
        self.nodes = sorted((node for node in all_nodes if isinstance(node, ast.Call)), key=lambda call: call.lineno)
        self._imported = dict(pair for node in all_nodes for pair in _imported(node))
        assigned: dict[str, list[ast.expr | None]] = {}
        for name, value in (pair for node in all_nodes for pair in _assigned(node)):
            assigned.setdefault(name, []).append(value)
        self._values = {name: value for name, nodes in assigned.items() if (value := _same(nodes)) is not None}
        self._assigned = assigned.keys()
        # The function's other modules, by the last part of their names
        self.modules: Mapping[str, ModuleCalls] = {}

    def name(self, call: ast.Call) -> str:
        """The full name of what a call calls, such as `requests.Session.get`; empty if it is not known."""
        return self._full(call.func, MOST_STEPS)

    def has(self, full: str) -> bool:
        """Whether the source calls what has this full name."""
        return any(self.name(node) == full for node in self.nodes)

    def value(self, node: ast.expr) -> ast.expr:
        """The value of a variable, of this module or of one that it imports; any other expression is its own."""
        return self._origin(node, MOST_STEPS)[1]

    def _origin(self, node: ast.expr, steps: int) -> tuple[ModuleCalls, ast.expr]:
        """The value of a variable, and the module that assigns it."""
        if not steps or not isinstance(node, ast.Name | ast.Attribute):
            return self, node
        assigned = self._values.get(ast.unparse(node))
        if assigned is not None:
            return self._origin(assigned, steps - 1)
        module, name = self._imports(node)
        return module._origin(ast.Name(name), steps - 1) if module is not None else (self, node)

    def _imports(self, node: ast.Name | ast.Attribute) -> tuple[ModuleCalls | None, str]:
        """The function's other module that has a name, and the name there."""
        head, _, tail = ast.unparse(node).partition(".")
        module, _, name = ".".join(filter(None, (self._imported.get(head, ""), tail))).rpartition(".")
        return self.modules.get(module.rpartition(".")[2]), name

    def made(self, call: ast.Call) -> ast.Call | None:
        """The call that made the object of a method's call."""
        made = self.value(call.func.value) if isinstance(call.func, ast.Attribute) else None
        return made if isinstance(made, ast.Call) else None

    def is_changed(self, call: ast.Call) -> bool:
        """Whether a session has other adapters, or methods that the source replaces."""
        owner = f"{ast.unparse(call.func.value)}." if isinstance(call.func, ast.Attribute) else ""
        mounted = [call for call in self.nodes if ast.unparse(call.func) == f"{owner}mount"]
        has_unknown = any(not any(map(self._is_adapter, call.args[1:])) for call in mounted)
        return has_unknown or not self._assigned.isdisjoint(f"{owner}{name}" for name in REPLACED)

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
            numbers = [self.seconds(member, fn) for member in node.elts]
            known_numbers = [number for number in numbers if number is not None]
            return max(known_numbers) if known_numbers and len(known_numbers) == len(numbers) else None
        if isinstance(node, ast.Subscript) and self._full(node.value, MOST_STEPS) == "os.environ":
            return self._variable([node.slice], fn)
        if isinstance(node, ast.Call) and not node.keywords and node.args:
            full = self.name(node)
            if full in READ:
                return self._variable(node.args, fn)
            return self.seconds(node.args[0], fn) if ast.unparse(node.func) in NUMBERS else None
        return None

    def _variable(self, arguments: list[ast.expr], fn: Fn) -> float | None:
        """An environment variable as a number, or its default."""
        name = arguments[0].value if isinstance(arguments[0], ast.Constant) else None
        if isinstance(name, str) and name in fn.variables:
            return _number(fn.variable(name))
        return self.seconds(arguments[1], fn) if isinstance(name, str) and len(arguments) > 1 else None

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
            module, name = self._imports(node)
            if module is not None and name in module._values:
                return module._full(ast.Name(name), steps - 1)
        if isinstance(node, ast.Name):
            return self._imported.get(node.id, "")
        owner = self._full(node.value, steps) if isinstance(node, ast.Attribute) else ""
        return f"{owner}.{node.attr}" if owner and isinstance(node, ast.Attribute) else ""


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The imported objects by local name: `r` and `requests`, `Config` and `botocore.config.Config`."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            package = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (package, package)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in node.names)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Yields the variables and attributes that a statement assigns, with their values; None for an unknown value."""
    if isinstance(node, ast.Assign):
        plain = [target for target in node.targets if isinstance(target, ast.Name | ast.Attribute)]
        yield from ((ast.unparse(target), node.value) for target in plain)
        nested = (part for target in node.targets if target not in plain for part in ast.walk(target))
        yield from ((ast.unparse(part), None) for part in nested if isinstance(part, ast.Name | ast.Attribute))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name | ast.Attribute):
        yield ast.unparse(node.target), node.value
    elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
        yield node.optional_vars.id, node.context_expr
    elif isinstance(node, ast.arg):
        yield node.arg, None
    elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor | ast.NamedExpr | ast.comprehension):
        yield from ((ast.unparse(part), None) for part in ast.walk(node.target) if isinstance(part, ast.Name))


def _same(values: list[ast.expr | None]) -> ast.expr | None:
    """The value that all assignments have; None if they differ, or one is not known."""
    candidate, *more = values
    alike = candidate is not None and all(e is not None and ast.dump(e) == ast.dump(candidate) for e in more)
    return candidate if alike else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
