"""The functions of a translated template: their properties, their handlers, and why some cannot run locally."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.definitions import Fields, mapping, of_type, properties
from lambda_latency.local.app.read.inclusion import Content, Packaged
from lambda_latency.local.app.read.source import SamFile
from lambda_latency.pythons import Version, version_of
from lambda_latency.template import Diagnostic, nearest

LAYER_ARN = re.compile(r"arn:[^\"]*?:layer:[^\"]+")
# Lambda Web Adapter's layers, and its exec wrapper.
ADAPTER, ADAPTED = "LambdaAdapterLayer", "/opt/bootstrap"


@dataclass(frozen=True, slots=True)
class Declared:
    """A function as its template declares it.

    `code` is the location of its code, `inline` its source if that is in the template; `name` is its name on AWS, `key`
    its logical id (`Child/Function` in a nested stack); `layers` are the contents of local layers in their order,
    `arns` the ARNs of other layers; `url` is the AuthType of its function URL, empty without one; `events` are the
    types of its events in a SAM template, such as `Kinesis`; `variables` are as in the template, with references;
    `log_format` is Text or JSON; `durable` is the `DurableConfig`, None of a function that is not durable.
    """

    key: str
    name: str
    version: Version
    handler: str
    timeout_s: float
    memory_mb: int
    code: Content | None
    inline: str
    layers: tuple[Content, ...]
    arns: tuple[str, ...]
    url: str
    variables: Fields = field(default_factory=dict)
    events: tuple[str, ...] = ()
    log_format: str = "Text"
    log_level: str = "INFO"
    durable: Fields | None = None

    @property
    def wrapper(self) -> str:
        """Its exec wrapper; empty without one."""
        return str(self.variables.get("AWS_LAMBDA_EXEC_WRAPPER", ""))

    def as_built(self) -> Declared:
        """Return the function of a template that `sam build` has made: its code and layers have their packages."""
        contents = (self.code, *self.layers)
        code, *layers = (c and Content(c.path, is_built=True) for c in contents)
        return replace(self, code=code, layers=tuple(filter(None, layers)))


@dataclass(frozen=True, slots=True)
class Refused:
    """A function that cannot run locally, and the reason. `finding` is a mistake in the template that is the reason."""

    key: str
    name: str
    why: str
    finding: Diagnostic | None = None


def declared_functions(plain: Fields, packaged: Packaged, prefix: str = "") -> Iterator[Declared | Refused]:
    """Yield the functions of one translated and resolved template, in its order. `prefix` begins the keys."""
    resources: Fields = plain["Resources"]
    for logical, function in of_type(resources, "AWS::Lambda::Function"):
        key = prefix + logical
        name = function.get("FunctionName")
        name = name if isinstance(name, str) else key.replace("/", "-")
        why = _refusal(function, packaged.codes.get(logical))
        if why:
            yield Refused(key, name, why)
        elif logical in packaged.missing:
            yield Refused(key, name, str(packaged.missing[logical]), packaged.missing[logical])
        else:
            yield _declared(logical, key, name, packaged, resources)


def _declared(logical: str, key: str, name: str, packaged: Packaged, resources: Fields) -> Declared | Refused:
    function = properties(resources[logical])
    version = version_of(str(function.get("Runtime")))
    assert version is not None  # _refusal refuses other runtimes
    layers = function.get("Layers") or []
    matches = map(LAYER_ARN.search, map(json.dumps, layers))
    arns = tuple(match[0] for match in matches if match is not None)
    variables = mapping(mapping(function.get("Environment")).get("Variables"))
    if variables.get("AWS_LAMBDA_EXEC_WRAPPER") == ADAPTED and any(ADAPTER in arn for arn in arns):
        server = f"{function['Handler']} starts a web server behind Lambda Web Adapter, which does not run here"
        return Refused(key, name, f"{server}; start the web server by itself")
    logging = mapping(function.get("LoggingConfig"))
    return Declared(
        key=key,
        name=name,
        version=version,
        handler=str(function.get("Handler", "")),
        timeout_s=_number(function.get("Timeout"), 3),
        memory_mb=int(_number(function.get("MemorySize"), 128)),
        code=packaged.codes.get(logical),
        inline=_inline(function),
        layers=tuple(filter(None, (_local_layer(layer, packaged, resources) for layer in layers))),
        arns=arns,
        url=_auth_of_url(logical, resources),
        variables=variables,
        events=_events(packaged.raw, logical),
        durable=function.get("DurableConfig") or None,
        log_format=str(logging.get("LogFormat", "Text")),
        log_level=str(logging.get("ApplicationLogLevel", "INFO")),
    )


def _local_layer(layer: Any, packaged: Packaged, resources: Fields) -> Content | None:
    declared = properties(resources.get(str(mapping(layer).get("Ref", ""))))
    return packaged.layers.get(str(mapping(declared.get("Content")).get("S3Key", "")))


def _auth_of_url(logical: str, resources: Fields) -> str:
    urls = [url for _, url in of_type(resources, "AWS::Lambda::Url") if f'"{logical}"' in json.dumps(url)]
    return str(urls[0].get("AuthType", "NONE")) if urls else ""


def _refusal(function: Fields, code: Content | None) -> str:
    """Why a function cannot run locally; empty if it can."""
    if function.get("PackageType") == "Image" or "ImageUri" in mapping(function.get("Code")):
        return "it is a container image"
    runtime = function.get("Runtime")
    if isinstance(runtime, str) and version_of(runtime) is None:
        return f"its runtime is {runtime}, and only Python 3 runs here"
    if code is None and not _inline(function):
        return "its code is in an account's S3, and not beside the template"
    if not isinstance(function.get("Handler"), str):
        return "its Handler is not text"
    if not isinstance(runtime, str):
        return f"its runtime is {json.dumps(runtime)}, and only Python 3 runs here"
    return ""


def _inline(function: Fields) -> str:
    code = mapping(function.get("Code")).get("ZipFile")
    if isinstance(code, dict):  # Fn::Sub and Fn::Join: the text without substitution
        code = code.get("Fn::Sub") or "".join(map(str, (code.get("Fn::Join") or ["", []])[1]))
        code = code[0] if isinstance(code, list) else code
    return str(code or "")


def _events(raw: Fields, logical: str) -> tuple[str, ...]:
    """Return the types of the events that SAM declares for a function, without duplicates."""
    events = mapping(properties(mapping(raw.get("Resources")).get(logical)).get("Events"))
    kinds = [mapping(event).get("Type") for event in events.values()]
    return tuple(dict.fromkeys(kind for kind in kinds if isinstance(kind, str)))


def _number(value: Any, otherwise: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return otherwise


def checked(source: SamFile, function: Declared | Refused, prefix: str) -> Declared | Refused:
    """A function, or its refusal if its handler does not exist. A handler that may come from a layer is not checked."""
    if not isinstance(function, Declared) or function.code is None or function.code.target:
        return function
    if not function.code.path.is_dir():
        return function
    missing = _missing_handler(source, function, function.code.path, function.key.removeprefix(prefix))
    return Refused(function.key, function.name, str(missing), missing) if missing is not None else function


def _missing_handler(source: SamFile, function: Declared, code: Path, name: str) -> Diagnostic | None:
    module, _, handler = function.handler.rpartition(".")
    keys = ("Resources", name, "Properties", "Handler")
    package = code / Path(*module.replace("/", ".").split("."))
    file = package.with_name(f"{package.name}.py")
    if not file.is_file() and not package.is_dir():
        if function.layers or function.arns:
            return None  # the module may be in a layer
        modules = [path.stem for path in package.parent.glob("*.py")]
        todo = nearest(package.name, modules, "Handler is MODULE.FUNCTION, relative to CodeUri")
        return source.finding(keys, f"{name}: no module {module!r} in {code}", todo)
    names = _names_in(file)
    if names is None or handler in names:
        return None
    todo = nearest(handler, names, "name a function that it has")
    return source.finding(keys, f"{name}: {file.name} has no {handler!r}", todo)


def _names_in(file: Path) -> set[str] | None:
    """Return the top-level names of a module; None if the source does not determine them."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return None
    names: set[str] = set()
    for statement in body:
        defined = set() if isinstance(statement, ast.Expr) else _names_of(statement)
        if defined is None:
            return None
        names |= defined
    return None if "*" in names or "__getattr__" in names else names


def _names_of(statement: ast.stmt) -> set[str] | None:
    """Return the names that a statement defines; None for an `if` or a `try`, which may define more."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return None
