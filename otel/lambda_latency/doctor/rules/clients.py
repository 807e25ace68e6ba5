"""Rules about clients that wait for longer than the function may run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from lambda_latency.doctor.app import App
from lambda_latency.doctor.calls import Calls
from lambda_latency.doctor.finding import NOTE, WARNING, Found, rule
from lambda_latency.doctor.function import Fn
from lambda_latency.doctor.source import Source

DEFAULT_S = 3  # Lambda's own
METHODS = frozenset(("get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "urlopen"))
SESSIONS = ("requests.Session", "requests.session", "requests.sessions.Session")
WITHOUT_LIMIT = ("requests", *SESSIONS, "urllib.request", "urllib3", "urllib3.PoolManager")
CLIENTS = ("httpx.Client", "httpx.AsyncClient", "urllib3.PoolManager")  # that take the timeout of all their calls
CALLED = (*WITHOUT_LIMIT, "httpx", "httpx.Client", "httpx.AsyncClient")
CONFIGS = ("botocore.config.Config", "botocore.client.Config", "boto3.session.Config")
BOTO = tuple(f"{owner}.{kind}" for owner in ("boto3", "boto3.Session", "boto3.session.Session")
             for kind in ("client", "resource"))  # fmt: skip
# https://botocore.amazonaws.com/v1/documentation/api/latest/reference/config.html
BOTO_S = 60
TIMEOUT_AT = {"urllib.request.urlopen": 2}  # its position among the arguments


@rule(
    "client-timeout",
    WARNING,
    "Lambda stops the function while it waits, without an error to handle; an API's client gets a 502 or 504.",
)
def timeouts(app: App) -> Iterator[Found]:
    """A call that may wait longer than the function's timeout never fails in the code. requests, urllib and urllib3
    have no timeout by default, httpx has 5 s. The check reads calls of the modules, of sessions and of clients, and
    botocore's `Config(...)`. A timeout may be a number, a variable that is assigned once, also in a module beside, or
    an environment variable of the function.
    """
    for fn, limit, source, calls in _read(app):
        for node in calls.nodes:
            full = calls.name(node)
            if full in CONFIGS:
                yield from _config(source, node, calls, limit, fn)
            elif _is_request(full) or full in CLIENTS:
                yield from _request(source, node, calls, limit, fn)


@rule("client-default", NOTE, "A call without an answer uses up the function's time, and no error says which.")
def defaults(app: App) -> Iterator[Found]:
    """A client of boto3 waits for an answer for 60 s, and then tries again, unless a `Config(...)` has `read_timeout`.
    The check reports the first such client of a file, if the function's timeout is not longer.
    """
    for _, limit, source, calls in _read(app):
        if limit > BOTO_S:
            continue
        first = next((node for node in calls.nodes if calls.name(node) in BOTO and _has_defaults(node, calls)), None)
        if first is not None:
            what = f"{ast.unparse(first.func)}() waits up to {BOTO_S} s for an answer, the function has {limit:g} s"
            todo = "give it config=Config(read_timeout=..., retries=...) of less than the function's timeout in all"
            yield Found(source.path, source.line(first), what, todo)


def _read(app: App) -> Iterator[tuple[Fn, float, Source, Calls]]:
    """The functions with a known timeout, with it, and each of their sources."""
    calls: dict[tuple[str, int], Calls] = {}
    for fn in app.functions:
        limit = fn.number("Timeout", default=DEFAULT_S)
        sources = app.sources(fn) if limit is not None else ()
        for source in sources:
            key = source.path, source.first
            calls[key] = calls.get(key) or Calls(source.tree)
        own = [(source, calls[source.path, source.first]) for source in sources]
        names = [Path(source.path).stem for source in sources]
        modules = {name: one for name, (_, one) in zip(names, own, strict=True) if names.count(name) == 1}
        for _, one in own:
            one.modules = modules
        for source, one in own:
            assert limit is not None
            yield fn, limit, source, one


def _is_request(full: str) -> bool:
    owner, _, method = full.rpartition(".")
    return owner in CALLED and method in METHODS


def _request(source: Source, node: ast.Call, calls: Calls, limit: float, fn: Fn) -> Iterator[Found]:
    full, called = calls.name(node), ast.unparse(node.func)
    given = _timeout(node, full)
    owner = full.rpartition(".")[0]
    seconds = calls.seconds(given, fn) if given is not None else None
    if any(one.arg is None for one in node.keywords):
        return  # **options may contain a timeout
    if given is None and (owner not in WITHOUT_LIMIT or full in CLIENTS or _is_limited(node, calls, owner)):
        return
    if given is None:
        what = f"{called}() has no timeout, the function has {limit:g} s"
    elif isinstance(given, ast.Constant) and given.value is None:
        what = f"{called}() waits without a limit, the function has {limit:g} s"
    elif seconds is not None and seconds >= limit:
        what = f"{called}() waits up to {seconds:g} s, {fn.name} has {limit:g} s"
    else:
        return
    yield Found(source.path, source.line(node), what, "give the call a timeout below the function's, and handle it")


def _is_limited(node: ast.Call, calls: Calls, owner: str) -> bool:
    """Whether a call without a timeout may have the one of its session or client, or of all sockets."""
    if owner == "urllib.request":
        return calls.has("socket.setdefaulttimeout")
    if owner in SESSIONS:
        return calls.is_changed(node)
    made = calls.made(node)
    return made is not None and (_timeout(made, owner) is not None or any(one.arg is None for one in made.keywords))


def _timeout(node: ast.Call, full: str) -> ast.expr | None:
    at = TIMEOUT_AT.get(full, len(node.args))
    by_place = node.args[at] if at < len(node.args) else None
    return next((one.value for one in node.keywords if one.arg == "timeout"), by_place)


def _config(source: Source, node: ast.Call, calls: Calls, limit: float, fn: Fn) -> Iterator[Found]:
    for one in node.keywords:
        seconds = calls.seconds(one.value, fn) if one.arg in ("read_timeout", "connect_timeout") else None
        if seconds is not None and seconds >= limit:
            what = f"{one.arg} is {seconds:g} s, {fn.name} has {limit:g} s"
            yield Found(source.path, source.line(node), what, "set it below the function's timeout, retries included")


def _has_defaults(node: ast.Call, calls: Calls) -> bool:
    """Whether a client has botocore's own timeout: no configuration, or one that says nothing of it."""
    named = {one.arg: one.value for one in node.keywords}
    if None in named or len(node.args) > 1:
        return False  # a configuration may be among them
    config = calls.value(named["config"]) if "config" in named else None
    if config is None:
        return "config" not in named
    known = isinstance(config, ast.Call) and calls.name(config) in CONFIGS
    given = {one.arg for one in config.keywords} if isinstance(config, ast.Call) else set()
    return known and not given & {None, "read_timeout"}


RULES = (timeouts, defaults)
